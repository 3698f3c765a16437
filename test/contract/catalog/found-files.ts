import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { claimDue, commitStep, noteProgress, releaseStaleLeases } from "../../../src/catalog/recording-queue.js";
import { findFilesInDirectory, listFilesOnDisk, listOnDisk } from "../../../src/catalog/files-on-disk.js";
import { recordFoundFiles } from "../../../src/catalog/found-files.js";
import { refreshGaps } from "../../../src/catalog/gaps.js";
import {
  findRecordingOnDisk,
  hasLaterRecording,
  markMissing,
  recordAbsentFile,
  requestDeletion,
} from "../../../src/catalog/recordings.js";
import type { FoundFile } from "../../../src/core/found-file.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { at, CAM1, countRows, insertRow, read, recordOne, row, segmentFile, STREAM_A, STREAM_B } from "./builders.js";
import { openFresh, openOn, type TestCatalog, type TestedDialect } from "./dialects.js";

/** Segment `number`, whose local copy a step has just removed. */
async function removed(catalog: TestCatalog, local: "released" | "deleted", number = 0): Promise<Recording> {
  const { id } = await recordOne(catalog, segmentFile(number));
  await catalog.db("recordings").where({ id }).update({ local: "present", step: "unlink" });
  const [claimed] = await claimDue(catalog, { steps: ["unlink"], limit: 1, leaseMs: 60_000 });
  if (claimed === undefined) throw new Error("the row is due");
  const { filePath: name, fileIdentity, bytes } = claimed;
  const why = { sha256: null, reason: "retention", proof: null };
  await noteProgress(catalog, claimed, {
    patch: { local: "trashed" },
    removal: { recordingId: id, what: "local", name, fileIdentity, bytes, ...why },
  });
  // What stands in the trash may wait for days: only then is it gone.
  await catalog.clock.advance(86_400_000);
  await releaseStaleLeases(catalog);
  const [due] = await claimDue(catalog, { steps: ["unlink"], limit: 1, leaseMs: 60_000 });
  if (due === undefined) throw new Error("the row is due again");
  await commitStep(catalog, due, { patch: { local, step: null } });
  return read(catalog, id);
}

