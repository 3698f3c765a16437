/**
 * The power fails after MediaMTX closed a file and told us: what was not on the platter yet is gone. MediaMTX does not
 * flush what it writes, so this is what a file looks like after the machine is back.
 */
import { mkdtemp, open, readFile, stat, truncate, utimes } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { createFolderStore } from "../../../src/archive/folder-store.js";
import type { ObjectStore } from "../../../src/archive/object-store.js";
import { AppError } from "../../../src/core/errors.js";
import { systemClock } from "../../../src/platform/clock.js";
import { removeTempDir } from "../../support/temp-dir.js";
import { type Bench, type BenchOptions, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const CONTENT = footage({ startUs: START_US, number: 0, seconds: 4, sampleBytes: 400 });
/** Of the last fragment the half is gone: three seconds are whole. */
const LEFT_BYTES = CONTENT.length - 2_500;

useBench();

function refusingUploads(inner: ObjectStore): ObjectStore {
  return { ...inner, put: () => Promise.reject(new AppError({ kind: "unavailable", message: "put: 503" })) };
}

/** On another disk: on the same one the copy would be a link to the file, and lose what it loses. */
async function openStore(): Promise<{ readonly store: ObjectStore; readonly dir: string }> {
  const dir = await mkdtemp("/dev/shm/reelkeeper-test-");
  onTestFinished(() => removeTempDir(dir));
  return { store: createFolderStore({ dir, clock: systemClock }), dir };
}

/** A segment and the one after it; the first one's hook came, and it was read and hashed. */
async function recorded(options: BenchOptions): Promise<{ bench: Bench; file: string }> {
  const bench = await createBench(options);
  const file = path.join(bench.recordDir, nameOf("cam1", START_US));
  await writeAt(bench.clock, file, CONTENT);
  const atSec = Math.floor(bench.clock.nowUs() / 1e6) - 100;
  await utimes(file, atSec, atSec);
  const laterUs = START_US + 4_000_000;
  const later = footage({ startUs: laterUs, number: 1 });
  await writeAt(bench.clock, path.join(bench.recordDir, nameOf("cam1", laterUs)), later, { agoSec: 90 });
  await bench.scan();
  await bench.drain();
  await bench.stopWorker();
  expect((await bench.rows())[0]).toMatchObject({ local: "present", bytes: CONTENT.length, gapBeforeUs: null });
  return { bench, file };
}

/** The same database and disk in a new process; all is done that can be. */
async function afterRestart(bench: Bench, options: BenchOptions = {}): Promise<Bench> {
  const restarted = await createBench({ ...options, beside: bench, databaseFile: bench.databaseFile });
  await restarted.scan();
  await restarted.makeDue();
  await restarted.drain();
  return restarted;
}

describe("a file that is shorter after a power loss (F41)", () => {
  it("is read again, and what is left of it is archived, when it was hashed and not yet uploaded", async () => {
    const { bench, file } = await recorded({ wrapStore: refusingUploads });
    await truncate(file, LEFT_BYTES);
    const restarted = await afterRestart(bench);
    const rows = await restarted.rows();
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ archive: "verified", bytes: LEFT_BYTES, mediaDurationUs: 3_000_000 });
    const object = await readFile(path.join(bench.bucketDir, rows[0]!.objectKey!));
    expect(object.equals(CONTENT.subarray(0, LEFT_BYTES))).toBe(true);
    // The second that is gone is told.
    expect(rows[1]).toMatchObject({ gapBeforeUs: 1_000_000, missingBefore: 0 });
    expect((await stat(file)).size).toBe(LEFT_BYTES);
  });

  it("is no copy of what was proven: it is not released for it, and both versions are kept", async () => {
    const { store, dir } = await openStore();
    const options = { env: { LOCAL_RETENTION: "1h" }, store };
    const { bench, file } = await recorded(options);
    const [before] = await bench.rows();
    expect(before).toMatchObject({ archive: "verified" });
    await truncate(file, LEFT_BYTES);
    // The release comes first, before any scan.
    const restarted = await createBench({ ...options, beside: bench, databaseFile: bench.databaseFile });
    await restarted.makeDue();
    await restarted.drain();
    expect((await stat(file)).size).toBe(LEFT_BYTES);
    await restarted.scan();
    await restarted.drain();
    const [row] = await restarted.rows();
    expect(row).toMatchObject({ archive: "verified", bytes: LEFT_BYTES });
    expect(row!.objectKey).not.toBe(before!.objectKey);
    expect((await readFile(path.join(dir, before!.objectKey!))).equals(CONTENT)).toBe(true);
    expect((await readFile(path.join(dir, row!.objectKey!))).length).toBe(LEFT_BYTES);
    expect(restarted.log.some(({ level, message }) => level === "error" && message.includes("both"))).toBe(true);
  });

  it("is quarantined when nothing whole is left, and stays", async () => {
    const { bench, file } = await recorded({ wrapStore: refusingUploads });
    await truncate(file, 0);
    const restarted = await afterRestart(bench);
    const row = (await restarted.rows()).find(({ filePath }) => file.endsWith(filePath));
    expect(row?.archive).not.toBe("verified");
    expect(row?.error ?? "").not.toBe("");
    expect((await stat(file)).size).toBe(0);
  });
});

describe("a file whose bytes changed and whose size and times did not (F41)", () => {
  it("is never archived under the old hash; it stays, and the difference is told", async () => {
    let isAway = true;
    const { store } = await openStore();
    const wrapStore = (inner: ObjectStore): ObjectStore => ({
      ...inner,
      put: (...args) => (isAway ? refusingUploads(inner).put(...args) : inner.put(...args)),
    });
    const options = { store, wrapStore, env: { LOCAL_RETENTION: "1h" } };
    const { bench, file } = await recorded(options);
    const [before] = await bench.rows();
    await spoilTail(file);
    isAway = false;
    const restarted = await createBench({ ...options, beside: bench, databaseFile: bench.databaseFile });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await restarted.makeDue();
      await restarted.drain();
    }
    const [row, other] = await restarted.rows();
    expect(row).toMatchObject({ archive: "uploading", local: "present", sha256: before!.sha256 });
    expect(row!.error).toMatch(/SHA-256 .+, expected/);
    expect(await restarted.store.head(row!.objectKey!, new AbortController().signal)).toBeUndefined();
    expect((await stat(file)).size).toBe(CONTENT.length);
    expect(other).toMatchObject({ archive: "verified" });
  });
});

/** The last pages never reached the disk: what was there before is in their place. */
async function spoilTail(file: string): Promise<void> {
  const before = await stat(file);
  const handle = await open(file, "r+");
  await handle.write(Buffer.alloc(200, 0xa5), 0, 200, CONTENT.length - 200);
  await handle.close();
  await utimes(file, before.atime, before.mtime);
  expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
}
