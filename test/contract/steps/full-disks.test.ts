/** Disks that fill up: what goes early, what never goes, and that all goes on by itself when there is room again. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { insertPath } from "../../../src/catalog/paths.js";
import { usedPercent } from "../../../src/core/disk-level.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { readDiskSpace } from "../../../src/platform/disk-space.js";
import type { DiskGuard } from "../../../src/retention/disk-guard.js";
import { createDiskGuard } from "../../../src/wiring/create-disk-guard.js";
import { tempDir } from "../../support/temp-dir.js";
import { emptyDisk, fillDisk, growFiller, mountTmpfs } from "../../support/tmpfs.js";
import { waitFor } from "../../support/wait-for.js";
import { type Bench, type BenchOptions, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const DISK_BYTES = 8 * 1_048_576;
/** Of one segment's samples: 4 s of 10 frames make about 400 kB. */
const SAMPLE_BYTES = 10_000;

useBench();

async function addSegment(bench: Bench, camera: string, number: number): Promise<string> {
  const startUs = START_US + number * 4_000_000;
  const name = nameOf(camera, startUs);
  const content = footage({ startUs, number, sampleBytes: SAMPLE_BYTES + camera.length });
  await writeAt(bench.clock, path.join(bench.recordDir, name), content, { agoSec: 100 });
  return name;
}

/** Its recordings lie on a disk of 8 MiB. */
async function benchOnSmallDisk(options: BenchOptions = {}): Promise<Bench> {
  const bench = await createBench({ ...options, env: { LOCAL_RETENTION: "30d", ...options.env } });
  await mountTmpfs(bench.recordDir, String(DISK_BYTES));
  return bench;
}

function diskGuardOf(bench: Bench): DiskGuard {
  return createDiskGuard(bench.setup, {
    catalog: bench.catalog,
    areDeletionsStopped: () => bench.guard.stops.length > 0,
    wake: () => bench.startWorker(),
  });
}

async function percentOf(bench: Bench): Promise<number> {
  return usedPercent(await readDiskSpace(bench.recordDir));
}

async function fillTo(bench: Bench, percent: number): Promise<void> {
  const { usedBytes } = await readDiskSpace(bench.recordDir);
  await growFiller(bench.recordDir, (DISK_BYTES * percent) / 100 - usedBytes);
}

