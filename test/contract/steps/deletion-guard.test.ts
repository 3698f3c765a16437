/** Never delete on doubt: what stops removals, that nothing else stops, and what a release means. */
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { remember } from "../../../src/catalog/remembered.js";
import { requestDeletion } from "../../../src/catalog/recordings.js";
import type { Doubt } from "../../../src/core/deletion-doubt.js";
import type { Recording } from "../../../src/core/recording.js";
import { DeletionGuard } from "../../../src/retention/deletion-guard.js";
import { createVolumeMarks } from "../../../src/retention/volume-marks.js";
import { createGuard } from "../../../src/wiring/create-guard.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { type Bench, type BenchOptions, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const DAY_MS = 86_400_000;
const MARKER_KEY = "recordings/~store-id";

useBench();

/** A clock that a test can set while it goes on. */
function steppableClock(): FakeClock & { step(ms: number): void } {
  const inner = createFakeClock();
  let steppedMs = 0;
  return {
    ...inner,
    nowUs: () => inner.nowUs() + steppedMs * 1_000,
    step: (ms) => {
      steppedMs += ms;
    },
  };
}

function step(bench: Bench, ms: number): Promise<void> {
  (bench.clock as ReturnType<typeof steppableClock>).step(ms);
  return Promise.resolve();
}

async function addSegment(bench: Bench, number: number): Promise<string> {
  const startUs = START_US - 3_600_000_000 + number * 4_000_000;
  const name = nameOf("cam1", startUs);
  await writeAt(bench.clock, path.join(bench.recordDir, name), footage({ startUs, number }), { agoSec: 100 });
  return name;
}

/** Two proven segments whose release is due in an hour. */
async function withProvenSegments(options: BenchOptions = {}): Promise<{ bench: Bench; names: string[] }> {
  const bench = await createBench({ ...options, env: { LOCAL_RETENTION: "1h", ...options.env } });
  const names = [await addSegment(bench, 0), await addSegment(bench, 1)];
  await bench.scan();
  await bench.drain();
  expect((await bench.rows()).map(stateOf)).toEqual(["present verified release", "present verified release"]);
  // The first question places the markers.
  await bench.guard.assertMayRemove();
  return { bench, names };
}

function stateOf({ local, archive, step }: Recording): string {
  return `${local} ${archive} ${step ?? "-"}`;
}

function doubtsOf(bench: Bench): Doubt[] {
  return bench.guard.stops.map(({ doubt }) => doubt);
}

const volumeFile = (bench: Bench): string => path.join(bench.recordDir, ".reelkeeper", "volume-id");
const generationFile = (bench: Bench): string => path.join(bench.recordDir, ".reelkeeper", "generation");

interface Case {
  readonly doubt: Doubt;
  readonly harm: (bench: Bench) => Promise<unknown>;
  readonly says: RegExp;
}

const CASES: readonly (readonly [string, Case])[] = [
  [
    "the volume carries no marker (F45)",
    {
      doubt: "volume",
      harm: (bench) => rm(volumeFile(bench)),
      says: /carries no marker.*expected marker [0-9a-f-]{36}/,
    },
  ],
  [
    "the volume is another one (F45)",
    {
      doubt: "volume",
      harm: (bench) => writeFile(volumeFile(bench), "another\n"),
      says: /another disk \(marker another\)/,
    },
  ],
  [
    "the database is older than the recordings (F39)",
    { doubt: "database", harm: (bench) => writeFile(generationFile(bench), "7\n"), says: /stand at mark 7/ },
  ],
  [
    "the store carries no marker (F29)",
    {
      doubt: "store",
      harm: (bench) => rm(path.join(bench.bucketDir, MARKER_KEY)),
      says: /the store .*carries no marker: it is empty, or another one/,
    },
  ],
  [
    "the clock jumped two days forward (F34)",
    {
      doubt: "clock",
      harm: (bench) => step(bench, 2 * DAY_MS),
      says: /the clock jumped forward by 2d, to 2026-11-22T/,
    },
  ],
  [
    "the clock jumped an hour back (F34)",
    {
      doubt: "clock",
      harm: (bench) => step(bench, -DAY_MS / 24),
      says: /the clock jumped back by 1h, to 2026-11-19T23/,
    },
  ],
];

