/**
 * Random histories of what can happen to segments, over the real catalog, real files and the folder store, against a
 * model that knows only what MediaMTX did and what the files hold. After each, when all work is done: every segment has
 * exactly one row; what a row calls verified is in the store byte for byte; no file is gone but by us after its proof, or
 * by whoever removed it; no object was overwritten.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";

import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";

import { Inspector } from "../../../src/media/inspector.js";
import { systemClock } from "../../../src/platform/clock.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { JUDGED_ONCE } from "../../support/patience.js";
import { type Bench, benchWorkerUrl, createBench, useBench } from "./bench.js";
import * as act from "./history-model.js";

const HISTORIES = Number(process.env["HISTORIES"] ?? 500);
const STEPS = Number(process.env["STEPS"] ?? 100);
/** Tests of so many each: what a history made is held until its test ends. */
const GROUP = 25;
/**
 * Always the same, so that a change is not stopped by what it did not do; SEED=$RANDOM looks for more, and SEED=…
 * REPLAY=path SHRINK=1 looks into a failure.
 */
const USUAL_SEED = 20_261_120;
const CAMERAS = ["cam1", "site/cam2"] as const;
/** Minutes on two busy cores. */
const LONGEST_MS = 1_800_000;
const ENV = { LOCAL_RETENTION: "30s" };

const camera = fc.constantFrom(...CAMERAS);
const pick = fc.nat({ max: 20 });
const point = fc.constantFrom<act.FreezePoint[]>("before put", "after put", "before head", "after head");
const action = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(camera, fc.boolean()).map(([name, hook]) => act.begin(name, hook)) },
  { weight: 5, arbitrary: camera.map(act.grow) },
  {
    weight: 5,
    arbitrary: fc.tuple(camera, fc.boolean(), fc.boolean()).map(([name, finalised, withHook]) => {
      return act.close(name, { finalised, withHook });
    }),
  },
  { weight: 3, arbitrary: pick.map(act.hook) },
  { weight: 3, arbitrary: pick.map(act.look) },
  { weight: 4, arbitrary: fc.constant(act.scan) },
  { weight: 7, arbitrary: fc.constant(act.work) },
  { weight: 4, arbitrary: fc.constantFrom(1, 3, 20, 70, 1_000).map(act.pass) },
  { weight: 2, arbitrary: fc.boolean().map(act.storeFails) },
  { weight: 3, arbitrary: point.map(act.freeze) },
  { weight: 2, arbitrary: fc.constant(act.thaw) },
  { weight: 1, arbitrary: pick.map(act.removeByHand) },
  { weight: 1, arbitrary: pick.map(act.askDeletion) },
);

interface State {
  /** All processes that there have been. */
  readonly benches: readonly Bench[];
  readonly model: act.Model;
  readonly real: act.Real;
}

function toCommand(one: act.Action): fc.AsyncCommand<act.Model, act.Real> {
  return { check: () => true, run: one.run, toString: () => one.name };
}

async function begin(inspector: Inspector): Promise<State> {
  const clock = createFakeClock();
  const gate = new act.StoreGate();
  const options = { env: ENV, inMemory: true, clock, inspector, wrapStore: gate.wrap.bind(gate) };
  const bench = await createBench(options);
  const benches = [bench];
  const takeOver: act.Real["takeOver"] = async (from) => {
    const next = await createBench({ ...options, beside: from, databaseFile: from.databaseFile });
    benches.push(next);
    return next;
  };
  return { benches, model: { segments: [], vanished: 0 }, real: { bench, clock, gate, takeOver } };
}

useBench();

const groups = Array.from({ length: Math.ceil(HISTORIES / GROUP) }, (_, group) => ({
  group: group + 1,
  size: Math.min(GROUP, HISTORIES - group * GROUP),
  // One seed for all would begin each group with the same histories.
  seed: Number(process.env["SEED"] ?? USUAL_SEED) + group,
}));

