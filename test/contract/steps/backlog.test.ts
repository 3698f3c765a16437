/** A folder of ten thousand segments that nobody knew of (F51): read in one go, beside hooks, in bounded memory. */
import path from "node:path";

import { expect, it } from "vitest";

import { isAppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { noteSegment } from "../../../src/ingest/note-hook.js";
import { PATIENCE } from "../../support/patience.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 19) * 1_000;
const CAMERAS = 10;
const SEGMENTS_PER_CAMERA = 1_000;
const MOST_GROWTH_BYTES = 256 * 1_048_576;
const HOOK_WITHIN_MS = 5_000 * PATIENCE;

useBench();

async function addBacklog(bench: Bench): Promise<void> {
  for (let camera = 0; camera < CAMERAS; camera += 1) {
    for (let first = 0; first < SEGMENTS_PER_CAMERA; first += 100) {
      const numbers = Array.from({ length: 100 }, (_, at) => first + at);
      await Promise.all(
        numbers.map((number) => {
          const startUs = START_US + number * 1_000_000;
          const file = path.join(bench.recordDir, nameOf(`cam${camera}`, startUs));
          return writeAt(bench.clock, file, footage({ startUs, number, seconds: 1 }), { agoSec: 100 });
        }),
      );
    }
  }
}

it(
  "is scanned whole while hooks are answered, and begins to be archived meanwhile (F51)",
  { timeout: 240_000 * PATIENCE },
  async () => {
    const bench = await createBench();
    await addBacklog(bench);
    const before = process.memoryUsage().rss;
    let most = before;
    const startedMs = performance.now();
    const hookMs: number[] = [];
    let refused = 0;
    const scanned = new AbortController();
    bench.startWorker();
    const hooks = (async () => {
      for (let number = 0; !scanned.signal.aborted; number += 1) {
        const startUs = bench.clock.nowUs();
        const file = path.join(bench.recordDir, nameOf("live", startUs));
        await writeAt(bench.clock, file, footage({ startUs, number, seconds: 1 }));
        const askedMs = performance.now();
        try {
          await noteSegment(bench.ingest, "segment-complete", { path: parsePathName("live"), segmentPath: file });
        } catch (error) {
          // On a machine that is short of time a hook may hear 503, and the scan finds its file.
          if (!isAppError(error, "unavailable")) throw error;
          refused += 1;
        }
        hookMs.push(performance.now() - askedMs);
        most = Math.max(most, process.memoryUsage().rss);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    const progress = await bench.scan().finally(() => scanned.abort());
    const scanSec = (performance.now() - startedMs) / 1_000;
    await hooks;
    await bench.stopWorker();
    const rows = await bench.rows();
    const archived = rows.filter(({ archive }) => archive === "verified").length;
    const slowestMs = Math.max(...hookMs);
    console.log(
      `${progress.recorded} segments scanned in ${scanSec.toFixed(1)} s beside ${hookMs.length} hooks ` +
        `(${refused} refused, slowest ${slowestMs.toFixed(0)} ms), ${archived} archived meanwhile, RSS +${((most - before) / 1_048_576).toFixed(0)} MiB`,
    );
    expect(rows.filter(({ path: name }) => name !== "live")).toHaveLength(CAMERAS * SEGMENTS_PER_CAMERA);
    expect(progress).toMatchObject({ rejected: 0, missing: 0, doubted: 0 });
    expect(hookMs.length).toBeGreaterThan(3);
    expect(refused).toBeLessThan(hookMs.length / 2);
    expect(slowestMs).toBeLessThan(HOOK_WITHIN_MS);
    expect(archived).toBeGreaterThan(0);
    expect(most - before).toBeLessThan(MOST_GROWTH_BYTES);
    await bench.scan();
    const live = (await bench.rows()).filter(({ path: name }) => name === "live");
    expect(live).toHaveLength(hookMs.length);
    expect(await bench.scan()).toMatchObject({ recorded: 0 });
  },
);