describe("nothing is removed when", () => {
  it.each(CASES)("%s, all else goes on, and a release ends it", async (_what, { doubt, harm, says }) => {
    const clock = steppableClock();
    const { bench, names } = await withProvenSegments({ clock });
    // The store is asked again once a minute.
    await clock.advance(61_000);
    await harm(bench);
    const [retained, wanted] = await bench.rows();
    await requestDeletion(bench.catalog, wanted!.id);
    await bench.makeDue();
    await bench.drain();

    expect(doubtsOf(bench)).toEqual([doubt]);
    expect(bench.guard.stops[0]?.message).toMatch(says);
    const told = bench.log.filter(({ message }) => message === "deletions are stopped");
    expect(told.map(({ level, fields }) => [level, fields["doubt"]])).toEqual([["error", doubt]]);
    for (const name of names) expect(existsSync(path.join(bench.recordDir, name))).toBe(true);
    expect((await bench.rows()).map(stateOf)).toEqual(["present verified release", "present verified delete"]);
    const key = retained!.objectKey!;
    expect(existsSync(path.join(bench.bucketDir, key))).toBe(true);

    const fresh = await addSegment(bench, 2);
    await bench.scan();
    await bench.drain();
    const [, , newest] = await bench.rows();
    expect(newest).toMatchObject({ filePath: fresh, local: "present", archive: "verified" });

    expect((await bench.guard.release([doubt])).map((stop) => stop.doubt)).toEqual([doubt]);
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows()).map(stateOf)).toEqual([
      "released verified -",
      "deleted deleted -",
      "released verified -",
    ]);
    expect(doubtsOf(bench)).toEqual([]);
  });

  it("many files vanish at once (F45): what a person accepts holds for one scan", async () => {
    const bench = await createBench({ env: { LOCAL_RETENTION: "1h" } });
    const names: string[] = [];
    for (let number = 0; number < 20; number += 1) names.push(await addSegment(bench, number));
    await bench.scan();
    await bench.drain();
    const away = path.join(bench.root, "away");
    await mkdir(away);
    const move = async (list: readonly string[], to: "away" | "back"): Promise<void> => {
      for (const name of list) {
        const [here, there] = [path.join(bench.recordDir, name), path.join(away, path.basename(name))];
        await (to === "away" ? rename(here, there) : rename(there, here));
      }
    };
    const some = names.slice(0, 8);
    await move(some, "away");
    expect(await bench.scan()).toMatchObject({ missing: 0, doubted: 8 });
    expect(doubtsOf(bench)).toEqual(["mass-missing"]);
    // They come back: the stop stays until somebody has looked.
    await move(some, "back");
    expect(await bench.scan()).toMatchObject({ missing: 0, doubted: 0 });
    await bench.makeDue();
    await bench.drain();
    expect(existsSync(path.join(bench.recordDir, names[19]!))).toBe(true);
    expect(doubtsOf(bench)).toEqual(["mass-missing"]);
    // A release wakes it: removals that are still due would take files while the test moves them.
    await bench.stopWorker();
    await bench.guard.release(["mass-missing"]);
    await bench.scan();
    // The acceptance is used up: the same doubt stops again.
    await move(some, "away");
    expect(await bench.scan()).toMatchObject({ missing: 0, doubted: 8 });
    await bench.guard.release(["mass-missing"]);
    expect(await bench.scan()).toMatchObject({ missing: 8, doubted: 0 });
    expect(doubtsOf(bench)).toEqual([]);
  });
});

describe("a stop", () => {
  it("survives a restart, and is released by another process", async () => {
    const { bench } = await withProvenSegments();
    await writeFile(volumeFile(bench), "another\n");
    await expect(bench.guard.assertMayRemove()).rejects.toMatchObject({
      kind: "failed-precondition",
      message: expect.stringContaining("deletions are stopped: ") as string,
      hint: expect.stringContaining("resume-deletes") as string,
    });
    const restarted = createGuard(bench.setup, { catalog: bench.catalog, store: bench.store });
    const [stop] = await restarted.list();
    expect(stop).toMatchObject({ doubt: "volume", sinceUs: bench.guard.stops[0]?.sinceUs });
    await restarted.release(["volume"]);
    await bench.guard.assertMayRemove();
    expect(bench.guard.stops).toEqual([]);
  });

  it("comes again when the same doubt is found again", async () => {
    const { bench } = await withProvenSegments();
    for (const other of ["one", "two"]) {
      await writeFile(volumeFile(bench), other);
      await expect(bench.guard.assertMayRemove()).rejects.toThrow(`marker ${other}`);
      await bench.guard.release(["volume"]);
      await bench.guard.assertMayRemove();
    }
  });

  it("is not released with another one that was looked at", async () => {
    const { bench } = await withProvenSegments();
    await writeFile(generationFile(bench), "9");
    await expect(bench.guard.assertMayRemove()).rejects.toThrow("older");
    await writeFile(volumeFile(bench), "another");
    await expect(bench.guard.assertMayRemove()).rejects.toThrow();
    expect(doubtsOf(bench)).toEqual(["database", "volume"]);
    await bench.guard.release(["database"]);
    expect(doubtsOf(bench)).toEqual(["volume"]);
    await expect(bench.guard.assertMayRemove()).rejects.toThrow("another disk");
  });
});

