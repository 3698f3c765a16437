/** The list of recordings, one of them, and its deletion. */
import { describe, expect, it } from "vitest";

import { findRecording } from "../../../src/catalog/recordings.js";
import type { RecordingView } from "../../../src/contract/recordings.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { formatRfc3339 } from "../../../src/core/instant.js";
import { ARCHIVE_STATES } from "../../../src/core/recording.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addFile, addRow, at, dump } from "../../support/http-rows.js";

interface Page {
  readonly items: readonly RecordingView[];
  readonly nextCursor: string | null;
  readonly total?: number;
}

async function list(http: HttpHarness, query: Readonly<Record<string, string | number>> = {}): Promise<Page> {
  const parameters = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const answer = await ask(http, `/api/v1/recordings?${parameters.toString()}`);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json() as Page;
}

/** Seconds after the start of the day at which the items begin. */
const starts = ({ items }: Page): number[] => items.map(({ startAt }) => (Date.parse(startAt) * 1_000 - at(0)) / 1e6);
const time = (sec: number): string => formatRfc3339(at(sec));

describe("the list", () => {
  it("goes from the newest to the oldest, or the other way round", async () => {
    const http = await httpForTest();
    for (const sec of [4, 0, 8]) await addRow(http.catalog, sec);
    expect(starts(await list(http))).toEqual([8, 4, 0]);
    expect(starts(await list(http, { order: "oldest" }))).toEqual([0, 4, 8]);
    expect((await list(http)).nextCursor).toBeNull();
  });

  it.each([
    ["newest", 1],
    ["newest", 7],
    ["oldest", 100],
    ["oldest", 250],
  ] as const)("shows each of 250 once, %s first, %d at a time, while others come and go", async (order, limit) => {
    const http = await httpForTest();
    // Many begin in the same microsecond: the id decides then.
    const known = [];
    for (let index = 0; index < 250; index += 1) {
      known.push((await addRow(http.catalog, Math.floor(index / 5), { filePath: `cam1/${index}.mp4` })).id);
    }
    const seen: string[] = [];
    const times: string[] = [];
    for (let cursor: string | null | undefined, round = 0; cursor !== null; round += 1) {
      const page: Page = await list(http, { order, limit, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items.map(({ id }) => id));
      times.push(...page.items.map(({ startAt }) => startAt));
      cursor = page.nextCursor;
      // Before what was shown already, in both orders, and at the very place where a page may end.
      for (const sec of round < 5 ? [-10, 20 + round, 1_000] : []) {
        await addRow(http.catalog, sec, { filePath: `cam1/${round} ${sec}.mp4` });
      }
    }
    const counted = known.map((id) => seen.filter((other) => other === id).length);
    expect(counted).toEqual(known.map(() => 1));
    expect(new Set(seen).size).toBe(seen.length);
    const sorted = [...times].sort((left, right) => Date.parse(left) - Date.parse(right));
    expect(times).toEqual(order === "oldest" ? sorted : sorted.reverse());
  });

  it("filters by one path, by several, and by repeated parameters", async () => {
    const http = await httpForTest();
    for (const [sec, name] of ["cam1", "site/gate", "cam2", "cam1"].entries()) {
      await addRow(http.catalog, sec, { path: parsePathName(name) });
    }
    expect(starts(await list(http, { path: "cam1" }))).toEqual([3, 0]);
    expect(starts(await list(http, { path: "site/gate,cam2" }))).toEqual([2, 1]);
    const repeated = await ask(http, "/api/v1/recordings?path=site/gate&path=cam1&path=cam1");
    expect(starts(repeated.json() as Page)).toEqual([3, 1, 0]);
    expect(starts(await list(http, { path: "cam" }))).toEqual([]);
    const many = await ask(http, `/api/v1/recordings?path=${Array.from({ length: 101 }, () => "a").join(",")}`);
    expect(problemIn(many)).toMatchObject({ status: 400, errors: [{ field: "path" }] });
  });

  it("takes what overlaps the half-open range from … to, to the microsecond", async () => {
    const http = await httpForTest();
    await addRow(http.catalog, 10);
    const isIn = async (from: number | undefined, to: number | undefined): Promise<boolean> => {
      const query = {
        ...(from === undefined ? {} : { from: formatRfc3339(from) }),
        ...(to === undefined ? {} : { to: formatRfc3339(to) }),
      };
      return (await list(http, query)).items.length === 1;
    };
    const [start, end] = [at(10), at(14)];
    expect(await isIn(end, undefined)).toBe(false);
    expect(await isIn(end - 1, undefined)).toBe(true);
    expect(await isIn(undefined, start)).toBe(false);
    expect(await isIn(undefined, start + 1)).toBe(true);
    expect(await isIn(start, end)).toBe(true);
    expect(await isIn(start + 1, start + 2)).toBe(true);
    expect(await isIn(at(0), at(100))).toBe(true);
    expect(await isIn(at(14), at(10))).toBe(false);
  });

  it("takes a recording of unknown length where it starts, and a long one from far before", async () => {
    const http = await httpForTest();
    await addRow(http.catalog, 90_000, { endUs: at(90_000) });
    await addRow(http.catalog, 0, { endUs: at(86_400) });
    expect(starts(await list(http, { from: time(90_000) }))).toEqual([90_000]);
    expect(starts(await list(http, { from: time(86_399.999999), to: time(86_400) }))).toEqual([0]);
    expect(starts(await list(http, { from: time(86_400), to: time(90_000) }))).toEqual([]);
  });

  it("reads and writes times exactly, in any zone and with any number of digits", async () => {
    const http = await httpForTest();
    const { id } = await addRow(http.catalog, 0, { startUs: at(0.02294), endUs: at(12.635061) });
    const [item] = (await list(http)).items;
    expect(item).toMatchObject({
      id,
      startAt: "2026-11-20T00:00:00.02294Z",
      endAt: "2026-11-20T00:00:12.635061Z",
      durationSec: 12.612121,
    });
    for (const to of [
      "2026-11-20T01:00:00.022941+01:00",
      "2026-11-19t15:00:00.022941999-09:00",
      "2026-11-20 00:00:01z",
    ]) {
      expect((await list(http, { to })).items, to).toHaveLength(1);
    }
    // In a query an unescaped plus is a space.
    const plus = await ask(http, "/api/v1/recordings?to=2026-11-20T01:00:00.02294%2B01:00");
    expect((plus.json() as Page).items).toHaveLength(0);
    expect(problemIn(await ask(http, "/api/v1/recordings?to=2026-11-20T01:00:00+01:00")).status).toBe(400);
    for (const to of ["9999-12-31T23:59:59.999999Z", "0000-01-01T00:00:00Z"]) {
      expect((await list(http, { to })).items, to).toHaveLength(to.startsWith("9") ? 1 : 0);
      expect((await list(http, { from: to })).items, to).toHaveLength(to.startsWith("9") ? 0 : 1);
    }
  });

  it("filters by states of the local and of the archived copy", async () => {
    const http = await httpForTest();
    await addRow(http.catalog, 0, { local: "present", archive: "none" });
    await addRow(http.catalog, 1, { local: "released", archive: "verified" });
    await addRow(http.catalog, 2, { local: "missing", archive: "none" });
    await addRow(http.catalog, 3, { local: "deleted", archive: "deleted" });
    const of = async (state: string) => starts(await list(http, { state, order: "oldest" }));
    expect(await of("present")).toEqual([0]);
    expect(await of("none")).toEqual([0, 2]);
    expect(await of("missing,verified")).toEqual([1, 2]);
    expect(await of("deleted")).toEqual([3]);
    expect(await of("quarantined")).toEqual([]);
  });

  it("counts all that match on request, and not otherwise", async () => {
    const http = await httpForTest();
    for (let sec = 0; sec < 5; sec += 1) await addRow(http.catalog, sec * 10);
    expect(await list(http, { total: "true", limit: 2 })).toMatchObject({ total: 5 });
    expect(await list(http, { total: "true", limit: 2, from: time(20), to: time(31) })).toMatchObject({ total: 2 });
    expect(await list(http, { limit: 2 })).not.toHaveProperty("total");
  });

  it("refuses a cursor that is changed, made up or of a list in the other order", async () => {
    const http = await httpForTest();
    for (const sec of [0, 1, 2]) await addRow(http.catalog, sec);
    const { nextCursor } = await list(http, { limit: 1 });
    const refuse = async (cursor: string, order = "newest") => {
      const answer = await ask(http, `/api/v1/recordings?cursor=${encodeURIComponent(cursor)}&order=${order}`);
      expect(problemIn(answer), cursor).toMatchObject({ status: 400, errors: [{ field: "cursor" }] });
    };
    const own = nextCursor!;
    await refuse(own, "oldest");
    await refuse(`${own}=`);
    await refuse(own.slice(0, -1));
    await refuse(` ${own}`);
    const forge = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const id = "0190a000-0000-7000-8000-000000000001";
    for (const value of [
      ["newest", "1", id],
      ["newest", 1.5, id],
      ["newest", 1e300, id],
      ["newest", 1, "1 or 1=1"],
      ["newest", 1, id, 1],
      { 0: "newest", 1: 1, 2: id, length: 3 },
      [],
      { __proto__: null },
    ]) {
      await refuse(forge(value));
    }
    expect(starts(await list(http, { cursor: own, limit: 10 }))).toEqual([1, 0]);
  });
});

describe("one recording", () => {
  it("shows what the row says, in units that people read", async () => {
    const http = await httpForTest({ publicUrl: "https://media.example" });
    const { id } = await addRow(http.catalog, 1, {
      path: parsePathName("site/gate"),
      bytes: 123,
      mediaDurationUs: 3_999_999,
      partial: true,
      gapBeforeUs: 0,
      missingBefore: 2,
      position: { streamId: "0a5c1b1e-0000-4000-8000-00000000000a", segmentNumber: 7 },
      archive: "verified",
      objectKey: "site/gate/2026/11/20/a b?#%.mp4",
      sha256: "ab".repeat(32),
      verifiedAtUs: at(9),
      error: "put to https://key:s3cret@bucket/x: 503",
      tracks: [
        { kind: "video", id: 1, codec: "avc1.42c028", timescale: 90_000, widthPx: 320, heightPx: 180, frameRate: null },
        { kind: "audio", id: 2, codec: "mp4a.40.2", timescale: 48_000, sampleRateHz: 48_000, channels: 2 },
        { kind: "other", id: 3, codec: "klv", timescale: 1_000 },
      ],
    });
    const answer = await ask(http, `/api/v1/recordings/${id}`);
    expect(answer.json()).toMatchObject({
      id,
      path: "site/gate",
      durationSec: 4,
      mediaDurationSec: 3.999999,
      bytes: 123,
      partial: true,
      streamId: "0a5c1b1e-0000-4000-8000-00000000000a",
      segmentNumber: 7,
      publicUrl: "https://media.example/site/gate/2026/11/20/a%20b%3F%23%25.mp4",
      verifiedAt: "2026-11-20T00:00:09Z",
      error: "put to https://key:***@bucket/x: 503",
      tracks: [
        { kind: "video", codec: "avc1.42c028", width: 320, height: 180, frameRate: null },
        { kind: "audio", codec: "mp4a.40.2", sampleRate: 48_000, channels: 2 },
        { kind: "other", codec: "klv" },
      ],
    });
    expect((await list(http)).items).toEqual([answer.json()]);
  });
});

describe("the public address of an object", () => {
  it.each(ARCHIVE_STATES)("is shown only while it is proven, here %s", async (archive) => {
    const http = await httpForTest({ publicUrl: "https://media.example" });
    const { id } = await addRow(http.catalog, 1, { archive, objectKey: "cam1/x.mp4" });
    const shown = (await ask(http, `/api/v1/recordings/${id}`)).json() as { publicUrl: string | null };
    expect(shown.publicUrl).toBe(archive === "verified" ? "https://media.example/cam1/x.mp4" : null);
  });
});

describe("deleting a recording", () => {
  it("answers at once, queues the removal of both copies and keeps the row as a tombstone", async () => {
    const http = await httpForTest();
    const recording = await addFile(http, 1, {
      content: Buffer.from("media"),
      archived: true,
      changes: { step: "release", attempts: 3, error: "store: 503", nextAttemptAtUs: at(9_999) },
    });
    const answer = await ask(http, `/api/v1/recordings/${recording.id}`, { method: "DELETE" });
    expect([answer.status, answer.json()]).toEqual([202, { accepted: true }]);
    expect(await findRecording(http.catalog, recording.id)).toMatchObject({
      step: "delete",
      attempts: 0,
      error: null,
      nextAttemptAtUs: http.catalog.clock.nowUs(),
      local: "present",
      archive: "verified",
    });
    expect(http.woken.times).toBe(1);
    expect((await ask(http, `/api/v1/recordings/${recording.id}`, { method: "DELETE" })).status).toBe(202);
  });

  it("is refused while MediaMTX writes the file, and nothing changes", async () => {
    const http = await httpForTest();
    const { id } = await addRow(http.catalog, 1, { local: "open", step: "settle" });
    const before = await dump(http.catalog);
    const answer = await ask(http, `/api/v1/recordings/${id}`, { method: "DELETE" });
    expect(problemIn(answer).status).toBe(409);
    expect(await dump(http.catalog)).toEqual(before);
    expect(http.woken.times).toBe(0);
  });

  it("that does not exist is not found", async () => {
    const http = await httpForTest();
    const target = "/api/v1/recordings/00000000-0000-4000-8000-000000000000";
    expect(problemIn(await ask(http, target, { method: "DELETE" })).status).toBe(404);
  });
});
