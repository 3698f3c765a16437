/** When disk or store cannot tell: state is kept, tries grow rarer, nothing is called missing on doubt. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";

import { describe, expect, it, onTestFinished } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { queueUnarchived } from "../../../src/catalog/path-policies.js";
import { deletePath, insertPath, updatePath } from "../../../src/catalog/paths.js";
import { findRecording, requestDeletion } from "../../../src/catalog/recordings.js";
import { AppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { checkHealth } from "../../../src/doctor/health.js";
import { Scanner } from "../../../src/ingest/scanner.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, fragment, nameOf, STREAM_A, STREAM_B, writeAt } from "./footage.js";

const run = promisify(execFile);
const START_US = Date.UTC(2026, 10, 20) * 1_000;
const CAM1 = parsePathName("cam1");

useBench();

function contentOf(number: number): Buffer {
  return footage({ startUs: START_US + number * 4_000_000, number });
}

/** Segments 0 to count - 1 of cam1, closed long ago; returns their names. */
async function addSegments(bench: Bench, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, number) => nameOf("cam1", START_US + number * 4_000_000));
  for (const [number, name] of names.entries()) {
    await writeAt(bench.clock, path.join(bench.recordDir, name), contentOf(number), { agoSec: 100 });
  }
  return names;
}

function refusingUploads(inner: ObjectStore): ObjectStore {
  return { ...inner, put: () => Promise.reject(new AppError({ kind: "unavailable", message: "put: 503" })) };
}

describe("a record directory that is empty or another disk's (F45)", () => {
  it.each([
    ["while uploads wait", { wrapStore: refusingUploads }],
    ["while releases are due", { env: { LOCAL_RETENTION: "1h" } }],
    ["before the files were read", undefined],
  ])("marks nothing as missing, says so in health, and goes on when the disk is back: %s", async (_when, options) => {
    const bench = await createBench(options);
    const names = await addSegments(bench, 12);
    await bench.scan();
    if (options !== undefined) await bench.drain();
    await bench.stopWorker();
    for (const name of await readdir(bench.recordDir)) {
      await rename(path.join(bench.recordDir, name), path.join(bench.bucketDir, "..", `away-${name}`));
    }
    await bench.makeDue();
    await bench.drain();
    const scanner = new Scanner(bench.ingest, 60_000);
    const state = await scanner.scanOnce();
    expect(state.progress).toMatchObject({ missing: 0, doubted: 12 });
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows()).map(({ local }) => local)).toEqual(names.map(() => "present"));
    const health = await checkHealth({
      ...{ recordDir: bench.recordDir, pingDatabase: () => Promise.resolve() },
      scan: () => ({ error: state.error, doubted: state.progress.doubted, finished: true }),
      store: () => ({ description: "", lastError: null }),
      mediamtx: () => ({ version: "1.21.0", error: null, configError: null, pending: false, drift: [] }),
      ...{ otherDisks: [], diskMarks: bench.setup.config.diskMarks, diskRelief: () => null },
      deletionStops: () => bench.guard.stops,
      backup: () => "off",
      scrub: () => null,
      secondsSinceHook: () => null,
      secondsSinceSegment: () => null,
    });
    expect(health[0]).toMatchObject({ name: "scan", status: "fail", hint: expect.stringContaining("disk") as string });
    await rename(path.join(bench.bucketDir, "..", "away-cam1"), path.join(bench.recordDir, "cam1"));
    await bench.makeDue();
    await bench.drain();
    expect((await bench.scan()).doubted).toBe(0);
    expect(new Set((await bench.rows()).map(({ local }) => local))).not.toContain("missing");
  });

  it("fails the scan, and nothing else, when the directory itself is away", async () => {
    const bench = await createBench();
    await addSegments(bench, 3);
    await bench.scan();
    await bench.drain();
    await rename(bench.recordDir, `${bench.recordDir}.away`);
    const state = await new Scanner(bench.ingest, 60_000).scanOnce();
    expect(state.error).toContain("ENOENT");
    expect((await bench.rows()).map(({ local }) => local)).toEqual(["present", "present", "present"]);
  });

  it("believes a few files that vanish, says which, and takes them back when they return", async () => {
    const bench = await createBench();
    const [first] = await addSegments(bench, 3);
    await bench.scan();
    await bench.drain();
    const file = path.join(bench.recordDir, first!);
    await rename(file, `${file}.away`);
    expect(await bench.scan()).toMatchObject({ missing: 1, doubted: 0 });
    const [gone] = await bench.rows();
    expect(gone).toMatchObject({ local: "missing", archive: "verified" });
    expect(bench.log.filter(({ message }) => message === "file vanished").map(({ fields }) => fields["file"])).toEqual([
      first,
    ]);
    await rename(`${file}.away`, file);
    await bench.scan();
    await bench.drain();
    const [back] = await bench.rows();
    expect(back).toMatchObject({ id: gone!.id, local: "present", archive: "verified", objectKey: gone!.objectKey });
  });
});

