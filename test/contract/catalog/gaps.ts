import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { claimDue, commitStep } from "../../../src/catalog/recording-queue.js";
import { recordFoundFiles } from "../../../src/catalog/found-files.js";
import { gapBetween } from "../../../src/core/continuity.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording, RecordingId } from "../../../src/core/recording.js";
import type { Catalog } from "../../../src/catalog/catalog.js";
import type { RecordingPatch } from "../../../src/catalog/recording-row.js";
import { at, insertRow, recordOne, segmentFile, STREAM_A, STREAM_B, timeline } from "./builders.js";
import { openFresh, type TestedDialect } from "./dialects.js";

export function describeGaps(dialect: TestedDialect): void {
  describe("gaps", () => {
    it("are right when rows arrive out of order", async () => {
      const catalog = await openFresh(dialect);
      for (const sec of [8, 0, 20, 4]) await insertRow(catalog, sec);
      expect(await timeline(catalog)).toEqual([
        { startSec: 0, gapSec: null, missing: 0 },
        { startSec: 4, gapSec: 0, missing: 0 },
        { startSec: 8, gapSec: 0, missing: 0 },
        { startSec: 20, gapSec: 8, missing: 0 },
      ]);
    });

    it("count the numbers that nobody has, until the late segment comes", async () => {
      const catalog = await openFresh(dialect);
      await recordFoundFiles(catalog, [segmentFile(0), segmentFile(3)]);
      expect((await timeline(catalog))[1]).toMatchObject({ gapSec: 12, missing: 2 });
      await recordOne(catalog, segmentFile(2));
      expect((await timeline(catalog)).map(({ missing }) => missing)).toEqual([0, 1, 0]);
      await recordOne(catalog, segmentFile(1));
      expect((await timeline(catalog)).map(({ gapSec, missing }) => [gapSec, missing])).toEqual([
        [null, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ]);
    });

    it("are kept apart by path", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0);
      await insertRow(catalog, 60, { path: parsePathName("cam2") });
      expect((await timeline(catalog)).map(({ gapSec }) => gapSec)).toEqual([null, null]);
    });

    it("follow the end that an inspection finds", async () => {
      const catalog = await openFresh(dialect);
      const plain = { position: null };
      await recordFoundFiles(catalog, [segmentFile(0, plain), segmentFile(1, plain)]);
      expect((await timeline(catalog))[1]).toMatchObject({ gapSec: 4 });
      await inspect(catalog, at(0), { endUs: at(4) });
      expect((await timeline(catalog))[1]).toMatchObject({ gapSec: 0 });
    });

    it("are right for the old and the new neighbours of a segment whose start moves", async () => {
      const catalog = await openFresh(dialect);
      for (const sec of [0, 4, 20, 24]) await insertRow(catalog, sec, sec === 4 ? { step: "inspect" } : {});
      await inspect(catalog, at(4), { startUs: at(30), endUs: at(34) });
      expect(await timeline(catalog)).toEqual([
        { startSec: 0, gapSec: null, missing: 0 },
        { startSec: 20, gapSec: 16, missing: 0 },
        { startSec: 24, gapSec: 0, missing: 0 },
        { startSec: 30, gapSec: 2, missing: 0 },
      ]);
    });

    it("are right when the first segment moves behind the second", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0, { step: "inspect" });
      await insertRow(catalog, 10);
      await inspect(catalog, at(0), { startUs: at(20), endUs: at(24) });
      expect((await timeline(catalog)).map(({ startSec, gapSec }) => [startSec, gapSec])).toEqual([
        [10, null],
        [20, 6],
      ]);
    });

    it("follow the stream position that an inspection finds", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0, { position: { streamId: STREAM_A, segmentNumber: 0 } });
      await insertRow(catalog, 4, { step: "inspect" });
      await inspect(catalog, at(4), { position: { streamId: STREAM_A, segmentNumber: 3 } });
      expect((await timeline(catalog))[1]).toMatchObject({ missing: 2 });
    });

    it("leave out what is no media, and what only a hook spoke of (F5)", async () => {
      const catalog = await openFresh(dialect);
      await recordFoundFiles(catalog, [segmentFile(0), segmentFile(1), segmentFile(2)]);
      await inspect(catalog, at(4), { local: "quarantined" });
      expect((await timeline(catalog))[2]).toMatchObject({ missing: 1 });
      await insertRow(catalog, 6, { local: "missing", fileIdentity: null, bytes: 0, mediaDurationUs: null });
      await recordOne(catalog, segmentFile(5));
      expect((await timeline(catalog)).map(({ startSec, missing }) => [startSec, missing])).toEqual([
        [0, 0],
        [4, 0],
        [6, 0],
        [8, 1],
        [20, 2],
      ]);
    });

    it("are right for segments that start at the same instant", async () => {
      const catalog = await openFresh(dialect);
      await recordFoundFiles(catalog, [segmentFile(0), segmentFile(1)]);
      const twin = { position: { streamId: STREAM_B, segmentNumber: 0 }, filePath: "cam1/twin.mp4" };
      await recordOne(catalog, segmentFile(1, twin));
      await insertRow(catalog, 30);
      expect((await timeline(catalog)).map(({ startSec, gapSec, missing }) => [startSec, gapSec, missing])).toEqual([
        [0, null, 0],
        [4, 0, 0],
        [4, 0, 0],
        [30, 26, 0],
      ]);
    });

    it("always are what the neighbours say, after any history of inserts and moves", async () => {
      const catalog = await openFresh(dialect);
      let run = 0;
      const move = fc.record({ index: fc.nat(5), start: fc.nat(60), length: fc.nat(9) });
      const starts = fc.uniqueArray(fc.nat(60), { minLength: 2, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(starts, fc.array(move, { maxLength: 5 }), async (secs, moves) => {
          const path = parsePathName(`run${String((run += 1))}`);
          const ids: RecordingId[] = [];
          for (const sec of secs) ids.push((await insertRow(catalog, sec, { path, step: "inspect" })).id);
          for (const { index, start, length } of moves) {
            const id = ids[index % ids.length]!;
            await catalog
              .db("recordings")
              .where({ path })
              .update({ next_attempt_at_us: at(9_999) });
            await catalog
              .db("recordings")
              .where({ id })
              .update({ next_attempt_at_us: at(0), step: "inspect" });
            const [claimed] = await claimDue(catalog, { steps: ["inspect"], limit: 1, leaseMs: 1_000 });
            const patch = { startUs: at(start), endUs: at(start + length), step: "inspect" as const };
            await commitStep(catalog, claimed!, { patch });
          }
          await catalog.db("recordings").where({ path }).update({ step: null });
          expect(await gapsOf(catalog, path)).toEqual(await expectedGaps(catalog, path));
        }),
        { numRuns: 15 },
      );
    });

    it("are what the neighbours say when many segments move at once", async () => {
      const catalog = await openFresh(dialect);
      let run = 0;
      const move = fc.record({ from: fc.nat(300), to: fc.nat(300), length: fc.nat(9) });
      const moves = fc.uniqueArray(move, { selector: ({ from }) => from, minLength: 2, maxLength: 14 });
      await fc.assert(
        fc.asyncProperty(moves, fc.nat(9), async (all, still) => {
          const path = parsePathName(`run${String((run += 1))}`);
          for (const { from } of all) await insertRow(catalog, from, { path, step: "inspect" });
          for (let sec = 0; sec < still; sec += 1) await insertRow(catalog, sec * 30 + 0.5, { path });
          const claimed = await claimDue(catalog, { steps: ["inspect"], limit: 100, leaseMs: 1_000 });
          const commits = all.map(async ({ from, to, length }) => {
            const recording = claimed.find(({ startUs }) => startUs === at(from));
            const patch = { startUs: at(to), endUs: at(to + length), step: null };
            await commitStep(catalog, recording!, { patch });
          });
          await Promise.all(commits);
          expect(await gapsOf(catalog, path)).toEqual(await expectedGaps(catalog, path));
        }),
        { numRuns: 15 },
      );
    });
  });
}

