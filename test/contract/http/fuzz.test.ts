/** Whatever comes in: an answer, soon, and never a failure of ours (F60). */
import { connect } from "node:net";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Recording } from "../../../src/core/recording.js";
import { ask, type Answered } from "../../support/http-ask.js";
import { HOOK_SECRET, type HttpHarness, startHttp } from "../../support/http-harness.js";
import { addFile, addRow } from "../../support/http-rows.js";
import { PATIENCE } from "../../support/patience.js";

const CONTENT = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const RUNS = { numRuns: 300 };
const ANSWER_WITHIN_MS = 2_000 * PATIENCE;

let http: HttpHarness;
let recording: Recording;

beforeAll(async () => {
  http = await startHttp();
  recording = await addFile(http, 1, { content: CONTENT });
  for (let sec = 10; sec < 20; sec += 1) await addRow(http.catalog, sec);
});
afterAll(async () => {
  expect(http.log.filter(({ message }) => message === "request failed")).toEqual([]);
  await http.close();
});

async function answered(promise: Promise<Answered>): Promise<Answered> {
  const startedMs = performance.now();
  const answer = await promise;
  expect(performance.now() - startedMs).toBeLessThan(ANSWER_WITHIN_MS);
  expect(answer.status).toBeLessThan(500);
  return answer;
}

