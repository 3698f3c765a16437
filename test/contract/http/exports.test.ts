/** Exports as clients ask for them, look at them, take and end them. */

import { describe, expect, it } from "vitest";
import type { z } from "zod";

import { updateExport } from "../../../src/catalog/exports.js";
import { exportListSchema, exportSchema } from "../../../src/contract/exports.js";
import type { ExportId } from "../../../src/core/export.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { EXPORT_CONTENT, finishExport } from "../../support/http-exports.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";

type ExportView = z.infer<typeof exportSchema>;

const BODY = { path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-20T01:00:00Z" };
const NOBODY = "00000000-0000-4000-8000-000000000000";

async function submit(http: HttpHarness, more: Record<string, unknown> = {}): Promise<ExportView> {
  const answer = await ask(http, "/api/v1/exports", { method: "POST", body: { ...BODY, ...more } });
  expect(answer.status).toBe(202);
  return exportSchema.parse(answer.json());
}

async function look(http: HttpHarness, id: string): Promise<ExportView> {
  return exportSchema.parse((await ask(http, `/api/v1/exports/${id}`)).json());
}

describe("an export", () => {
  it("is asked for, and stands in the list, the newest first", async () => {
    const http = await httpForTest();
    const first = await submit(http);
    expect(first).toEqual({
      ...BODY,
      id: first.id,
      format: "mp4",
      gaps: "keep",
      state: "queued",
      writtenBytes: 0,
      estimatedBytes: null,
      progress: 0,
      error: null,
      bytes: null,
      sha256: null,
      startAt: null,
      endAt: null,
      createdAt: "2026-11-20T00:00:00Z",
      expiresAt: null,
    });
    const second = await submit(http, { gaps: "close", keep: "1h" });
    const { items } = exportListSchema.parse((await ask(http, "/api/v1/exports")).json());
    expect(items).toEqual([second, first]);
    expect(await look(http, first.id)).toEqual(first);
  });

  it("tells how far it is, and is whole only when it is done", async () => {
    const http = await httpForTest();
    const { id } = await submit(http);
    const states = ["queued", "running"] as const;
    const note = (patch: Parameters<typeof updateExport>[2]) =>
      updateExport(http.catalog, { id: id as ExportId, states }, patch);
    await note({ state: "running", writtenBytes: 250, estimatedBytes: 1_000 });
    expect(await look(http, id)).toMatchObject({ state: "running", progress: 0.25 });
    await note({ writtenBytes: 1_100 });
    expect(await look(http, id)).toMatchObject({ state: "running", progress: 0.99 });
    await note({ state: "done" });
    expect(await look(http, id)).toMatchObject({ state: "done", progress: 1 });
  });

  it("gives its result whole, by range and by ETag, and only then", async () => {
    const http = await httpForTest();
    const { id } = await submit(http);
    const target = `/api/v1/exports/${id}/file`;
    expect(problemIn(await ask(http, target)).status).toBe(409);
    await finishExport(http, id);
    const whole = await ask(http, target);
    expect(whole.status).toBe(200);
    expect(whole.bytes.equals(EXPORT_CONTENT)).toBe(true);
    expect(whole.headers).toMatchObject({
      "content-type": "video/mp4",
      "content-length": "1000",
      "accept-ranges": "bytes",
      "content-disposition": 'attachment; filename="cam1_2026-11-20T00-00-00Z.mp4"',
    });
    const part = await ask(http, target, { headers: { range: "bytes=10-19" } });
    expect([part.status, part.headers["content-range"]]).toEqual([206, "bytes 10-19/1000"]);
    expect(part.bytes.equals(EXPORT_CONTENT.subarray(10, 20))).toBe(true);
    const outside = await ask(http, target, { headers: { range: "bytes=1000-" } });
    expect([outside.status, outside.headers["content-range"]]).toEqual([416, "bytes */1000"]);
    const known = await ask(http, target, { headers: { "if-none-match": whole.headers.etag! } });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    const head = await ask(http, target, { method: "HEAD" });
    expect([head.status, head.headers["content-length"], head.bytes.length]).toEqual([200, "1000", 0]);
  });

  it("is ended by DELETE: cancelled before it is done, its result deleted after", async () => {
    const http = await httpForTest();
    const [waiting, done] = [await submit(http), await submit(http)];
    await finishExport(http, done.id);
    const end = async (id: string) => ask(http, `/api/v1/exports/${id}`, { method: "DELETE" });
    expect(await end(waiting.id)).toMatchObject({ status: 202 });
    expect(await look(http, waiting.id)).toMatchObject({ state: "cancelled" });
    expect(await end(done.id)).toMatchObject({ status: 202 });
    expect(await look(http, done.id)).toMatchObject({ state: "deleted" });
    for (const { id } of [waiting, done]) {
      expect(problemIn(await ask(http, `/api/v1/exports/${id}/file`)).status).toBe(404);
    }
    expect(await end(waiting.id)).toMatchObject({ status: 202 });
    expect(await look(http, waiting.id)).toMatchObject({ state: "cancelled" });
  });

  it("that there is not is not found", async () => {
    const http = await httpForTest();
    for (const [method, target] of [
      ["GET", `/api/v1/exports/${NOBODY}`],
      ["GET", `/api/v1/exports/${NOBODY}/file`],
      ["DELETE", `/api/v1/exports/${NOBODY}`],
    ] as const) {
      expect(problemIn(await ask(http, target, { method })).status).toBe(404);
    }
    const odd = await ask(http, "/api/v1/exports/__proto__");
    expect(problemIn(odd)).toMatchObject({ status: 400, errors: [{ field: "id" }] });
  });
});