describe("a recordings disk above its high mark (F43)", () => {
  it("loses its oldest proven copies before their time, until it is below the mark, and no more", async () => {
    const bench = await benchOnSmallDisk();
    const names: string[] = [];
    for (let number = 0; number < 12; number += 1) names.push(await addSegment(bench, "cam1", number));
    await bench.scan();
    await bench.drain();
    const guard = diskGuardOf(bench);
    await guard.check();
    expect(guard.relief).toBeNull();
    await fillTo(bench, 96);
    await guard.check();
    expect(guard.relief).toMatchObject({ helps: true });
    await bench.drain();
    await guard.check();
    expect(guard.relief).toBeNull();
    const used = await percentOf(bench);
    expect(used).toBeLessThan(90);
    // One more would have been too many.
    expect(used).toBeGreaterThan(90 - (100 * 450_000) / DISK_BYTES);
    const gone = names.filter((name) => !existsSync(path.join(bench.recordDir, name)));
    expect(gone.length).toBeGreaterThan(0);
    expect(gone).toEqual(names.slice(0, gone.length));
    expect((await bench.rows()).map(({ archive }) => archive)).toEqual(names.map(() => "verified"));
    expect(bench.log.filter(({ level }) => level === "error").map(({ message }) => message)).toEqual(["disk is full"]);
  });

  it("keeps what is not proven, quarantined, or of a path without an archive, and raises an alarm", async () => {
    const bench = await benchOnSmallDisk({
      wrapStore: (inner) => ({
        ...inner,
        put: (key, ...more) =>
          key.includes("/cam2/") ? Promise.reject(new Error("the store is away")) : inner.put(key, ...more),
      }),
    });
    await insertPath(bench.catalog, {
      ...{ name: parsePathName("kept"), settings: {}, enabled: true, archive: "all" },
      ...{ localRetention: null, archiveRetention: null, labels: [] },
    });
    const names = [await addSegment(bench, "cam2", 0), await addSegment(bench, "kept", 0)];
    const broken = nameOf("cam1", START_US);
    await writeAt(bench.clock, path.join(bench.recordDir, broken), Buffer.alloc(300_000), { agoSec: 100 });
    await bench.scan();
    await bench.drain();
    // It was archived, and shall not be from now on.
    await bench.catalog.db("paths").update({ archive: "none" });
    await fillTo(bench, 97);
    const guard = diskGuardOf(bench);
    await guard.check();
    await bench.drain();
    expect(guard.relief).toMatchObject({ helps: false, message: expect.stringContaining("no proven") as string });
    for (const name of [...names, broken]) expect(existsSync(path.join(bench.recordDir, name))).toBe(true);
    await guard.check();
    const alarms = bench.log.filter(
      ({ level, message }) => level === "error" && message.includes("nothing can be released"),
    );
    expect(alarms).toHaveLength(1);
  });

  it("keeps everything while deletions are stopped", async () => {
    const bench = await benchOnSmallDisk();
    const name = await addSegment(bench, "cam1", 0);
    await bench.scan();
    await bench.drain();
    await bench.guard.assertMayRemove();
    await bench.guard.mayMarkMissing({ missing: 60, onDisk: 100 });
    await fillTo(bench, 97);
    const guard = diskGuardOf(bench);
    await guard.check();
    await bench.drain();
    expect(guard.relief).toMatchObject({ helps: false, message: expect.stringContaining("stopped") as string });
    expect(existsSync(path.join(bench.recordDir, name))).toBe(true);
    expect((await bench.rows())[0]?.nextAttemptAtUs).toBeGreaterThan(bench.clock.nowUs());
  });

  it("keeps copies whose archive lies on the same disk: their release frees nothing", async () => {
    const root = await tempDir();
    await mountTmpfs(root, String(DISK_BYTES));
    const bench = await createBench({
      env: { DATA_DIR: root, RECORD_DIR: path.join(root, "recordings"), LOCAL_RETENTION: "30d" },
    });
    const onOneDisk = { ...bench.setup, recordDir: path.join(root, "recordings") };
    await Promise.all([onOneDisk.recordDir, path.join(root, "bucket")].map((directory) => mkdir(directory)));
    await growFiller(root, DISK_BYTES * 0.97);
    const guard = createDiskGuard(onOneDisk, {
      ...{ catalog: bench.catalog, areDeletionsStopped: () => false, wake: () => undefined },
    });
    await guard.check();
    expect(guard.relief).toMatchObject({ helps: false, message: expect.stringContaining("same disk") as string });
  });

  it("that is full to the last byte is relieved all the same", async () => {
    const bench = await benchOnSmallDisk();
    await mkdir(path.join(bench.recordDir, ".reelkeeper", "trash"), { recursive: true });
    const name = await addSegment(bench, "cam1", 0);
    await bench.scan();
    await bench.drain();
    await bench.guard.assertMayRemove();
    await fillDisk(bench.recordDir);
    const guard = diskGuardOf(bench);
    await guard.check();
    await bench.drain();
    expect(existsSync(path.join(bench.recordDir, name))).toBe(false);
    expect((await bench.rows())[0]).toMatchObject({ local: "released", archive: "verified" });
  });
});

describe("a full disk is left without a restart, and nothing is lost, when it holds", () => {
  it("the database (F37)", async () => {
    const disk = await tempDir();
    await mountTmpfs(disk, "4m");
    const bench = await createBench({ databaseFile: path.join(disk, "catalog.sqlite") });
    const names = [await addSegment(bench, "cam1", 0), await addSegment(bench, "cam1", 1)];
    await bench.scan();
    await fillDisk(disk);
    // Steps run and cannot be committed; their rows come back when there is room, not when the lease ends.
    bench.startWorker();
    await waitFor("a step that cannot be put back", () =>
      bench.log.some(
        ({ message }) => message.includes("cannot be put back") || message.includes("queue cannot be read"),
      ),
    );
    for (const name of names) expect(existsSync(path.join(bench.recordDir, name))).toBe(true);
    await emptyDisk(disk);
    await waitFor(
      "all to be proven",
      async () => {
        await bench.makeDue();
        return (await bench.rows()).every(({ archive }) => archive === "verified");
      },
      { timeoutMs: 30_000 },
    );
  });

  it("the bucket folder (F43)", async () => {
    const bench = await createBench();
    await mountTmpfs(bench.bucketDir, "1m");
    const name = await addSegment(bench, "cam1", 0);
    await bench.store.selfTest(new AbortController().signal);
    await fillDisk(bench.bucketDir);
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    expect(row).toMatchObject({
      local: "present",
      step: "archive",
      error: expect.stringContaining("ENOSPC") as string,
    });
    expect(existsSync(path.join(bench.recordDir, name))).toBe(true);
    await emptyDisk(bench.bucketDir);
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ archive: "verified", error: null });
  });
});