describe("a record directory that cannot be written to on release (F46)", () => {
  it("keeps the file, tries rarely, makes no second row, and releases once it can", async () => {
    // It stands still: a next try by itself, a second later, would be one more than the test counts.
    const bench = await createBench({ env: { LOCAL_RETENTION: "1h" }, clock: createFakeClock() });
    const mount = (...options: string[]) => run("mount", ["-t", "tmpfs", "-o", ...options, "tmpfs", bench.recordDir]);
    await mount("size=4m");
    onTestFinished(async () => {
      await run("umount", ["-l", bench.recordDir]);
    });
    await mkdir(path.join(bench.recordDir, ".reelkeeper"));
    const [name] = await addSegments(bench, 1);
    await bench.scan();
    await bench.drain();
    await run("mount", ["-o", "remount,ro", bench.recordDir]);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await bench.makeDue();
      await bench.drain();
      expect(await bench.scan()).toMatchObject({ missing: 0, recorded: 0 });
      await bench.drain();
      const rows = await bench.rows();
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ archive: "verified", attempts: attempt });
      expect(rows[0]!.nextAttemptAtUs).toBeGreaterThan(bench.clock.nowUs());
      expect(rows[0]!.error).toMatch(/EROFS|read-only/);
      expect((await readFile(path.join(bench.recordDir, name!))).equals(contentOf(0))).toBe(true);
    }
    await run("mount", ["-o", "remount,rw", bench.recordDir]);
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "released", step: null, error: null });
    await expect(stat(path.join(bench.recordDir, name!))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("makes no second row of a file whose release was begun when the process died", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "1h" } });
    const [name] = await addSegments(bench, 1);
    await bench.scan();
    await bench.drain();
    await bench.stopWorker();
    await bench.catalog.db("recordings").update({ local: "trashed", step: "unlink" });
    expect(await bench.scan()).toMatchObject({ recorded: 0 });
    await bench.makeDue();
    await bench.drain();
    expect(await bench.rows()).toHaveLength(1);
    expect((await bench.rows())[0]).toMatchObject({ local: "released" });
    await expect(stat(path.join(bench.recordDir, name!))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("a read error (F42)", () => {
  it("is no verdict: the row keeps its place with the error, and the file is read again until it can be", async () => {
    let broken = true;
    const bench = await createBench({
      clock: createFakeClock(),
      wrapInspector: (inner) => ({
        inspect: (...args) =>
          broken
            ? Promise.reject(new AppError({ kind: "unavailable", message: "read at byte 4096: EIO" }))
            : inner.inspect(...args),
      }),
    });
    await addSegments(bench, 1);
    await bench.scan();
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await bench.makeDue();
      await bench.drain();
      const [row] = await bench.rows();
      expect(row).toMatchObject({ local: "present", archive: "none", step: "inspect", attempts: attempt });
      expect(row!.error).toContain("EIO");
    }
    // Attempts 0, 1 and 3 are told, 2 is folded.
    expect(bench.log.filter(({ message }) => message.startsWith("step failed"))).toHaveLength(3);
    broken = false;
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ archive: "verified", attempts: 0, error: null });
  });
});