export function describeFoundFiles(dialect: TestedDialect): void {
  describe("recording found files", () => {
    it("inserts what is new, to be inspected at once", async () => {
      const catalog = await openFresh(dialect);
      const found = segmentFile(0, { origin: "hook" });
      const { id, finding } = await recordOne(catalog, found);
      expect(finding).toBe("insert");
      const { closed, ...facts } = found;
      expect(closed).toBe(true);
      expect(await read(catalog, id)).toMatchObject({
        ...facts,
        endUs: found.startUs,
        nodeId: "node-1",
        local: "present",
        archive: "none",
        step: "inspect",
        nextAttemptAtUs: catalog.clock.nowUs(),
        gapBeforeUs: null,
        missingBefore: 0,
      });
    });

    it("waits for an open file to settle, and looks at it once it is closed", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0, { closed: false }));
      expect(await read(catalog, id)).toMatchObject({ local: "open", step: "settle" });
      expect(await recordOne(catalog, segmentFile(0))).toEqual({ id, finding: "refresh" });
      expect(await read(catalog, id)).toMatchObject({ local: "present", step: "inspect" });
    });

    it("changes nothing for a file that the row describes", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      const before = await read(catalog, id);
      await catalog.clock.advance(5_000);
      expect(await recordOne(catalog, segmentFile(0, { origin: "hook" }))).toEqual({ id, finding: "unchanged" });
      expect(await read(catalog, id)).toEqual(before);
    });

    it("makes one row of ten hooks for one file at once (F3)", async () => {
      const catalog = await openFresh(dialect);
      const results = await Promise.all(
        Array.from({ length: 10 }, () => recordOne(catalog, segmentFile(0, { origin: "hook" }))),
      );
      expect(new Set(results.map(({ id }) => id)).size).toBe(1);
      expect(results.filter(({ finding }) => finding === "insert")).toHaveLength(1);
      expect(await countRows(catalog)).toBe(1);
    });

    it("makes one row of hooks for a file that is not there yet, and of the file, all at once (F3, F5, F6)", async () => {
      const target = await dialect.freshTarget();
      const catalogs = await Promise.all([openOn(target), openOn(target)]);
      const { filePath } = segmentFile(0);
      const absent = row(0, { filePath, local: "missing", fileIdentity: null, bytes: 0, endUs: at(0) });
      const notes = await Promise.all([0, 1, 2, 3, 4, 5].map((hook) => recordAbsentFile(catalogs[hook % 2]!, absent)));
      const found = await recordOne(catalogs[0], segmentFile(0));
      expect(new Set([found.id, ...notes.map(({ id }) => id)]).size).toBe(1);
      expect(notes.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(await recordAbsentFile(catalogs[1], absent)).toEqual({ id: found.id, isNew: false });
      expect(await countRows(catalogs[0])).toBe(1);
    });

    it("makes one row when two processes find one file at once (F3)", async () => {
      const target = await dialect.freshTarget();
      const catalogs = await Promise.all([openOn(target), openOn(target), openOn(target)]);
      const files = Array.from({ length: 8 }, (_, number) => segmentFile(number));
      await Promise.all(catalogs.map((catalog) => recordFoundFiles(catalog, files)));
      expect(await countRows(catalogs[0])).toBe(8);
    });

    it("looks again at a file that grew, and takes the lease from whoever works on the old bytes (F9)", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      await catalog.db("recordings").update({ archive: "verified", object_key: "k", sha256: "aa", attempts: 3 });
      await claimDue(catalog, { steps: ["inspect"], limit: 1, leaseMs: 60_000 });
      const grown = segmentFile(0, { fileIdentity: "1:100:2000:9", bytes: 2_000 });
      expect((await recordOne(catalog, grown)).finding).toBe("refresh");
      expect(await read(catalog, id)).toMatchObject({
        bytes: 2_000,
        fileIdentity: "1:100:2000:9",
        step: "inspect",
        attempts: 0,
        archive: "verified",
        sha256: "aa",
      });
      expect(await claimDue(catalog, { steps: ["inspect"], limit: 1, leaseMs: 60_000 })).toHaveLength(1);
    });

    it("keeps what mtxi said when a later look cannot read it", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(3));
      const touched = segmentFile(3, { position: null, startUs: at(12.5), fileIdentity: "1:103:1000:9" });
      expect((await recordOne(catalog, touched)).finding).toBe("refresh");
      expect(await read(catalog, id)).toMatchObject({
        position: { streamId: STREAM_A, segmentNumber: 3 },
        startUs: at(12),
        fileIdentity: "1:103:1000:9",
      });
    });

    it("gives another recording of the same name a row of its own (F35)", async () => {
      const catalog = await openFresh(dialect);
      const first = await recordOne(catalog, segmentFile(0));
      const other = segmentFile(0, {
        position: { streamId: STREAM_B, segmentNumber: 0 },
        fileIdentity: "1:100:500:9",
        bytes: 500,
      });
      const second = await recordOne(catalog, other);
      expect(second.finding).toBe("replace");
      expect(second.id).not.toBe(first.id);
      expect(await read(catalog, first.id)).toMatchObject({ local: "missing", step: null });
      expect(await findRecordingOnDisk(catalog, other.filePath)).toMatchObject({ id: second.id, local: "present" });
      expect((await recordOne(catalog, other)).finding).toBe("unchanged");
    });

    it("still deletes the archived copy of an overwritten recording when a person asked for it (F35)", async () => {
      const catalog = await openFresh(dialect);
      const first = await recordOne(catalog, segmentFile(0));
      await requestDeletion(catalog, first.id);
      const other = { position: { streamId: STREAM_B, segmentNumber: 0 }, fileIdentity: "1:100:500:9" };
      await recordOne(catalog, segmentFile(0, other));
      expect(await read(catalog, first.id)).toMatchObject({ local: "missing", step: "delete" });
    });

    it.each(["missing", "released"] as const)("adopts a %s row whose file is back (F39)", async (local) => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      await catalog.db("recordings").update({ local, archive: "verified", object_key: "k", step: null });
      const back = segmentFile(0, { fileIdentity: "9:9:1000:9" });
      expect(await recordOne(catalog, back)).toEqual({ id, finding: "insert" });
      expect(await read(catalog, id)).toMatchObject({
        local: "present",
        archive: "verified",
        objectKey: "k",
        step: "inspect",
        fileIdentity: "9:9:1000:9",
      });
      expect(await countRows(catalog)).toBe(1);
    });

    it("adopts by name and length where files hold no numbers, although the name rounds the start (F39)", async () => {
      const catalog = await openFresh(dialect);
      const plain = { position: null, filePath: "cam1/a.ts", format: "mpegts" as const };
      const { id } = await recordOne(catalog, segmentFile(0, plain));
      await catalog.db("recordings").update({ local: "released", start_us: at(0.4), end_us: at(4) });
      expect((await recordOne(catalog, segmentFile(0, { ...plain, fileIdentity: "9:9:1000:9" }))).id).toBe(id);
      await catalog.db("recordings").update({ local: "released" });
      const longer = segmentFile(0, { ...plain, fileIdentity: "9:9:1001:9", bytes: 1_001 });
      expect((await recordOne(catalog, longer)).id).not.toBe(id);
    });

    it("adopts the row of a file that a hook named before it could be seen (F6)", async () => {
      const catalog = await openFresh(dialect);
      const early = await insertRow(catalog, 0, {
        ...{ filePath: "cam1/0000.mp4", local: "missing", fileIdentity: null, bytes: 0, mediaDurationUs: null },
        endUs: at(0),
      });
      expect((await recordOne(catalog, segmentFile(0))).id).toBe(early.id);
      expect(await read(catalog, early.id)).toMatchObject({ local: "present", bytes: 1_000, step: "inspect" });
    });

    it.each(["deleted", "trashed", "quarantined"] as const)("does not adopt a %s row", async (local) => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      await catalog.db("recordings").update({ local, file_path: "cam1/elsewhere.mp4" });
      expect((await recordOne(catalog, segmentFile(0))).id).not.toBe(id);
    });

    it.each(["released", "deleted"] as const)(
      "does not bring a %s row back for a look at the file from before its removal (F59)",
      async (local) => {
        const catalog = await openFresh(dialect);
        const { id } = await removed(catalog, local);
        await catalog.clock.advance(599_000);
        expect(await recordOne(catalog, segmentFile(0))).toEqual({ id, finding: "unchanged" });
        expect(await read(catalog, id)).toMatchObject({ local, step: null });
        expect(await countRows(catalog)).toBe(1);
      },
    );

    it("takes another file of the name at once, and the very same one again when it stays after its removal", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await removed(catalog, "released");
      expect((await recordOne(catalog, segmentFile(0, { fileIdentity: "1:101:1000:5" }))).finding).toBe("insert");
      expect(await read(catalog, id)).toMatchObject({ local: "present", step: "inspect" });
      const other = await openFresh(dialect);
      const again = await removed(other, "released");
      await other.clock.advance(601_000);
      expect(await recordOne(other, segmentFile(0))).toEqual({ id: again.id, finding: "insert" });
      expect(await read(other, again.id)).toMatchObject({ local: "present", step: "inspect" });
    });

    it("takes the file of a released row that we did not remove, as of a rebuilt database (F39)", async () => {
      const catalog = await openFresh(dialect);
      await removed(catalog, "released", 1);
      const { id } = await recordOne(catalog, segmentFile(0));
      await catalog.db("recordings").where({ id }).update({ local: "released", step: null, origin: "rebuild" });
      expect(await recordOne(catalog, segmentFile(0))).toEqual({ id, finding: "insert" });
      expect(await read(catalog, id)).toMatchObject({ local: "present", step: "inspect" });
    });

    it("does not forget that a person asked for the deletion of a file that still grows", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0, { closed: false }));
      await requestDeletion(catalog, id);
      await recordOne(catalog, segmentFile(0, { fileIdentity: "1:100:2000:9", bytes: 2_000 }));
      expect(await read(catalog, id)).toMatchObject({ step: "delete", bytes: 2_000 });
    });

    it("rolls a batch back whole when one of it cannot be stored", async () => {
      const catalog = await openFresh(dialect);
      const bad = segmentFile(1, { format: "webm" as FoundFile["format"] });
      await expect(recordFoundFiles(catalog, [segmentFile(0), bad])).rejects.toMatchObject({ kind: "internal" });
      expect(await countRows(catalog)).toBe(0);
      await recordOne(catalog, segmentFile(0));
    });

    it("ends in the same state whatever the order and the repeats (F4)", async () => {
      const catalog = await openFresh(dialect);
      const numbers = [0, 1, 2, 4, 7];
      let run = 0;
      const told = fc.shuffledSubarray([...numbers, ...numbers, ...numbers], { minLength: 15 });
      await fc.assert(
        fc.asyncProperty(told, fc.integer({ min: 1, max: 5 }), async (order, batch) => {
          const path = parsePathName(`run${String((run += 1))}`);
          for (let first = 0; first < order.length; first += batch) {
            const files = order.slice(first, first + batch).map((number) => segmentFile(number, { path }));
            await recordFoundFiles(catalog, files);
          }
          const rows = (await catalog.db("recordings").where({ path }).orderBy("start_us")) as Record<
            string,
            unknown
          >[];
          expect(rows.map((row) => [row["file_path"], Number(row["missing_before"]), row["gap_before_us"]])).toEqual([
            [`${path}/0000.mp4`, 0, null],
            [`${path}/0001.mp4`, 0, 0],
            [`${path}/0002.mp4`, 0, 0],
            [`${path}/0004.mp4`, 1, 8_000_000],
            [`${path}/0007.mp4`, 2, 12_000_000],
          ]);
        }),
        { numRuns: 12 },
      );
    });

    it("does to many at once what it does to one after the other", async () => {
      const catalog = await openFresh(dialect);
      let run = 0;
      const state = fc.constantFrom("present", "open", "released", "missing", "trashed", "quarantined");
      const before = fc.uniqueArray(fc.tuple(fc.nat(4), state), { selector: ([number]) => number });
      const told = fc.record({
        number: fc.nat(4),
        /** Far from the others, so that it has neighbours of its own. */
        isFar: fc.boolean(),
        bytes: fc.constantFrom(500, 1_000, 2_000),
        streamId: fc.constantFrom(null, STREAM_A, STREAM_A, STREAM_B),
        closed: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(before, fc.array(told, { minLength: 2, maxLength: 9 }), async (known, files) => {
          const ends: unknown[] = [];
          for (const most of [1, files.length]) {
            const path = parsePathName(`run${String((run += 1))}`);
            for (const [number, local] of known) {
              const { id } = await recordOne(catalog, segmentFile(number, { path }));
              await catalog.db("recordings").where({ id }).update({ local });
              await refreshGaps(catalog.db, [await read(catalog, id)]);
            }
            const found = files.map((file) => toldFile(path, file));
            const findings: string[] = [];
            for (let first = 0; first < found.length; first += most) {
              const results = await recordFoundFiles(catalog, found.slice(first, first + most));
              findings.push(...results.map(({ finding }) => finding));
            }
            ends.push({ findings, rows: await withoutNames(catalog, path) });
          }
          expect(ends[1]).toEqual(ends[0]);
        }),
        { numRuns: dialect.name === "SQLite" ? 60 : 20 },
      );
    });
  });

  describe("rows by file", () => {
    it("finds those directly in a directory, not below and not beside it (F49)", async () => {
      const catalog = await openFresh(dialect);
      const names = [
        "cam1/a.mp4",
        "cam1/\u00e9.mp4",
        "cam1/~ z'\n%.mp4",
        "cam1/sub/b.mp4",
        "cam10/c.mp4",
        "cam1-x/d.mp4",
      ];
      for (const [index, filePath] of names.entries()) await insertRow(catalog, index * 10, { filePath });
      await insertRow(catalog, 90, { filePath: "cam1/gone.mp4", local: "released" });
      const found = await findFilesInDirectory(catalog, "cam1");
      expect([...found.keys()].sort()).toEqual(["cam1/a.mp4", "cam1/\u00e9.mp4", "cam1/~ z'\n%.mp4"].sort());
      expect([...(await findFilesInDirectory(catalog, "cam1/sub")).keys()]).toEqual(["cam1/sub/b.mp4"]);
    });

    it("sees only the files of its own machine", async () => {
      const target = await dialect.freshTarget();
      const [mine, other] = [await openOn(target, { nodeId: "n1" }), await openOn(target, { nodeId: "n2" })];
      await recordOne(mine, segmentFile(0));
      expect(await findRecordingOnDisk(other, "cam1/0000.mp4")).toBeUndefined();
      expect((await findFilesInDirectory(other, "cam1")).size).toBe(0);
    });

    it("lists all that should be on disk by name, over page borders", async () => {
      const catalog = await openFresh(dialect);
      const files = Array.from({ length: 1_003 }, (_, number) => segmentFile(number));
      await recordFoundFiles(catalog, files);
      await catalog.db("recordings").where({ file_path: "cam1/0500.mp4" }).update({ local: "released" });
      for (const list of [listOnDisk, listFilesOnDisk]) {
        const listed: string[] = [];
        for await (const { filePath } of list(catalog)) listed.push(filePath);
        expect(listed).toEqual(files.map(({ filePath }) => filePath).filter((name) => name !== "cam1/0500.mp4"));
      }
    });

    it("knows whether a later segment of the path exists", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 10);
      await insertRow(catalog, 90, { path: parsePathName("cam2") });
      expect(await hasLaterRecording(catalog, CAM1, at(9))).toBe(true);
      expect(await hasLaterRecording(catalog, CAM1, at(10))).toBe(false);
    });
  });

  describe("marking as missing", () => {
    it("says so and ends what was due", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      expect(await markMissing(catalog, await read(catalog, id), "the file vanished")).toBe(true);
      expect(await read(catalog, id)).toMatchObject({ local: "missing", step: null, error: "the file vanished" });
    });

    it("does nothing when the file was found anew since it was looked for", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      const seen: Recording = await read(catalog, id);
      await recordOne(catalog, segmentFile(0, { fileIdentity: "1:100:1000:9" }));
      expect(await markMissing(catalog, seen, "the file vanished")).toBe(false);
      expect(await read(catalog, id)).toMatchObject({ local: "present", step: "inspect" });
    });

    it("leaves a deletion due that a person asked for", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      await requestDeletion(catalog, id);
      await markMissing(catalog, await read(catalog, id), "the file vanished");
      expect(await read(catalog, id)).toMatchObject({ local: "missing", step: "delete" });
    });
  });

  it("requests a deletion once, and only of what exists", async () => {
    const catalog = await openFresh(dialect);
    const { id } = await insertRow(catalog, 0, { attempts: 7, nextAttemptAtUs: at(9_999), error: "timeout" });
    await requestDeletion(catalog, id);
    expect(await read(catalog, id)).toMatchObject({
      step: "delete",
      attempts: 0,
      nextAttemptAtUs: catalog.clock.nowUs(),
      error: null,
    });
    await expect(requestDeletion(catalog, "absent" as typeof id)).rejects.toMatchObject({ kind: "not-found" });
  });
}

interface Told {
  readonly number: number;
  readonly isFar: boolean;
  readonly bytes: number;
  readonly streamId: string | null;
  readonly closed: boolean;
}

function toldFile(path: FoundFile["path"], { number, isFar, bytes, streamId, closed }: Told): FoundFile {
  const place = isFar ? number + 1_000 : number;
  return segmentFile(place, {
    ...{ path, bytes, closed },
    position: streamId === null ? null : { streamId, segmentNumber: place },
    fileIdentity: `1:${100 + place}:${bytes}:5`,
  });
}

async function withoutNames(catalog: TestCatalog, path: FoundFile["path"]): Promise<unknown[]> {
  const rows: { readonly file_path: string }[] = await catalog
    .db("recordings")
    .where({ path })
    .orderBy(["start_us", "id"])
    .select(
      ...["start_us", "file_path", "file_identity", "bytes", "stream_id", "segment_number", "local", "step", "error"],
      ...["gap_before_us", "missing_before"],
    );
  return rows.map((row) => ({ ...row, file_path: row.file_path.slice(path.length) }));
}
