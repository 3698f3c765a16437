/** Periodic pictures of recordings that a real MediaMTX made, by the product's own pipeline, maker and folder store. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { cp, readdir, readFile, rm, utimes } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it, onTestFinished } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { rebuildFromStore } from "../../../src/archive/rebuild-from-store.js";
import { requestDeletion } from "../../../src/catalog/recordings.js";
import { countWaitingForThumbnails, nextForThumbnails } from "../../../src/catalog/thumbnail-queue.js";
import { listThumbnails } from "../../../src/catalog/thumbnails.js";
import { AppError } from "../../../src/core/errors.js";
import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { RecordingId } from "../../../src/core/recording.js";
import { createMetrics } from "../../../src/metrics/metrics.js";
import { GrowingFiles } from "../../../src/playback/growing-files.js";
import type { ThumbnailMaker } from "../../../src/playback/thumbnail-maker.js";
import { runVerify } from "../../../src/verify/run-verify.js";
import { createPlayback } from "../../../src/wiring/create-playback.js";
import { createPictureCache, createThumbnailMaker } from "../../../src/wiring/create-thumbnails.js";
import { createVerify } from "../../../src/wiring/create-verify.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { tempDir } from "../../support/temp-dir.js";
import { type Bench, createBench, useBench } from "./bench.js";

const run = promisify(execFile);
const FIXTURE_DIR = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1");
/** Of clips, which are not made here. */
const NO_FFMPEG = { configuredPath: "/nowhere/ffmpeg", env: {} };
const RANGE = { fromUs: parseRfc3339("2026-11-20T00:00:00Z"), toUs: parseRfc3339("2026-11-21T00:00:00Z") };

useBench();

interface Scene {
  readonly bench: Bench;
  readonly clock: FakeClock;
  readonly maker: ThumbnailMaker;
  /** As another process after this one. */
  readonly again: (store?: Partial<ObjectStore>) => ThumbnailMaker;
  readonly counted: () => Promise<Readonly<Record<string, number>>>;
  /** Instants in the catalog, as `hh:mm:ss`. */
  readonly times: () => Promise<string[]>;
  readonly objects: () => Promise<string[]>;
}

interface SceneOptions {
  readonly camera?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly store?: Partial<ObjectStore>;
  readonly assertMayRemove?: () => Promise<void>;
}

async function openScene({ camera = "h264-aac", env, store = {}, assertMayRemove }: SceneOptions = {}): Promise<Scene> {
  const clock = createFakeClock(Date.UTC(2026, 10, 21) * 1_000);
  const bench = await createBench({
    clock,
    env: { PATH: process.env["PATH"] ?? "", THUMBNAIL_INTERVAL: "10s", ...env },
  });
  await cp(path.join(FIXTURE_DIR, camera), path.join(bench.recordDir, camera), { recursive: true });
  for (const name of await readdir(path.join(bench.recordDir, camera))) {
    await utimes(path.join(bench.recordDir, camera, name), 1.7e9, 1.7e9);
  }
  await bench.scan();
  await bench.drain();
  await bench.stopWorker();
  const metrics = createMetrics({
    ...{ backlog: () => Promise.resolve([]), latest: () => Promise.resolve([]), nowUs: () => clock.nowUs() },
    ...{ uploadConcurrency: () => 1, deletionStops: () => [], configDrift: () => 0, backup: () => null, disks: [] },
    readDiskSpace: () => Promise.reject(new Error("no disk")),
  });
  const again = (changes: Partial<ObjectStore> = {}): ThumbnailMaker => {
    const around = { ...bench.store, ...changes };
    const growing = new GrowingFiles(bench.recordDir, NO_FFMPEG);
    const maker = createThumbnailMaker(bench.setup, {
      ...{ store: around, metrics, isPressed: () => false, onBytes: () => () => undefined },
      guard: { assertMayRemove: assertMayRemove ?? (() => Promise.resolve()) },
      playback: createPlayback(bench.recordDir, { catalog: bench.catalog, store: around, ffmpeg: NO_FFMPEG, growing }),
      growing,
      pictures: createPictureCache(bench.setup),
    });
    onTestFinished(() => maker.stop());
    return maker;
  };
  return {
    ...{ bench, clock, again, maker: again(store) },
    counted: async () => {
      const { values = [] } = (await metrics.registry.getSingleMetric("reelkeeper_thumbnails_total")?.get()) ?? {};
      return Object.fromEntries(values.map(({ labels, value }) => [String(labels["result"]), value]));
    },
    times: async () => {
      const all = await listThumbnails(bench.catalog, parsePathName(camera), RANGE);
      return all.map(({ atUs }) => formatRfc3339(atUs).slice(11, 19));
    },
    objects: () => objectsIn(bench.bucketDir),
  };
}