describe("a path whose settings change while its segments wait", () => {
  it("is archived under its name also when it was removed from the configuration (F55)", async () => {
    const bench = await createBench();
    await insertPath(bench.catalog, {
      ...{ name: CAM1, settings: {}, enabled: true, archive: "all" },
      ...{ localRetention: null, archiveRetention: null, labels: [] },
    });
    await addSegments(bench, 2);
    await bench.scan();
    await deletePath(bench.catalog, CAM1);
    await bench.drain();
    const rows = await bench.rows();
    expect(rows.map(({ archive, path: name }) => [archive, name])).toEqual([
      ["verified", "cam1"],
      ["verified", "cam1"],
    ]);
  });

  it("keeps its files and archives nothing when it says so", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "0s" } });
    await insertPath(bench.catalog, {
      ...{ name: CAM1, settings: {}, enabled: true, archive: "none" },
      ...{ localRetention: "0s", archiveRetention: null, labels: [] },
    });
    await addSegments(bench, 1);
    await bench.scan();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({
      local: "present",
      archive: "none",
      step: null,
      tracks: [{ id: 1 }],
    });
  });
});

describe("a path that is set to archive nothing after its archive was begun", () => {
  const NOTHING = {
    ...{ name: CAM1, settings: {}, enabled: true, archive: "none" as const },
    ...{ localRetention: null, archiveRetention: null, labels: [] },
  };

  it("calls no file verified that has grown since, and archives all of it once it is to", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "0s" } });
    const file = path.join(bench.recordDir, nameOf("cam1", START_US));
    const content = footage({ startUs: START_US, number: 0, finalised: false });
    await writeAt(bench.clock, file, content, { agoSec: 100 });
    await bench.scan();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "present", archive: "verified" });
    await insertPath(bench.catalog, NOTHING);
    await writeAt(bench.clock, file, fragment(4), { append: true, agoSec: 90 });
    await bench.scan();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "present", archive: "none", step: null });
    await updatePath(bench.catalog, { ...NOTHING, archive: "all" });
    await queueUnarchived(bench.catalog, CAM1);
    await bench.drain();
    const [row] = await bench.rows();
    expect(row).toMatchObject({ archive: "verified" });
    const object = await readFile(path.join(bench.bucketDir, row!.objectKey!));
    expect(object.equals(Buffer.concat([content, fragment(4)]))).toBe(true);
  });

  it("archives at the next scan what nobody queued when the path was set to archive all", async () => {
    const bench = await createBench();
    await insertPath(bench.catalog, NOTHING);
    await addSegments(bench, 2);
    await bench.scan();
    await bench.drain();
    expect((await bench.rows()).map(({ archive, step }) => [archive, step])).toEqual([
      ["none", null],
      ["none", null],
    ]);
    await bench.scan();
    await bench.drain();
    expect(new Set((await bench.rows()).map(({ archive }) => archive))).toEqual(new Set(["none"]));
    // As after a crash between the change of the path and that of its rows.
    await updatePath(bench.catalog, { ...NOTHING, archive: "all" });
    await bench.scan();
    await bench.drain();
    expect(new Set((await bench.rows()).map(({ archive }) => archive))).toEqual(new Set(["verified"]));
  });

  it.each([
    ["finishes an upload that was begun", false, { archive: "verified" }],
    ["forgets an upload whose file has changed", true, { archive: "none", step: null, objectKey: null }],
  ])("%s", async (_what, changes, expected) => {
    let isRefused = true;
    const bench = await createBench({
      wrapStore: (inner) => ({
        ...inner,
        put: (...args) => (isRefused ? refusingUploads(inner).put(...args) : inner.put(...args)),
      }),
    });
    const file = path.join(bench.recordDir, nameOf("cam1", START_US));
    await writeAt(bench.clock, file, footage({ startUs: START_US, number: 0, finalised: false }), { agoSec: 100 });
    await bench.scan();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ archive: "uploading", step: "archive" });
    await insertPath(bench.catalog, NOTHING);
    if (changes) await writeAt(bench.clock, file, fragment(4), { append: true, agoSec: 90 });
    isRefused = false;
    await bench.scan();
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "present", ...expected });
  });
});