/** What a header may hold at all; Node's client refuses the rest. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
});

describe("a Range header", () => {
  const bound = fc.oneof(
    fc.nat(1_100).map(String),
    fc.constantFrom("", "0", "999", "1000", "-1", "1e3", "9".repeat(400)),
  );
  const wellFormed = fc.tuple(bound, bound).map(([first, last]) => `bytes=${first}-${last}`);
  const anyRange = fc.oneof(
    wellFormed,
    fc.array(wellFormed, { maxLength: 50 }).map((ranges) => ranges.join(", ")),
    fc.tuple(fc.constantFrom("bytes=", "bytes ", "items=", ""), headerText).map((parts) => parts.join("")),
    headerText,
  );

  it("gets the bytes it asks for, all of them, or 416", async () => {
    const target = `/api/v1/recordings/${recording.id}/file`;
    await fc.assert(
      fc.asyncProperty(anyRange, fc.option(headerText), async (range, ifRange) => {
        const headers = { range, ...(ifRange === null ? {} : { "if-range": ifRange }) };
        const { status, bytes, headers: received } = await answered(ask(http, target, { headers }));
        expect([200, 206, 416]).toContain(status);
        if (status === 200) expect(bytes.equals(CONTENT)).toBe(true);
        if (status !== 206) return;
        const [, first = "", last = ""] = /^bytes (\d+)-(\d+)\/1000$/.exec(received["content-range"] ?? "") ?? [];
        expect(bytes.equals(CONTENT.subarray(Number(first), Number(last) + 1))).toBe(true);
      }),
      RUNS,
    );
  });
});

describe("a query", () => {
  const name = fc.constantFrom("path", "from", "to", "state", "order", "limit", "cursor", "total", "__proto__", "x");
  const value = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "cam1",
      "present",
      "newest",
      "true",
      "10",
      "2026-11-20T00:00:00Z",
      "__proto__",
      "constructor",
      "\0",
    ),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.integer().map(String),
  );
  const anyQuery = fc.oneof(
    fc
      .array(fc.tuple(name, value), { maxLength: 6 })
      .map((pairs) => new URLSearchParams(pairs.map(([k, v]): [string, string] => [k, v])).toString()),
    fc.webQueryParameters(),
    fc.string({
      unit: fc.constantFrom("%", "&", "=", "+", "?", "[", "]", "2", "f", "0", ";", ",", ".", "\\", "/", "'", '"'),
    }),
  );

  it("gets a page or a refusal", async () => {
    await fc.assert(
      fc.asyncProperty(anyQuery, async (query) => {
        const { status } = await answered(ask(http, `/api/v1/recordings?${query}`));
        expect([200, 400]).toContain(status);
      }),
      RUNS,
    );
  });

  it("gets a page or a refusal for any cursor, also one that looks like ours", async () => {
    const inside = fc.oneof(
      fc.tuple(
        fc.constantFrom("newest", "oldest", "constructor"),
        fc.oneof(fc.maxSafeInteger(), fc.double(), fc.string()),
        fc.oneof(fc.uuid(), fc.string()),
      ),
      fc.jsonValue(),
    );
    const cursor = fc.oneof(
      inside.map((content) => Buffer.from(JSON.stringify(content)).toString("base64url")),
      fc.base64String(),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(cursor, fc.constantFrom("newest", "oldest"), async (text, order) => {
        const query = new URLSearchParams({ cursor: text, order }).toString();
        const { status } = await answered(ask(http, `/api/v1/recordings?${query}`));
        expect([200, 400]).toContain(status);
      }),
      RUNS,
    );
  });
});

describe("the body of a hook", () => {
  const field = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "cam1",
      "/recordings/cam1/2026-11-20/1795132800-000000.mp4",
      "/recordings/cam1/2026-11-20/../../../etc/passwd",
      "/recordings/cam1/1970-01-01/0-000000.mp4",
      "/recordings/cam1/2026-02-30_25-61-61-000000.mp4",
      "/recordings/cam1/9999-12-31_23-59-59-999999.ts",
      "",
      "4.0",
    ),
  );
  const fields = fc.record(
    { path: field, segmentPath: field, segmentDuration: field, sourceType: field, sourceId: field, __proto__: field },
    { requiredKeys: [] },
  );
  const kind = fc.constantFrom("segment-create", "segment-complete", "ready", "not-ready");

  it("is heard or refused, as JSON", async () => {
    const body = fc.oneof(
      fields.map((given) => JSON.stringify({ ...given, secret: HOOK_SECRET })),
      fields.map((given) => JSON.stringify(given)),
      fc.json(),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(kind, body, fc.boolean(), async (hook, text, isKnown) => {
        const headers = {
          "content-type": "application/json",
          ...(isKnown ? { authorization: `Bearer ${HOOK_SECRET}` } : {}),
        };
        const { status } = await answered(ask(http, `/hooks/${hook}`, { method: "POST", headers, body: text }));
        expect([202, 400, 401]).toContain(status);
      }),
      RUNS,
    );
  });

  it("is heard or refused, as a form", async () => {
    const body = fc.oneof(
      fc.webQueryParameters(),
      fc.string(),
      fields.map((given) =>
        new URLSearchParams(
          Object.entries(given).map(([key, is]): [string, string] => [
            key,
            typeof is === "string" ? is : JSON.stringify(is),
          ]),
        ).toString(),
      ),
    );
    await fc.assert(
      fc.asyncProperty(kind, body, async (hook, text) => {
        const headers = {
          "content-type": "application/x-www-form-urlencoded",
          authorization: `Bearer ${HOOK_SECRET}`,
        };
        const { status } = await answered(ask(http, `/hooks/${hook}`, { method: "POST", headers, body: text }));
        expect([202, 400, 413]).toContain(status);
      }),
      RUNS,
    );
  });
});

describe("the settings of a path", () => {
  it("are taken or refused", async () => {
    const key = fc.constantFrom(
      "name",
      "source",
      "record",
      "recordSegmentDuration",
      "labels",
      "localRetention",
      "__proto__",
    );
    const value = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: "binary" }),
      fc.webUrl({ validSchemes: ["rtsp", "http", "srt"], withQueryParameters: true }),
      fc.constantFrom("cam1", "4s", "1d", "publisher"),
    );
    const body = fc.oneof(fc.dictionary(key, value), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(body, fc.constantFrom("POST", "PATCH"), async (given, method) => {
        const target = method === "POST" ? "/api/v1/paths" : "/api/v1/paths/cam1";
        const headers = { "content-type": "application/json" };
        await answered(ask(http, target, { method, headers, body: JSON.stringify(given) }));
      }),
      RUNS,
    );
  });
});

describe("bytes that are no HTTP", () => {
  it("are answered or cut off, and the server goes on", async () => {
    const line = fc.constantFrom("GET /health HTTP/1.1", "GET / HTTP/0.9", "POST /hooks/ready HTTP/1.1", "FOO", "");
    const head = fc.constantFrom(
      "Host: localhost",
      "Host: a\r\nHost: b",
      "Content-Length: -1",
      "Content-Length: 9\r\nContent-Length: 1",
      "Transfer-Encoding: chunked, chunked",
      "X\0: 1",
      "Range: bytes=\x80-",
    );
    await fc.assert(
      fc.asyncProperty(
        line,
        fc.array(head, { maxLength: 3 }),
        fc.uint8Array({ maxLength: 200 }),
        async (first, heads, rest) => {
          await new Promise<void>((resolve) => {
            const socket = connect(http.port, "127.0.0.1", () => {
              socket.end(Buffer.concat([Buffer.from([first, ...heads, "", ""].join("\r\n"), "latin1"), rest]));
            });
            socket.resume();
            socket.once("error", () => resolve());
            socket.once("close", () => resolve());
          });
        },
      ),
      { numRuns: 150 },
    );
    expect((await ask(http, "/health")).status).toBe(200);
  });

  it("that arrive a byte at a time keep nobody else waiting", async () => {
    const slow = Array.from({ length: 100 }, () => connect(http.port, "127.0.0.1"));
    for (const socket of slow) {
      socket.on("error", () => undefined);
      socket.write("GET /health HTTP/1.1\r\nHost: lo");
    }
    await answered(ask(http, "/health"));
    for (const socket of slow) socket.destroy();
  });
});