async function objectsIn(bucketDir: string): Promise<string[]> {
  const directory = path.join(bucketDir, "recordings/~thumbnails");
  if (!existsSync(directory)) return [];
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
}

async function makeAll(maker: ThumbnailMaker): Promise<void> {
  while (await maker.makeNext());
}

async function sizeOf(jpeg: Buffer): Promise<string> {
  const file = path.join(await tempDir(), "x.jpg");
  writeFileSync(file, jpeg);
  const args = ["-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", file];
  return (await run("ffprobe", args)).stdout.trim();
}

async function scriptedFfmpeg(script: string): Promise<string> {
  const file = path.join(await tempDir(), "ffmpeg");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("periodic pictures", () => {
  it.each([
    ["h264-aac", 3],
    ["h265-only", 2],
    // Nothing says that its camera came back.
    ["mpegts", 1],
  ] as const)("of %s are made, and stand beside the recordings", async (camera, pictures) => {
    const scene = await openScene({ camera });
    await makeAll(scene.maker);
    const times = await scene.times();
    // Every 10 s, and where the camera came back.
    expect(times, times.join()).toHaveLength(pictures);
    const objects = await scene.objects();
    expect(objects).toHaveLength(times.length);
    for (const object of objects) expect(await sizeOf(await readFile(object))).toBe("mjpeg,320,180");
    expect(await scene.counted()).toEqual({ made: times.length });
    expect(await countWaitingForThumbnails(scene.bench.catalog)).toBe(0);
    expect(await readdir(path.join(scene.bench.root, "thumbnails-in-the-making"))).toEqual([]);
  });

  it("are made again from rows by whoever comes after a death, once each", async () => {
    const scene = await openScene({
      store: { put: () => Promise.reject(new AppError({ kind: "unavailable", message: "it died here" })) },
    });
    const waiting = await countWaitingForThumbnails(scene.bench.catalog);
    expect(waiting).toBeGreaterThan(1);
    await scene.maker.makeNext();
    expect([await scene.times(), await countWaitingForThumbnails(scene.bench.catalog)]).toEqual([[], waiting]);
    await scene.clock.advance(3_600_000);
    const puts: string[] = [];
    const put: ObjectStore["put"] = (key, ...rest) => {
      puts.push(key);
      return scene.bench.store.put(key, ...rest);
    };
    await makeAll(scene.again({ put }));
    expect(puts).toHaveLength((await scene.times()).length);
    expect(new Set(puts).size).toBe(puts.length);
    await makeAll(scene.again({ put }));
    expect(puts).toHaveLength((await scene.objects()).length);
  });

  it.each([
    ["h264-aac", "present"],
    ["h264-aac", "released"],
    ["mpegts", "present"],
    ["mpegts", "released"],
  ] as const)("of %s, %s, that were inspected before there were any, are caught up", async (camera, local) => {
    const scene = await openScene({ camera });
    await makeAll(scene.maker);
    const times = await scene.times();
    const { bench } = scene;
    for (const name of await readdir(path.join(bench.root, "thumbnails"))) {
      await rm(path.join(bench.root, "thumbnails", name));
    }
    for (const object of await scene.objects()) await rm(object);
    await bench.catalog.db("thumbnails").delete();
    const indexes: unknown = await bench.catalog.db("fragment_indexes").orderBy("recording_id");
    if (local === "released") {
      await rm(bench.recordDir, { recursive: true });
      await bench.catalog.db("recordings").update({ local, step: null });
    }
    if (camera === "mpegts" && local === "present") await bench.catalog.db("fragment_indexes").delete();
    const maker = scene.again();
    await makeAll(maker);
    expect(await scene.times()).toEqual([]);
    for (let result = ""; result !== "done"; result = await maker.catchUp()) await makeAll(maker);
    expect([await scene.times(), (await scene.objects()).length]).toEqual([times, times.length]);
    expect(await scene.again().catchUp()).toBe("done");
    // MPEG-TS of before there were indexes has its index too.
    expect(await bench.catalog.db("fragment_indexes").orderBy("recording_id")).toEqual(indexes);
    expect(await countWaitingForThumbnails(bench.catalog)).toBe(0);
  });

  it("wait as long as the store is away, and need no second ffmpeg then", async () => {
    let isAway = true;
    const marks = path.join(await tempDir(), "runs");
    const { stdout } = await run("sh", ["-c", "command -v ffmpeg"]);
    const ffmpeg = await scriptedFfmpeg(`echo run >> "${marks}"; exec ${stdout.trim()} "$@"`);
    const away = (): AppError => new AppError({ kind: "unavailable", message: "the store is away" });
    const scene = await openScene({ env: { FFMPEG_PATH: ffmpeg } });
    const maker = scene.again({
      put: (...args) => (isAway ? Promise.reject(away()) : scene.bench.store.put(...args)),
    });
    for (let hour = 0; hour < 20; hour += 1) {
      await scene.clock.advance(3_600_000);
      expect([await maker.makeNext(), await maker.makeNext()]).toEqual([true, false]);
    }
    expect((await scene.counted())["delayed"]).toBe(20);
    isAway = false;
    await scene.clock.advance(3_600_000);
    await makeAll(maker);
    const times = await scene.times();
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect((await readFile(marks, "utf8")).split("\n").filter((line) => line !== "")).toHaveLength(times.length);
  });

  it("are given up after some tries without ffmpeg, and each try is counted", async () => {
    const scene = await openScene({ env: { FFMPEG_PATH: "/nowhere/ffmpeg" } });
    const waiting = await countWaitingForThumbnails(scene.bench.catalog);
    for (let hour = 0; hour < 20; hour += 1) {
      await makeAll(scene.maker);
      await scene.clock.advance(3_600_000);
    }
    expect(await scene.counted()).toEqual({ "ffmpeg-failed": 5 * waiting, "given-up": waiting });
    expect(await nextForThumbnails(scene.bench.catalog)).toBeUndefined();
    // Told once, not a hundred times.
    expect(scene.bench.log.filter(({ message }) => message.startsWith("pictures"))).toHaveLength(1);
  });

  it("of media that ffmpeg refuses are counted and not tried again", async () => {
    const scene = await openScene({ env: { FFMPEG_PATH: await scriptedFfmpeg("cat > /dev/null; exit 1") } });
    await makeAll(scene.maker);
    expect(Object.keys(await scene.counted())).toEqual(["undecodable"]);
    expect([await scene.times(), await countWaitingForThumbnails(scene.bench.catalog)]).toEqual([[], 0]);
  });

  it("run as what gives way to everything else", async () => {
    const marks = path.join(await tempDir(), "nice");
    // The priority is set when the process is there, a moment later or, on a busy machine, some moments.
    const wait = 'for i in 1 2 3 4 5 6 7 8; do [ "$(nice)" = 19 ] && break; sleep 1; done';
    const ffmpeg = await scriptedFfmpeg(`${wait}; nice >> "${marks}"; cat > /dev/null; exit 1`);
    const scene = await openScene({ env: { FFMPEG_PATH: ffmpeg } });
    await scene.maker.makeNext();
    expect((await readFile(marks, "utf8")).split("\n")[0]).toBe("19");
  });

  it("are not made of paths that are not archived, nor where they are switched off", async () => {
    const off = await openScene({ env: { THUMBNAIL_INTERVAL: "0" } });
    expect(await countWaitingForThumbnails(off.bench.catalog)).toBe(0);
    const kept = await createBench({ env: { THUMBNAIL_INTERVAL: "10s" } });
    await kept.catalog.db("paths").insert({
      ...{ name: "h264-aac", settings: "{}", enabled: true, archive: "none", labels: "[]" },
      ...{ created_at_us: 1, updated_at_us: 1 },
    });
    await cp(path.join(FIXTURE_DIR, "h264-aac"), path.join(kept.recordDir, "h264-aac"), { recursive: true });
    for (const name of await readdir(path.join(kept.recordDir, "h264-aac"))) {
      await utimes(path.join(kept.recordDir, "h264-aac", name), 1.7e9, 1.7e9);
    }
    await kept.scan();
    await kept.drain();
    expect(await countWaitingForThumbnails(kept.catalog)).toBe(0);
  });
});

describe("pictures whose recording goes", () => {
  /** How many pictures each recording has, the first first. */
  async function pictured({ bench }: Scene): Promise<[id: string, pictures: number][]> {
    const rows = (await bench.catalog.db("thumbnails").orderBy("at_us")) as { recording_id: string }[];
    const ids = rows.map(({ recording_id: id }) => id);
    return [...new Set(ids)].map((id) => [id, ids.filter((other) => other === id).length]);
  }

  async function deleteRecording({ bench }: Scene, id: string): Promise<void> {
    await requestDeletion(bench.catalog, id as RecordingId);
    await bench.drain();
    await bench.stopWorker();
  }

  it("go with it when a person deletes it", async () => {
    const scene = await openScene();
    await makeAll(scene.maker);
    const before = await scene.objects();
    const [[id, own] = ["", 0]] = await pictured(scene);
    await deleteRecording(scene, id);
    expect(await scene.times()).toHaveLength(before.length - own);
    await scene.maker.removeGone();
    expect(await scene.objects()).toHaveLength(before.length - own);
    expect(await scene.bench.catalog.db("thumbnails").where({ state: "removing" })).toEqual([]);
  });

  it("are not shown, and stay, while deletions are stopped", async () => {
    let isStopped = true;
    const stopped = new AppError({ kind: "failed-precondition", message: "another disk" });
    const scene = await openScene({ assertMayRemove: () => (isStopped ? Promise.reject(stopped) : Promise.resolve()) });
    await makeAll(scene.maker);
    const before = await scene.objects();
    const [[id, own] = ["", 0]] = await pictured(scene);
    await deleteRecording(scene, id);
    await scene.maker.removeGone();
    expect([await scene.objects(), (await scene.times()).length]).toEqual([before, before.length - own]);
    isStopped = false;
    await scene.clock.advance(120_000);
    await scene.maker.removeGone();
    expect(await scene.objects()).toHaveLength(before.length - own);
  });

  it("go when its copies have expired, and stay when its file is missing", async () => {
    const scene = await openScene();
    await makeAll(scene.maker);
    const before = await scene.objects();
    const [[first, gone] = ["", 0], [second, hidden] = ["", 0]] = await pictured(scene);
    const { db } = scene.bench.catalog;
    await db("recordings").where({ id: first }).update({ archive: "expired", local: "released" });
    await db("recordings").where({ id: second }).update({ archive: "none", local: "missing" });
    expect(await scene.times()).toHaveLength(before.length - gone - hidden);
    await scene.maker.removeGone();
    expect(await scene.objects()).toHaveLength(before.length - gone);
  });
});

describe("what looks for recordings in the store", () => {
  it("takes no picture for one: rebuild, verify", async () => {
    const scene = await openScene();
    await makeAll(scene.maker);
    const { bench } = scene;
    const counts = await runVerify(
      { ...createVerify(bench.setup, bench), options: { full: true, repair: true } },
      { difference: () => undefined, unchecked: () => undefined },
      new AbortController().signal,
    );
    expect(counts).toMatchObject({ differences: 0, unchecked: 0, objects: (await bench.rows()).length });
    const lost = await createBench({ clock: scene.clock, beside: bench, env: { THUMBNAIL_INTERVAL: "10s" } });
    const deps = { catalog: lost.catalog, store: lost.store, logger: lost.setup.logger, prefix: "recordings" };
    const result = await rebuildFromStore(
      { ...deps, thumbnailIntervalUs: 10_000_000 },
      () => undefined,
      new AbortController().signal,
    );
    expect(result).toMatchObject({ foreign: 0, objects: (await bench.rows()).length });
  });

  it("brings them back after a rebuild without reading footage", async () => {
    const scene = await openScene();
    await makeAll(scene.maker);
    const times = await scene.times();
    const { bench } = scene;
    // The database is lost, and the local copies are released.
    for (const table of ["thumbnails", "recordings", "fragment_indexes"]) await bench.catalog.db(table).delete();
    const deps = { catalog: bench.catalog, store: bench.store, logger: bench.setup.logger, prefix: "recordings" };
    const { signal } = new AbortController();
    await rebuildFromStore({ ...deps, thumbnailIntervalUs: 10_000_000 }, () => undefined, signal);
    const get = (): never => {
      throw new Error("footage was read");
    };
    await makeAll(scene.again({ get, put: get }));
    expect(await scene.times()).toEqual(times);
    expect(await scene.counted()).toEqual({ made: times.length, found: times.length });
  });
});