describe("a deletion that a person asks for", () => {
  it("during the upload waits for it, then removes both copies, once (F59)", async () => {
    let uploading: (() => void) | undefined;
    let goOn: (() => void) | undefined;
    const began = new Promise<void>((resolve) => (uploading = resolve));
    const barrier = new Promise<void>((resolve) => (goOn = resolve));
    const bench = await createBench({
      wrapStore: (inner) => ({
        ...inner,
        put: async (...args) => {
          uploading?.();
          await barrier;
          return inner.put(...args);
        },
      }),
    });
    const [name] = await addSegments(bench, 1);
    await bench.scan();
    const drained = bench.drain();
    await began;
    const [row] = await bench.rows();
    await requestDeletion(bench.catalog, row!.id);
    goOn!();
    await drained;
    await bench.drain();
    const deleted = await findRecording(bench.catalog, row!.id);
    expect(deleted).toMatchObject({ local: "deleted", archive: "deleted", step: null });
    await expect(stat(path.join(bench.recordDir, name!))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(stat(path.join(bench.bucketDir, row!.objectKey ?? deleted!.objectKey!))).rejects.toMatchObject({
      code: "ENOENT",
    });
    const removals = (await bench.catalog.db("removals").orderBy("what")) as { what: string }[];
    expect(removals.map(({ what }) => what)).toEqual(["local", "object"]);
    await bench.scan();
    expect(await bench.rows()).toHaveLength(1);
  });

  it("leaves an object alone that holds other bytes, and is done with the rest", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "1h" } });
    await addSegments(bench, 1);
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    const object = path.join(bench.bucketDir, row!.objectKey!);
    await rm(object);
    await writeFile(object, "somebody else's");
    await requestDeletion(bench.catalog, row!.id);
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "deleted", archive: "conflict", step: null });
    expect(await readFile(object, "utf8")).toBe("somebody else's");
  });

  it("removes what is left when the file's whole folder is gone", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "1h" } });
    await addSegments(bench, 1);
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    await rm(path.join(bench.recordDir, "cam1"), { recursive: true });
    await requestDeletion(bench.catalog, row!.id);
    await bench.drain();
    await bench.scan();
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "missing", archive: "deleted", step: null });
    await expect(stat(path.join(bench.bucketDir, row!.objectKey!))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("a file that was quiet for long but never finalised", () => {
  it("is archived, and released only once a later segment shows that MediaMTX is done with it", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "0s" } });
    const stalled = path.join(bench.recordDir, nameOf("cam1", START_US));
    const content = footage({ startUs: START_US, number: 0, finalised: false });
    await writeAt(bench.clock, stalled, content, { agoSec: 100 });
    await bench.scan();
    await bench.drain();
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({
      local: "present",
      archive: "verified",
      step: "release",
      attempts: 0,
    });
    // The very file that MediaMTX holds open goes on; the object must not change with it.
    await writeAt(bench.clock, stalled, fragment(4), { append: true, agoSec: 90 });
    const { objectKey } = (await bench.rows())[0]!;
    expect((await readFile(path.join(bench.bucketDir, objectKey!))).equals(content)).toBe(true);
    await bench.scan();
    await bench.drain();
    const laterUs = START_US + 5_000_000;
    const later = footage({ startUs: laterUs, number: 1 });
    await writeAt(bench.clock, path.join(bench.recordDir, nameOf("cam1", laterUs)), later, { agoSec: 50 });
    await bench.scan();
    await bench.makeDue();
    await bench.drain();
    const [row] = await bench.rows();
    expect(row).toMatchObject({ local: "released", archive: "verified" });
    const object = await readFile(path.join(bench.bucketDir, row!.objectKey!));
    expect(object.equals(Buffer.concat([content, fragment(4)]))).toBe(true);
  });

  it("is released a day after its last write when nothing follows it", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "0s" } });
    const file = path.join(bench.recordDir, nameOf("cam1", START_US));
    await writeAt(bench.clock, file, footage({ startUs: START_US, number: 0, finalised: false }), { agoSec: 90_000 });
    await bench.scan();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "released", archive: "verified", partial: true });
  });
});