it.each(groups)(
  `histories of ${STEPS} steps, group $group of ${groups.length}: end with everything told, proven and kept (F3, F4, F9, F14, F16, F54)`,
  { ...JUDGED_ONCE, timeout: LONGEST_MS },
  ({ size, seed }) => runHistories(size, seed),
);

async function runHistories(histories: number, seed: number): Promise<void> {
  console.log(`SEED=${seed}`);
  const inspector = new Inspector({
    ...{ clock: systemClock, workerUrl: benchWorkerUrl(), ffprobe: { configuredPath: null, env: process.env } },
  });
  inspector.start();
  onTestFinished(() => inspector.stop());
  let segments = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(action.map(toCommand), { minLength: STEPS, maxLength: STEPS + 10, size: "max" }),
      async (commands) => {
        const { benches, model, real } = await begin(inspector);
        try {
          await fc.asyncModelRun(() => ({ model, real }), commands);
          await act.settle(model, real);
          await check(model, real);
          segments += model.segments.length;
        } finally {
          real.gate.thaw();
          for (const bench of benches) await bench.close();
          await rm(real.bench.root, { recursive: true });
        }
      },
    ),
    {
      ...{ numRuns: histories, seed, endOnFailure: process.env["SHRINK"] === undefined },
      // Else the end of the test run names the history, and not what went wrong.
      includeErrorInReport: true,
      ...(process.env["REPLAY"] === undefined ? {} : { path: process.env["REPLAY"] }),
    },
  );
  console.log(`${segments} segments in ${histories} histories`);
}

async function check(model: act.Model, real: act.Real): Promise<void> {
  const rows = await real.bench.rows();
  for (const segment of model.segments) {
    const own = rows.filter(({ filePath }) => filePath === segment.name);
    const what = `${segment.name} (${segment.state}, removed by ${segment.removedBy ?? "nobody"})`;
    if (segment.removedBy === "outsider" && !segment.wasSeen && own.length === 0) continue;
    expect(own, what).toHaveLength(1);
    const [row] = own;
    expect(row!.step, what).toBeNull();
    expect(existsSync(path.join(real.bench.recordDir, segment.name)), what).toBe(false);
    if (row!.archive === "verified") {
      const object = readFileSync(path.join(real.bench.bucketDir, row!.objectKey!));
      // A version that was removed before anybody read it can be nowhere.
      const versions = segment.removedBy === undefined ? [act.contentOf(segment)] : segment.versions;
      expect(
        versions.some((version) => object.equals(version)),
        what,
      ).toBe(true);
    }
    const expected = { local: row!.local, archive: row!.archive };
    switch (segment.removedBy) {
      case undefined:
        expect(expected, what).toEqual({ local: "released", archive: "verified" });
        expect(row!.endUs - row!.startUs, what).toBe(segment.seconds * 1_000_000);
        break;
      case "outsider":
        expect(["missing", "released", "deleted"], what).toContain(row!.local);
        break;
      case "person":
        expect(["deleted", "missing", "released"], what).toContain(row!.local);
        // A frozen upload that goes on after the deletion may leave bytes that the deletion then does not know.
        expect(["deleted", "none", "conflict"], what).toContain(row!.archive);
        break;
    }
  }
  expect(rows.map(({ filePath }) => filePath).sort()).toEqual(
    [...new Set(rows.map(({ filePath }) => filePath))].sort(),
  );
  for (const [key, sha256] of real.gate.stored) {
    const file = path.join(real.bench.bucketDir, key);
    if (existsSync(file)) expect(createHash("sha256").update(readFileSync(file)).digest("hex"), key).toBe(sha256);
  }
  const removals = (await real.bench.catalog.db("removals").where({ what: "local" })) as {
    reason: string;
    proof: string | null;
  }[];
  for (const { reason, proof } of removals) expect(proof === null).toBe(reason !== "retention");
}
