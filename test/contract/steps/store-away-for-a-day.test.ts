/** The store refuses for a simulated day while segments arrive: tried again and again, ever more rarely, never given up. */
import { existsSync } from "node:fs";
import path from "node:path";

import { expect, it } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { AppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { noteSegment } from "../../../src/ingest/note-hook.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { PATIENCE } from "../../support/patience.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SEGMENTS = 12;
const SEGMENT_EVERY_MS = DAY_MS / SEGMENTS;
/** Of one object, but for how coarsely the day is walked. */
const MOST_WAIT_MS = 900_000;
/** After the first segment tries within five minutes happen together: a day has too many to stop at each. */
const STEP_MS = 300_000;

useBench();

/** Refuses until it is told otherwise, and remembers who asked when. */
class MoodyStore {
  isAway = true;
  /** Of each file: the instants of its tries, in ms. */
  readonly triesMs = new Map<string, number[]>();
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  wrap(inner: ObjectStore): ObjectStore {
    return {
      ...inner,
      put: (key, source, options) => {
        if (!this.isAway) return inner.put(key, source, options);
        const tries = this.triesMs.get(source.filePath) ?? [];
        this.triesMs.set(source.filePath, [...tries, this.#clock.monotonicMs()]);
        return Promise.reject(new AppError({ kind: "unavailable", message: "put: connection refused" }));
      },
    };
  }
}

it(
  "keeps all files for a day, tries no object twice in a second, waits 15 minutes at most, and drains soon after (F19)",
  async () => {
    const clock = createFakeClock();
    const store = new MoodyStore(clock);
    const bench = await createBench({
      ...{ clock, env: { LOCAL_RETENTION: "1h" }, wrapStore: store.wrap.bind(store) },
    });
    const files: string[] = [];
    for (let number = 0; number < SEGMENTS; number += 1) {
      files.push(await addSegment(bench, number));
      await pass(bench, clock, { untilMs: (number + 1) * SEGMENT_EVERY_MS, stepMs: number === 0 ? 0 : STEP_MS });
    }

    const waiting = await bench.rows();
    expect(waiting.map(({ local, archive }) => `${local} ${archive}`)).toEqual(files.map(() => "present uploading"));
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    expect(await bench.catalog.db("removals")).toEqual([]);
    const triesOf = (file: string): readonly number[] => store.triesMs.get(file) ?? [];
    // What is told of a row is what the store saw.
    expect(waiting.map(({ attempts }) => attempts)).toEqual(files.map((file) => triesOf(file).length));
    for (const [number, file] of files.entries()) {
      const waitsMs = triesOf(file).map((atMs, index) => atMs - (triesOf(file)[index - 1] ?? -Infinity));
      expect(Math.min(...waitsMs)).toBeGreaterThanOrEqual(1_000);
      expect(Math.max(...waitsMs.slice(1))).toBeLessThanOrEqual(MOST_WAIT_MS + STEP_MS);
      const sinceLastMs = DAY_MS - (triesOf(file).at(-1) ?? -Infinity);
      expect(sinceLastMs, `since the last try of segment ${number}`).toBeLessThanOrEqual(MOST_WAIT_MS + STEP_MS);
    }
    const tries = files.reduce((sum, file) => sum + triesOf(file).length, 0);
    console.log(`${tries} tries of ${SEGMENTS} objects in a day`);

    store.isAway = false;
    await pass(bench, clock, { untilMs: DAY_MS + MOST_WAIT_MS + STEP_MS, stepMs: STEP_MS });
    expect((await bench.rows()).map(({ archive }) => archive)).toEqual(files.map(() => "verified"));
    await pass(bench, clock, { untilMs: DAY_MS + MOST_WAIT_MS + STEP_MS + HOUR_MS, stepMs: STEP_MS });
    expect((await bench.rows()).map(({ local, step }) => `${local} ${step ?? ""}`)).toEqual(
      files.map(() => "released "),
    );
    const removals: { what: string; proof: string | null }[] = await bench.catalog.db("removals");
    expect(removals.map(({ what, proof }) => `${what} ${String(proof !== null)}`)).toEqual(
      files.map(() => "local true"),
    );
  },
  150_000 * PATIENCE,
);

async function addSegment(bench: Bench, number: number): Promise<string> {
  const startUs = bench.clock.nowUs();
  const file = path.join(bench.recordDir, nameOf("cam1", startUs));
  await writeAt(bench.clock, file, footage({ startUs, number }));
  await noteSegment(bench.ingest, "segment-complete", { path: parsePathName("cam1"), segmentPath: file });
  await bench.drain();
  return file;
}

/** Lets time pass from one due row to the next, `stepMs` at least, and the worker do at each stop what is due. */
async function pass(
  bench: Bench,
  clock: FakeClock,
  { untilMs, stepMs }: { readonly untilMs: number; readonly stepMs: number },
): Promise<void> {
  while (clock.monotonicMs() < untilMs) {
    const dueUs = (await bench.rows()).filter(({ step }) => step !== null).map((row) => row.nextAttemptAtUs);
    const untilDueMs = (Math.min(...dueUs) - clock.nowUs()) / 1_000;
    const leftMs = untilMs - clock.monotonicMs();
    await clock.advance(Math.min(leftMs, Math.max(untilDueMs, stepMs, 1)));
    await bench.drain();
  }
}
