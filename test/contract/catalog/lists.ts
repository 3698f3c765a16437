import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { countObjectKeys } from "../../../src/catalog/archived-recordings.js";
import type { Catalog } from "../../../src/catalog/catalog.js";
import { listLatestRecordings } from "../../../src/catalog/latest-recordings.js";
import type { ListedRecording } from "../../../src/catalog/listed-recording.js";
import {
  countRecordings,
  listRecordings,
  type PageKey,
  type PageRequest,
  type RecordingFilter,
} from "../../../src/catalog/recording-lists.js";
import { findRecording } from "../../../src/catalog/recordings.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording, RecordingId } from "../../../src/core/recording.js";
import { at, CAM1, insertRow, read } from "./builders.js";
import { openFresh, type TestedDialect } from "./dialects.js";

const CAM2 = parsePathName("site/cam2");

export function describeLists(dialect: TestedDialect): void {
  it.each([1, 2, 3, 10])("objects are counted whole, %i at once", async (atOnce) => {
    const catalog = await openFresh(dialect);
    expect(await countObjectKeys(catalog, atOnce)).toBe(0);
    for (const sec of [0, 10, 20, 30]) await insertRow(catalog, sec, { objectKey: `Key/${sec}` });
    await insertRow(catalog, 40, { objectKey: null });
    expect(await countObjectKeys(catalog, atOnce)).toBe(4);
  });

  describe("lists of recordings", () => {
    it.each(["newest", "oldest"] as const)("give every recording once, %s first, page by page", async (order) => {
      const catalog = await openFresh(dialect);
      // Equal starts across and within page borders.
      for (const sec of [0, 10, 10, 10, 10, 20, 30, 30])
        await insertRow(catalog, sec, { filePath: `cam1/${Math.random()}` });
      const all = await listAll(catalog, {}, { order, limit: 100 });
      const expected = [...all].sort((a, b) => a.startUs - b.startUs || (a.id < b.id ? -1 : 1));
      expect(all).toHaveLength(8);
      expect(all).toEqual(order === "oldest" ? expected : expected.reverse());
      for (const limit of [1, 2, 3, 8]) {
        expect(await listAll(catalog, {}, { order, limit }), `limit ${limit}`).toEqual(all);
      }
    });

    it("say that a page is the last when it is", async () => {
      const catalog = await openFresh(dialect);
      for (const sec of [0, 10]) await insertRow(catalog, sec);
      const page = (limit: number) => listRecordings(catalog, {}, { order: "oldest", limit });
      expect((await page(2)).next).toBeUndefined();
      expect((await page(3)).next).toBeUndefined();
      expect((await page(1)).next).toMatchObject({ startUs: at(0) });
      expect(await listRecordings(await openFresh(dialect), {}, { order: "oldest", limit: 1 })).toEqual({
        items: [],
        next: undefined,
      });
    });

    it("are not confused by rows that come and go between pages", async () => {
      const catalog = await openFresh(dialect);
      for (const sec of [10, 20, 30, 40]) await insertRow(catalog, sec);
      const first = await listRecordings(catalog, {}, { order: "newest", limit: 2 });
      await insertRow(catalog, 50);
      await catalog
        .db("recordings")
        .where({ start_us: at(30) })
        .delete();
      const rest = await listRecordings(catalog, {}, { order: "newest", limit: 9, after: first.next! });
      expect(rest.items.map(({ startUs }) => startUs)).toEqual([at(20), at(10)]);
    });

    it.each([
      // The row lasts from 10 to 14.
      [4, 10, false],
      [4, 10.000_001, true],
      [13.999_999, 20, true],
      [14, 20, false],
      [11, 12, true],
      [0, 99, true],
      [10, 14, true],
    ])("hold what overlaps [%s, %s): %s", async (fromSec, toSec, isListed) => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 10);
      const filter = { fromUs: at(fromSec), toUs: at(toSec) };
      const page = await listRecordings(catalog, filter, { order: "newest", limit: 5 });
      expect(page.items).toHaveLength(isListed ? 1 : 0);
      expect(await countRecordings(catalog, filter)).toBe(isListed ? 1 : 0);
    });

    it("count a recording of unknown length where it starts", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 10, { endUs: at(10), mediaDurationUs: null });
      const count = (fromSec: number, toSec: number) =>
        countRecordings(catalog, { fromUs: at(fromSec), toUs: at(toSec) });
      expect([await count(10, 11), await count(9, 10), await count(10.1, 11)]).toEqual([1, 0, 0]);
    });

    it("hold a segment of a whole day that overlaps the range by its last second", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0, { endUs: at(86_400) });
      const filter = { fromUs: at(86_399), toUs: at(90_000) };
      expect((await listRecordings(catalog, filter, { order: "newest", limit: 5 })).items).toHaveLength(1);
    });

    it("are narrowed by paths, local and archived state", async () => {
      const catalog = await openFresh(dialect);
      const a = await insertRow(catalog, 0, { local: "present", archive: "verified" });
      const b = await insertRow(catalog, 10, { local: "released", archive: "verified" });
      const c = await insertRow(catalog, 20, { path: CAM2, local: "open", archive: "none" });
      const cases: [RecordingFilter, Recording[]][] = [
        [{}, [a, b, c]],
        [{ paths: [CAM1] }, [a, b]],
        [{ paths: [CAM2, CAM1] }, [a, b, c]],
        [{ paths: [parsePathName("absent")] }, []],
        [{ local: ["released", "open"] }, [b, c]],
        [{ archive: ["verified"] }, [a, b]],
        [{ local: ["open"], archive: ["verified"] }, [a, b, c]],
        [{ paths: [CAM1], local: ["open"], toUs: at(99) }, []],
        [{ local: [], archive: [] }, [a, b, c]],
      ];
      for (const [filter, expected] of cases) {
        const page = await listRecordings(catalog, filter, { order: "oldest", limit: 9 });
        expect(
          page.items.map(({ id }) => id),
          JSON.stringify(filter),
        ).toEqual(expected.map(({ id }) => id));
        expect(await countRecordings(catalog, filter)).toBe(expected.length);
      }
    });

    it("agree with a plain filter over all rows, whatever is asked", async () => {
      const catalog = await openFresh(dialect);
      const drawn = fc.sample(fc.record({ start: fc.nat(90), length: fc.nat(30), second: fc.boolean() }), {
        numRuns: 40,
        seed: 7,
      });
      for (const [index, { start, length, second }] of drawn.entries()) {
        const path = second ? CAM2 : CAM1;
        await insertRow(catalog, start, { path, endUs: at(start + length), filePath: `${path}/${index}` });
      }
      const all = (await listRecordings(catalog, {}, { order: "oldest", limit: 100 })).items;
      const query = fc.record({
        from: fc.option(fc.nat(120), { nil: undefined }),
        to: fc.option(fc.nat(120), { nil: undefined }),
        path: fc.option(fc.constantFrom(CAM1, CAM2), { nil: undefined }),
        limit: fc.integer({ min: 1, max: 12 }),
        order: fc.constantFrom("newest" as const, "oldest" as const),
      });
      await fc.assert(
        fc.asyncProperty(query, async ({ from, to, path, limit, order }) => {
          const filter: RecordingFilter = {
            ...(from === undefined ? {} : { fromUs: at(from) }),
            ...(to === undefined ? {} : { toUs: at(to) }),
            ...(path === undefined ? {} : { paths: [path] }),
          };
          const expected = all.filter(
            (found) =>
              (path === undefined || found.path === path) &&
              (to === undefined || found.startUs < at(to)) &&
              (from === undefined || found.endUs > at(from) || found.startUs >= at(from)),
          );
          if (order === "newest") expected.reverse();
          expect(await listAll(catalog, filter, { order, limit })).toEqual(expected);
        }),
        { numRuns: 25 },
      );
    });
  });

  describe("single rows", () => {
    it("come back from the database as they went in, to the last microsecond and byte", async () => {
      const catalog = await openFresh(dialect);
      const inserted = await insertRow(catalog, 0, {
        startUs: 1_795_194_283_022_941,
        endUs: Number.MAX_SAFE_INTEGER,
        bytes: Number.MAX_SAFE_INTEGER,
        filePath: "cam1/\u00fc \u{1f3a5} '\"%\n.mp4",
        position: { streamId: "s", segmentNumber: 4_294_967_295 },
        tracks: [
          {
            kind: "video",
            id: 1,
            codec: "avc1.42c028",
            timescale: 90_000,
            widthPx: 320,
            heightPx: 180,
            frameRate: null,
          },
          { kind: "other", id: 3, codec: "klv", timescale: 1_000 },
        ],
        ...{ partial: true, md5: "m", sha256: "s", uploadId: "u", verifiedAtUs: 5, objectKey: "k", error: "e" },
      });
      expect(await findRecording(catalog, inserted.id)).toEqual(inserted);
      expect(await findRecording(catalog, "absent" as RecordingId)).toBeUndefined();
    });

    it("that hold what no release writes are an error of ours, not worth another try", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0);
      await catalog.db("recordings").update({ tracks: "not json" });
      await expect(read(catalog, id)).rejects.toMatchObject({ kind: "internal" });
      await catalog.db("recordings").update({ tracks: '[{"kind":"smell"}]' });
      await expect(read(catalog, id)).rejects.toMatchObject({ kind: "internal" });
    });
  });

  it("tells the last recording of each path", async () => {
    const catalog = await openFresh(dialect);
    expect(await listLatestRecordings(catalog)).toEqual([]);
    for (const sec of [0, 30, 10]) await insertRow(catalog, sec);
    await insertRow(catalog, 5, { path: CAM2 });
    await insertRow(catalog, 7, { path: parsePathName("Z") });
    expect((await listLatestRecordings(catalog)).map(({ path, startUs }) => [path, startUs])).toEqual([
      ["Z", at(7)],
      [CAM1, at(30)],
      [CAM2, at(5)],
    ]);
  });
}

async function listAll(catalog: Catalog, filter: RecordingFilter, page: PageRequest): Promise<ListedRecording[]> {
  const items: ListedRecording[] = [];
  let after: PageKey | undefined;
  for (let pages = 0; pages < 100; pages += 1) {
    const answer = await listRecordings(catalog, filter, { ...page, ...(after === undefined ? {} : { after }) });
    expect(answer.items.length).toBeLessThanOrEqual(page.limit);
    items.push(...answer.items);
    after = answer.next;
    if (after === undefined) return items;
  }
  throw new Error("the pages never end");
}
