/** Differences of each kind, made by hand: told, repaired where that loses nothing, and gone after the work. */
import { execFile } from "node:child_process";
import { readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { beforeEach, describe, expect, it } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { insertPath } from "../../../src/catalog/paths.js";
import { recall, remember } from "../../../src/catalog/remembered.js";
import { AppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import type { Difference, Unchecked, VerifyCounts } from "../../../src/verify/difference.js";
import { exitCodeOf, runVerify } from "../../../src/verify/run-verify.js";
import { createVerify } from "../../../src/wiring/create-verify.js";
import { createSource } from "../../support/put-source.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const run = promisify(execFile);
const START_US = Date.UTC(2026, 10, 20) * 1_000;
const GATE_FILES = 3;

useBench();

let bench: Bench;

/** gate keeps three files, yard's two are released. */
beforeEach(async () => {
  bench = await createBench({ env: { LOCAL_RETENTION: "24h" } });
  await insertPath(bench.catalog, {
    ...{ name: parsePathName("yard"), settings: {}, enabled: true, archive: "all" },
    ...{ localRetention: "0s", archiveRetention: null, labels: [] },
  });
  for (let number = 0; number < GATE_FILES; number += 1) await add("gate", number);
  for (const number of [0, 1]) await add("yard", number);
  await bench.scan();
  const settled = ["present", "present", "present", "released", "released"];
  // A removal that finds a doubt waits for its next try.
  await waitFor("yard to be released", async () => {
    await bench.drain();
    return (await bench.rows()).every(({ local, archive }, at) => local === settled[at] && archive === "verified");
  });
});

async function add(
  camera: string,
  number: number,
  changes: Partial<Parameters<typeof footage>[0]> = {},
): Promise<void> {
  const startUs = START_US + number * 4_000_000;
  const file = path.join(bench.recordDir, nameOf(camera, startUs));
  await writeAt(bench.clock, file, footage({ startUs, number, ...changes }), { agoSec: 100 });
}

interface Verified {
  readonly code: number;
  readonly counts: VerifyCounts;
  readonly differences: readonly Difference[];
  readonly unchecked: readonly Unchecked[];
}

async function verify(options: { full?: boolean; repair?: boolean; store?: ObjectStore } = {}): Promise<Verified> {
  const { catalog, setup } = bench;
  const { full = false, repair = false, store = bench.store } = options;
  const differences: Difference[] = [];
  const unchecked: Unchecked[] = [];
  const counts = await runVerify(
    { ...createVerify(setup, { catalog, store }), options: { full, repair } },
    { difference: (difference) => differences.push(difference), unchecked: (what) => unchecked.push(what) },
    new AbortController().signal,
  );
  return { code: exitCodeOf(counts), counts, differences, unchecked };
}

async function rowOf(camera: string, at = 0): Promise<Recording> {
  return (await bench.rows()).filter((row) => row.path === camera)[at]!;
}

function fileOf(row: Recording): string {
  return path.join(bench.recordDir, row.filePath);
}

function objectFileOf(row: Recording): string {
  return path.join(bench.bucketDir, row.objectKey!);
}

/** Other bytes under the name: most objects are links to the local file, which must not change with them. */
async function replace(file: string, bytes: Buffer): Promise<void> {
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
}

/** One bit; same length, same time of the last write to the nanosecond. */
async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(`${file}.new`, bytes);
  await run("touch", ["-r", file, `${file}.new`]);
  await rename(`${file}.new`, file);
}

async function expectClean(): Promise<void> {
  expect(await verify({ full: true })).toMatchObject({ code: 0, differences: [], unchecked: [] });
}

describe("verify", () => {
  it("has nothing to tell where nothing differs, and with --full has read all bytes", async () => {
    expect(await verify()).toMatchObject({
      ...{ code: 0, differences: [], unchecked: [] },
      counts: { archivedRows: 5, objects: 5, rowsOnDisk: 3, files: 3, filesRead: 0, objectsRead: 0 },
    });
    expect(await verify({ full: true })).toMatchObject({ code: 0, counts: { filesRead: 3, objectsRead: 5 } });
  });

  it("tells of an object that is gone, and has it archived again from the local copy (F25)", async () => {
    const row = await rowOf("gate");
    await rm(objectFileOf(row));
    const told = await verify();
    expect(told.code).toBe(1);
    expect(told.differences).toMatchObject([{ kind: "object-missing", recordingId: row.id, repaired: null }]);
    expect(await rowOf("gate")).toEqual(row);
    expect(await verify({ repair: true })).toMatchObject({ code: 0, counts: { differences: 1, repaired: 1 } });
    await bench.drain();
    expect(await rowOf("gate")).toMatchObject({ archive: "verified", objectKey: row.objectKey });
    await expectClean();
  });

  it("takes the proof from a row whose object is gone and whose file was released, and keeps the row", async () => {
    const row = await rowOf("yard");
    await rm(objectFileOf(row));
    expect((await verify({ repair: true })).differences).toMatchObject([
      { kind: "object-missing", recordingId: row.id, repaired: "the proof was taken back" },
    ]);
    expect(await rowOf("yard")).toMatchObject({ id: row.id, archive: "none", local: "released", step: null });
    await expectClean();
  });

  it("tells of an object of another size, and archives the local copy beside it (F26, F27)", async () => {
    const row = await rowOf("gate");
    await replace(objectFileOf(row), Buffer.from("cut off"));
    expect((await verify()).differences).toMatchObject([{ kind: "object-differs", objectKey: row.objectKey }]);
    await verify({ repair: true });
    await bench.drain();
    const now = await rowOf("gate");
    expect(now).toMatchObject({ archive: "verified", local: "present" });
    expect(now.objectKey).not.toBe(row.objectKey);
    expect(await readFile(objectFileOf(row), "utf8")).toBe("cut off");
    await expectClean();
  });

  it("finds a flipped bit with --full alone, in an object and in a file (F24)", async () => {
    const [gate, yard] = [await rowOf("gate"), await rowOf("yard")];
    await flip(objectFileOf(yard));
    await flip(fileOf(gate));
    expect((await verify()).differences).toEqual([]);
    const { code, differences } = await verify({ full: true, repair: true });
    expect(code).toBe(1);
    expect(differences).toMatchObject([
      { kind: "file-differs", recordingId: gate.id, repaired: null },
      { kind: "object-differs", recordingId: yard.id, repaired: "the proof was taken back" },
    ]);
    expect(await rowOf("yard")).toMatchObject({ archive: "conflict", local: "released" });
  });

  it("tells of files and objects that no row knows of, takes in what is ours and leaves the rest (F39)", async () => {
    const before = await rowOf("gate", 1);
    const released = await rowOf("yard", 1);
    await bench.catalog.db("recordings").whereIn("id", [before.id, released.id]).delete();
    const foreign = { ...(await createSource(await tempDir())), metadata: {} };
    await bench.store.put("recordings/by/hand.mp4", foreign, { signal: new AbortController().signal });
    const kinds = (told: Verified) => told.differences.map(({ kind, repaired }) => [kind, repaired !== null]);
    expect(kinds(await verify())).toEqual([
      ["file-unknown", false],
      ["object-unknown", false],
      ["object-unknown", false],
      ["object-unknown", false],
    ]);
    const repaired = await verify({ repair: true });
    expect(repaired.code).toBe(1);
    expect(kinds(repaired)).toEqual([
      ["file-unknown", true],
      ["object-unknown", false],
      ["object-unknown", true],
      ["object-unknown", true],
    ]);
    await bench.drain();
    expect(await rowOf("gate", 1)).toMatchObject({ archive: "verified", local: "present", sha256: before.sha256 });
    expect(await rowOf("yard", 1)).toMatchObject({ id: released.id, archive: "verified", local: "released" });
    const left = await verify({ full: true });
    expect(left.differences).toMatchObject([{ kind: "object-unknown", objectKey: "recordings/by/hand.mp4" }]);
  });

  it("tells of a file that is gone or has changed, and repairs as the scan would (F9, F58)", async () => {
    const [gone, changed] = [await rowOf("gate", 0), await rowOf("gate", 1)];
    await rm(fileOf(gone));
    const longer = footage({ startUs: changed.startUs, number: 1, seconds: 6 });
    await replace(fileOf(changed), longer);
    await utimes(fileOf(changed), Date.now() / 1e3 - 90, Date.now() / 1e3 - 90);
    const told = await verify();
    expect(told.differences.map(({ kind, recordingId }) => [kind, recordingId])).toEqual([
      ["file-changed", changed.id],
      ["file-missing", gone.id],
    ]);
    expect(await verify({ repair: true })).toMatchObject({ code: 0, counts: { repaired: 2 } });
    await bench.drain();
    expect(await rowOf("gate", 0)).toMatchObject({ local: "missing", archive: "verified" });
    expect(await rowOf("gate", 1)).toMatchObject({ local: "present", archive: "verified", bytes: longer.length });
    expect(await verify({ full: true })).toMatchObject({ code: 0, counts: { differences: 0, otherVersions: 1 } });
  });

  it("takes no work that is under way for a difference", async () => {
    await bench.stopWorker();
    await add("gate", 7);
    await bench.scan();
    const startUs = START_US + 40_000_000;
    await writeAt(bench.clock, path.join(bench.recordDir, nameOf("gate", startUs)), footage({ startUs, number: 10 }));
    expect(await verify({ full: true })).toMatchObject({ code: 0, differences: [], unchecked: [] });
    await bench.drain();
  });
});

describe("verify when it cannot tell", () => {
  it("says so of a store that does not answer, still compares the files, and ends with 2 (F19)", async () => {
    await rm(fileOf(await rowOf("gate")));
    const list: ObjectStore["list"] = async function* () {
      yield* await Promise.reject<never[]>(new AppError({ kind: "unavailable", message: "connection refused" }));
    };
    const told = await verify({ store: { ...bench.store, list }, repair: true });
    expect(told.code).toBe(2);
    expect(told.unchecked).toMatchObject([{ what: "the rest of the objects", why: "connection refused" }]);
    expect(told.differences).toMatchObject([{ kind: "file-missing", repaired: "marked as missing" }]);
  });

  it("says so of one object whose HEAD is refused, and goes on with the others", async () => {
    const [first, second] = [await rowOf("gate", 0), await rowOf("gate", 1)];
    for (const row of [first, second]) await rm(objectFileOf(row));
    const head: ObjectStore["head"] = (key, signal) =>
      key === first.objectKey
        ? Promise.reject(new AppError({ kind: "permission-denied", message: "403" }))
        : bench.store.head(key, signal);
    const told = await verify({ store: { ...bench.store, head } });
    expect(told).toMatchObject({ code: 2, unchecked: [{ what: `object ${first.objectKey}`, why: "403" }] });
    expect(told.differences).toMatchObject([{ kind: "object-missing", recordingId: second.id }]);
  });

  it("tells no differences of another bucket, and changes no row (F29)", async () => {
    await bench.guard.start();
    await bench.guard.stop();
    await bench.guard.assertIsKnown("store");
    await writeFile(path.join(bench.bucketDir, "recordings", "~store-id"), "0190aaaa-0000-4000-8000-000000000009\n");
    await rm(objectFileOf(await rowOf("gate")));
    const before = await bench.rows();
    const told = await verify({ repair: true });
    expect(told).toMatchObject({ code: 2, differences: [], unchecked: [{ what: "objects" }] });
    expect(await bench.rows()).toEqual(before);
  });

  it("marks none of many that vanished at once, nor uses up what a person accepted (F45)", async () => {
    for (let number = 20; number < 30; number += 1) await add("gate", number);
    await bench.scan();
    await bench.drain();
    for (let at = 0; at < 8; at += 1) await rm(fileOf(await rowOf("gate", at)));
    const kept = async () => (await bench.rows()).filter(({ local }) => local === "missing");
    expect(await verify({ repair: true })).toMatchObject({ code: 1, counts: { differences: 8, repaired: 0 } });
    expect(await kept()).toEqual([]);
    await bench.guard.release(["mass-missing"]);
    expect((await recall(bench.catalog)).acceptedMissing).toBe("8");
    await verify();
    await verify({ repair: true });
    expect((await recall(bench.catalog)).acceptedMissing).toBe("8");
    await remember(bench.catalog, { acceptedMissing: "8" });
    await bench.scan();
    expect(await kept()).toHaveLength(8);
  });
});