describe("an object that vanished or changed after its proof", () => {
  it("is put again from the local copy, which is not released before (promise 2)", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "1h" } });
    const [name] = await addSegments(bench, 1);
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    await rm(path.join(bench.bucketDir, row!.objectKey!));
    await bench.makeDue();
    await bench.drain();
    const [again] = await bench.rows();
    expect(again).toMatchObject({ local: "present", archive: "verified", step: "release" });
    expect(again!.verifiedAtUs).toBeGreaterThan(row!.verifiedAtUs!);
    expect((await readFile(path.join(bench.bucketDir, again!.objectKey!))).equals(contentOf(0))).toBe(true);
    expect((await readFile(path.join(bench.recordDir, name!))).equals(contentOf(0))).toBe(true);
  });

  it("stands under the key before: it is kept, ours goes beside it (F27)", async () => {
    const bench = await createBench();
    await addSegments(bench, 1);
    const key = "recordings/cam1/2026/11/20/20261120T000000.000000Z_0a5c1b1e0000-0.mp4";
    await mkdir(path.dirname(path.join(bench.bucketDir, key)), { recursive: true });
    await bench.store.selfTest(new AbortController().signal);
    await writeFile(path.join(bench.bucketDir, key), "somebody else's");
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    expect(row).toMatchObject({ archive: "verified", local: "present" });
    expect(row!.objectKey).not.toBe(key);
    expect(row!.error).toContain(key);
    expect((await readFile(path.join(bench.bucketDir, row!.objectKey!))).equals(contentOf(0))).toBe(true);
    expect(await readFile(path.join(bench.bucketDir, key), "utf8")).toBe("somebody else's");
    expect(bench.log.some(({ level, message }) => level === "error" && message.includes("other bytes"))).toBe(true);
  });
});

describe("an object that reads back as other bytes (F24)", () => {
  /** Other bytes than are there, for the keys that match. */
  function lyingAbout(keys: RegExp): (inner: ObjectStore) => ObjectStore {
    return (inner) => ({
      ...inner,
      get: (key, options) =>
        keys.test(key) ? Promise.resolve(Readable.from([Buffer.from("damaged")])) : inner.get(key, options),
    });
  }
  const env = { LOCAL_RETENTION: "0s", ARCHIVE_READ_BACK_PERCENT: "100" };

  it("is kept and told, and the segment is stored again beside it before the local copy goes", async () => {
    const bench = await createBench({ env, wrapStore: lyingAbout(/-0\.mp4$/) });
    await addSegments(bench, 1);
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    expect(row).toMatchObject({
      local: "released",
      archive: "verified",
      objectKey: expect.stringMatching(/-0_[0-9a-f]{16}\.mp4$/) as string,
    });
    expect((await readFile(path.join(bench.bucketDir, row!.objectKey!))).equals(contentOf(0))).toBe(true);
    const told = bench.log.find(({ level, message }) => level === "error" && message.includes("other bytes"));
    expect(told?.fields["reason"]).toMatch(/read back .+: SHA-256/);
  });

  it("is no proof when the second one does too, and is tried again: the local copy stays", async () => {
    const bench = await createBench({ env, wrapStore: lyingAbout(/-0.*\.mp4$/) });
    const [name] = await addSegments(bench, 1);
    await bench.scan();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await bench.makeDue();
      await bench.drain();
    }
    const [row] = await bench.rows();
    expect(row).toMatchObject({ local: "present", step: "archive" });
    expect(row!.archive).not.toBe("verified");
    expect(row!.error).toMatch(/read back .+: SHA-256/);
    expect((await readFile(path.join(bench.recordDir, name!))).equals(contentOf(0))).toBe(true);
  });
});

describe("a recorder that began anew (F65)", () => {
  it("shows a gap of its length and no lost segment when the stream id changes", async () => {
    const bench = await createBench();
    const secondUs = START_US + 4_000_000 + 2_300_000;
    for (const [startUs, streamId] of [
      [START_US, STREAM_A],
      [secondUs, STREAM_B],
    ] as const) {
      const file = path.join(bench.recordDir, nameOf("cam1", startUs));
      await writeAt(bench.clock, file, footage({ startUs, number: 0, streamId }), { agoSec: 100 });
    }
    await bench.scan();
    await bench.drain();
    const rows = await bench.rows();
    expect(rows.map(({ gapBeforeUs, missingBefore }) => [gapBeforeUs, missingBefore])).toEqual([
      [null, 0],
      [2_300_000, 0],
    ]);
  });

  it("shows segments as missing that were numbered and never found", async () => {
    const bench = await createBench();
    const names = await addSegments(bench, 5);
    await rm(path.join(bench.recordDir, names[2]!));
    await rm(path.join(bench.recordDir, names[3]!));
    await bench.scan();
    await bench.drain();
    const rows = await bench.rows();
    expect(rows.map(({ gapBeforeUs, missingBefore }) => [gapBeforeUs, missingBefore])).toEqual([
      [null, 0],
      [0, 0],
      [8_000_000, 2],
    ]);
  });
});
