/** The archive read back in small shares: damage is found, told and mended where the local copy is still there. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { recall } from "../../../src/catalog/remembered.js";
import { AppError } from "../../../src/core/errors.js";
import type { Recording } from "../../../src/core/recording.js";
import type { Scrub, ScrubResult } from "../../../src/verify/scrub.js";
import { createScrub } from "../../../src/wiring/create-scrub.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { waitFor } from "../../support/wait-for.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const SEGMENTS = 4;
const DAYS = 2;

useBench();

let clock: FakeClock;
let bench: Bench;
let results: ScrubResult[];

beforeEach(async () => {
  clock = createFakeClock();
  bench = await createBench({ clock, env: { SCRUB_DAYS: String(DAYS) } });
  results = [];
  const startUs = clock.nowUs();
  await clock.advance(100_000);
  for (let number = 0; number < SEGMENTS; number += 1) {
    const content = footage({ startUs: startUs + number * 4_000_000, number });
    const file = path.join(bench.recordDir, nameOf("cam1", startUs + number * 4_000_000));
    await writeAt(clock, file, content, { agoSec: 80 });
  }
  await bench.scan();
  await bench.drain();
  // Else a lane that looks once more could take what the scrub finds, and would be who sleeps.
  await bench.stopWorker();
  expect((await bench.rows()).map(({ archive, local }) => [archive, local])).toEqual(
    Array.from({ length: SEGMENTS }, () => ["verified", "present"]),
  );
});

function newScrub(store: Partial<Bench["store"]> = {}): Scrub {
  return createScrub(bench.setup, {
    catalog: bench.catalog,
    store: { ...bench.store, ...store },
    guard: bench.guard,
    wake: () => undefined,
    onRead: (result) => results.push(result),
  })!;
}

function objectFileOf(row: Recording): string {
  return path.join(bench.bucketDir, row.objectKey!);
}

/** The object may be a link to the local file, which must not change with it. */
async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
}

async function readAll(scrub: Scrub): Promise<void> {
  for (let count = 0; count < SEGMENTS; count += 1) await scrub.readNext();
}

describe("the scrub", () => {
  it("reads every object once in a pass, goes on after a restart, and begins anew", async () => {
    const keys = (await bench.rows()).map(({ objectKey }) => objectKey!).sort();
    const read: string[] = [];
    const get: Bench["store"]["get"] = (key, options) => {
      read.push(key);
      return bench.store.get(key, options);
    };
    for (let count = 0; count < SEGMENTS + 1; count += 1) await newScrub({ get }).readNext();
    expect(read).toEqual([...keys, keys[0]]);
    expect(results).toEqual(Array.from({ length: SEGMENTS + 1 }, () => "same"));
    expect((await recall(bench.catalog)).scrubKey).toBe(keys[0]);
  });

  it("finds a flipped bit, has the local copy archived beside it, and says so (F24)", async () => {
    const [row] = await bench.rows();
    await flip(objectFileOf(row!));
    const scrub = newScrub();
    await readAll(scrub);
    expect(results.filter((result) => result === "damaged")).toHaveLength(1);
    expect(scrub.state).toEqual({ damaged: 1, error: null });
    expect(bench.log.filter(({ message }) => message === "archived copy is not what was proven")).toMatchObject([
      { level: "error", fields: { segmentId: row!.id, objectKey: row!.objectKey } },
    ]);
    await bench.drain();
    const [now] = await bench.rows();
    expect(now).toMatchObject({ archive: "verified", local: "present", sha256: row!.sha256 });
    expect(now!.objectKey).not.toBe(row!.objectKey);
    results = [];
    await readAll(newScrub());
    expect(results).toEqual(Array.from({ length: SEGMENTS }, () => "same"));
  });

  it("releases nothing on a copy that is gone (F25)", async () => {
    const [row] = await bench.rows();
    await rm(objectFileOf(row!));
    await readAll(newScrub());
    expect((await bench.rows())[0]).toMatchObject({ archive: "none", verifiedAtUs: null, step: "inspect" });
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ archive: "verified", objectKey: row!.objectKey });
  });

  it("takes no answer for damage from a store that gives none, and asks again in the next pass (F19)", async () => {
    const get: Bench["store"]["get"] = () =>
      Promise.reject(new AppError({ kind: "permission-denied", message: "403" }));
    const scrub = newScrub({ get });
    await readAll(scrub);
    expect(results).toEqual(Array.from({ length: SEGMENTS }, () => "untold"));
    expect(scrub.state).toMatchObject({ damaged: 0, error: "403" });
    expect((await bench.rows()).every(({ archive }) => archive === "verified")).toBe(true);
  });

  it("concludes nothing from another bucket (F29)", async () => {
    await bench.guard.start();
    onTestFinished(() => bench.guard.stop());
    await bench.guard.assertIsKnown("store");
    await writeFile(path.join(bench.bucketDir, "recordings", "~store-id"), "0190aaaa-0000-4000-8000-000000000009\n");
    const [row] = await bench.rows();
    await rm(objectFileOf(row!));
    // The guard believes for a minute that the bucket is the one that it saw last.
    await clock.advance(61_000);
    await expect(newScrub().readNext()).rejects.toMatchObject({ kind: "failed-precondition" });
    expect((await bench.rows())[0]).toEqual(row);
  });

  it("spreads one pass over SCRUB_DAYS", async () => {
    await waitFor("nobody to sleep", () => clock.sleepers() === 0);
    const scrub = newScrub();
    scrub.start();
    await waitFor("the first pause", () => clock.sleepers() === 1);
    // Two days for four objects would be one every half day; it is never longer than an hour.
    await clock.advance(3_599_000);
    expect(results).toEqual([]);
    await clock.advance(1_000);
    await waitFor("the first object", () => results.length === 1);
    await scrub.stop();
  });
});