/** Commits what an inspection of the row at this start found. */
async function inspect(catalog: Catalog, startUs: number, patch: RecordingPatch): Promise<void> {
  const claimed = await claimDue(catalog, { steps: ["inspect"], limit: 100, leaseMs: 1_000 });
  const recording = claimed.find((candidate) => candidate.startUs === startUs);
  if (recording === undefined) throw new Error("the row is not due");
  await commitStep(catalog, recording, { patch: { step: null, ...patch } });
  await catalog.db("recordings").update({ lease_owner: null });
}

interface GapRow {
  start_us: number;
  end_us: number;
  gap_before_us: number | null;
  missing_before: number;
}

async function rowsOf(catalog: Catalog, path: Recording["path"]): Promise<GapRow[]> {
  return (await catalog.db("recordings").where({ path }).orderBy(["start_us", "id"])) as GapRow[];
}

async function gapsOf(catalog: Catalog, path: Recording["path"]): Promise<unknown[]> {
  return (await rowsOf(catalog, path)).map((row) => [row.gap_before_us, row.missing_before]);
}

async function expectedGaps(catalog: Catalog, path: Recording["path"]): Promise<unknown[]> {
  const segments = (await rowsOf(catalog, path)).map((row) => ({
    startUs: row.start_us,
    endUs: row.end_us,
    position: null,
    partial: false,
  }));
  return segments.map((segment, index) => {
    const before = segments[index - 1];
    if (before === undefined) return [null, 0];
    const { gapUs, missing } = gapBetween(before, segment);
    return [gapUs, missing];
  });
}
