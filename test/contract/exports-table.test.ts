/** The table of exports as a queue, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  claimExport,
  findExport,
  insertExport,
  listExports,
  listResultsToRemove,
  nextExportDueAtUs,
  requeueInterrupted,
  updateExport,
} from "../../src/catalog/exports.js";
import type { ExportRequest } from "../../src/core/export.js";
import { at, CAM1 } from "./catalog/builders.js";
import { DIALECTS, openFresh, openOn } from "./catalog/dialects.js";

const REQUEST: ExportRequest = {
  path: CAM1,
  fromUs: at(0),
  toUs: at(3_600),
  format: "mp4",
  gaps: "keep",
  keepUs: 1_000_000,
};

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("exports on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  it("are claimed once each, in order of their time, and only when it has come", async () => {
    const catalog = await openFresh(dialect);
    const first = await insertExport(catalog, REQUEST);
    await catalog.clock.advance(1_000);
    const second = await insertExport(catalog, REQUEST);
    expect(await nextExportDueAtUs(catalog)).toBe(at(0));
    expect(await claimExport(catalog)).toEqual({ ...first, state: "running", attempts: 1 });
    const later = { state: "queued", error: "the store\0 is away", nextAttemptAtUs: at(10) } as const;
    expect(await updateExport(catalog, { id: first.id, states: ["running"] }, later)).toBe(true);
    expect((await claimExport(catalog))?.id).toBe(second.id);
    expect(await claimExport(catalog)).toBeUndefined();
    expect(await nextExportDueAtUs(catalog)).toBe(at(10));
    await catalog.clock.advance(9_000);
    expect(await claimExport(catalog)).toMatchObject({ id: first.id, attempts: 2, error: "the store\ufffd is away" });
    expect((await listExports(catalog, [])).map(({ id }) => id)).toEqual([second.id, first.id]);
  });

  it("of one node are claimed by that node alone, each by one of many who ask at once", async () => {
    const target = await dialect.freshTarget();
    const one = await openOn(target, { nodeId: "node-1" });
    const other = await openOn(target, { nodeId: "node-2" });
    for (let index = 0; index < 4; index += 1) await insertExport(one, REQUEST);
    expect(await claimExport(other)).toBeUndefined();
    await claimExport(one);
    expect(await requeueInterrupted(other)).toBe(0);
    expect(await requeueInterrupted(one)).toBe(1);
  });

  it("change only while they are in the state that was seen", async () => {
    const catalog = await openFresh(dialect);
    const { id } = await insertExport(catalog, REQUEST);
    expect(await updateExport(catalog, { id, states: ["running"] }, { writtenBytes: 5 })).toBe(false);
    expect(await updateExport(catalog, { id, states: ["queued"] }, { state: "cancelled" })).toBe(true);
    expect(await claimExport(catalog)).toBeUndefined();
    expect(await findExport(catalog, id)).toMatchObject({ state: "cancelled", writtenBytes: 0 });
  });

  it("that are over name the results to remove", async () => {
    const catalog = await openFresh(dialect);
    const done = { state: "done", bytes: 3, sha256: "ab", startUs: at(0), endUs: at(1) } as const;
    const add = async (patch: Parameters<typeof updateExport>[2]) => {
      const { id } = await insertExport(catalog, REQUEST);
      await updateExport(catalog, { id, states: ["queued"] }, { objectKey: `key-${id}`, ...patch });
      return id;
    };
    await add({ ...done, expiresAtUs: at(100) });
    await add({ state: "running" });
    await add({ state: "deleted", objectKey: null });
    const over = [
      await add({ ...done, expiresAtUs: at(50) }),
      await add({ state: "cancelled" }),
      await add({ state: "failed" }),
      await add({ state: "deleted" }),
    ];
    await catalog.clock.advance(50_000);
    expect((await listResultsToRemove(catalog)).map(({ id }) => id).sort()).toEqual(over.sort());
  });
});