describe("what is no doubt", () => {
  it("is a store that cannot be asked: the removal waits and nothing is stopped (F19, F29)", async () => {
    const { bench } = await withProvenSegments();
    const away = createGuard(bench.setup, {
      catalog: bench.catalog,
      store: { ...bench.store, head: () => Promise.reject(new Error("connection refused")) },
    });
    await expect(away.assertMayRemove()).rejects.toThrow("connection refused");
    expect(await away.list()).toEqual([]);
  });

  it("is a disk that cannot be read (F42)", async () => {
    const { bench } = await withProvenSegments();
    await rm(volumeFile(bench));
    await mkdir(volumeFile(bench));
    await expect(bench.guard.assertMayRemove()).rejects.toMatchObject({ kind: "unavailable" });
    expect(await bench.guard.list()).toEqual([]);
  });

  it("is a death between the mark in the database and the one beside the recordings (F14)", async () => {
    const { bench } = await withProvenSegments();
    await bench.catalog.db("remembered").insert({ node_id: "node-1", name: "generation", value: "12" });
    await writeFile(generationFile(bench), "11");
    await bench.guard.assertMayRemove();
  });

  it("is a mark that the server raised between the two looks of a command beside it", async () => {
    const { bench } = await withProvenSegments();
    const { catalog, setup, recordDir } = bench;
    const marks = createVolumeMarks(recordDir, setup.config.dataDir);
    const command = new DeletionGuard({
      ...{ catalog, recordDir, logger: setup.logger, onReleased: () => undefined },
      store: {
        description: "the folder",
        readMarker: () => Promise.resolve("id"),
        placeMarker: () => Promise.resolve(),
      },
      marks: {
        ...marks,
        readGeneration: async () => {
          await remember(catalog, { generation: "8" });
          return 8;
        },
      },
    });
    await remember(catalog, { generation: "7", storeId: "id" });
    await command.assertMayRemove();
    expect(command.stops).toEqual([]);
  });

  it("is a store whose first marker a command placed between the look at it and the look into the database", async () => {
    const { bench } = await withProvenSegments();
    const { catalog, setup, recordDir } = bench;
    let looks = 0;
    const server = new DeletionGuard({
      ...{ catalog, recordDir, logger: setup.logger, onReleased: () => undefined },
      marks: createVolumeMarks(recordDir, setup.config.dataDir),
      store: {
        description: "the folder",
        readMarker: async () => {
          looks += 1;
          if (looks > 1) return "placed meanwhile";
          await remember(catalog, { storeId: "placed meanwhile" });
          return null;
        },
        placeMarker: () => Promise.reject(new Error("there is one")),
      },
    });
    await server.assertMayRemove();
    expect(server.stops).toEqual([]);
  });

  it("is a data directory that was lost with its database: the disk says which it is, the mark that it is older (F39)", async () => {
    const { bench, names } = await withProvenSegments();
    await writeFile(generationFile(bench), "3");
    const fresh = await createBench({ beside: bench, env: { DATA_DIR: await tempDir(), LOCAL_RETENTION: "0s" } });
    await fresh.scan();
    await fresh.drain();
    expect(doubtsOf(fresh)).toEqual(["database"]);
    for (const name of names) expect(existsSync(path.join(bench.recordDir, name))).toBe(true);
    expect((await fresh.rows()).map(({ archive }) => archive)).toEqual(["verified", "verified"]);
  });
});

describe("the database of yesterday (F39)", () => {
  it("removes nothing, also what it thinks is due; released, it goes on from there", async () => {
    const clock = steppableClock();
    const { bench, names } = await withProvenSegments({ clock });
    await bench.guard.start();
    const yesterday = path.join(await tempDir(), "yesterday.sqlite");
    await bench.catalog.db.raw("pragma wal_checkpoint(truncate)");
    await cp(bench.databaseFile, yesterday);
    await waitFor("the next mark", async () => {
      await clock.advance(5_000);
      return Number(await readFile(generationFile(bench), "utf8")) === 2;
    });
    await bench.guard.stop();
    await bench.stopWorker();

    const restored = await createBench({
      clock,
      beside: bench,
      databaseFile: yesterday,
      env: { LOCAL_RETENTION: "1h" },
    });
    await restored.makeDue();
    await restored.drain();
    expect(doubtsOf(restored)).toEqual(["database"]);
    expect(restored.guard.stops[0]?.message).toContain("it was last at mark 1, they stand at mark 2");
    for (const name of names) expect(existsSync(path.join(bench.recordDir, name))).toBe(true);
    await restored.guard.release(["database"]);
    await restored.makeDue();
    await restored.drain();
    expect((await restored.rows()).map(stateOf)).toEqual(["released verified -", "released verified -"]);
  });
});
