/** What a history may do, and the model of it: which segments MediaMTX made, what they hold, and who removed them. */
import { existsSync, unlinkSync } from "node:fs";
import path from "node:path";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { releaseStaleLeases } from "../../../src/catalog/recording-queue.js";
import { requestDeletion } from "../../../src/catalog/recordings.js";
import { AppError, isAppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { noteSegment } from "../../../src/ingest/note-hook.js";
import { noteWatchedFile } from "../../../src/ingest/note-watched-file.js";
import type { FakeClock } from "../../support/fake-clock.js";
import { waitFor } from "../../support/wait-for.js";
import type { Bench } from "./bench.js";
import { footage, fragment, nameOf, writeAt } from "./footage.js";

/** So long a file that was never finalised waits, when no later segment of its path comes. */
const A_DAY_MS = 90_000_000;
/** Fewer than these vanish at once in one history, or nobody would believe it (F45). */
const MOST_VANISH = 4;

export interface ModelSegment {
  readonly camera: string;
  readonly number: number;
  readonly startUs: number;
  readonly name: string;
  /** What the file has held, last what it holds now or held when it went. */
  readonly versions: Buffer[];
  seconds: number;
  state: "writing" | "finalised" | "torn";
  removedBy: "person" | "outsider" | undefined;
  /** The outsider was faster than hook, watch and scan. */
  wasSeen: boolean;
}

export interface Model {
  readonly segments: ModelSegment[];
  vanished: number;
}

export type FreezePoint = "before put" | "after put" | "before head" | "after head";

/** Stands between the steps and the folder store: fails, or freezes a step for as long as the history wants. */
export class StoreGate {
  failing = false;
  freezeAt: FreezePoint | undefined;
  readonly #frozen: (() => void)[] = [];
  /** By key: what a put that succeeded has stored. */
  readonly stored = new Map<string, string>();

  get frozen(): number {
    return this.#frozen.length;
  }

  thaw(): void {
    this.freezeAt = undefined;
    for (const goOn of this.#frozen.splice(0)) goOn();
  }

  wrap(inner: ObjectStore): ObjectStore {
    return {
      ...inner,
      put: async (key, source, options) => {
        await this.#pass("before put");
        await inner.put(key, source, options);
        this.stored.set(key, source.sha256);
        await this.#pass("after put");
      },
      head: async (key, signal) => {
        await this.#pass("before head");
        const facts = await inner.head(key, signal);
        await this.#pass("after head");
        return facts;
      },
    };
  }

  async #pass(point: FreezePoint): Promise<void> {
    if (this.freezeAt === point) {
      this.freezeAt = undefined;
      await new Promise<void>((resolve) => this.#frozen.push(resolve));
    }
    if (this.failing) throw new AppError({ kind: "unavailable", message: `${point}: 503` });
  }
}

/** The product under test; `bench` changes when another process takes over. */
export interface Real {
  bench: Bench;
  readonly clock: FakeClock;
  readonly gate: StoreGate;
  readonly takeOver: (from: Bench) => Promise<Bench>;
}

export interface Action {
  readonly name: string;
  /** Undefined when there is nothing to do it to. */
  readonly run: (model: Model, real: Real) => Promise<void>;
}

/** What the file holds now, or held when it went. */
export function contentOf({ versions }: ModelSegment): Buffer {
  return versions.at(-1)!;
}

function fileOf(real: Real, segment: ModelSegment): string {
  return path.join(real.bench.recordDir, segment.name);
}

function openSegment(model: Model, camera: string): ModelSegment | undefined {
  return model.segments.find((segment) => segment.camera === camera && segment.state === "writing");
}

/** Any segment that is not being written, picked by a number. */
function closedSegment(model: Model, pick: number): ModelSegment | undefined {
  const closed = model.segments.filter(({ state }) => state !== "writing");
  return closed[pick % Math.max(1, closed.length)];
}

/** MediaMTX begins a segment; at most one is open per camera. */
export function begin(camera: string, withHook: boolean): Action {
  return {
    name: `begin ${camera}${withHook ? " with hook" : ""}`,
    run: async (model, real) => {
      await close(camera, { finalised: true, withHook: false }).run(model, real);
      await real.clock.advance(1_000);
      const startUs = real.clock.nowUs();
      const number = model.segments.filter((segment) => segment.camera === camera).length;
      const content = footage({ startUs, number, seconds: 1, finalised: false });
      const name = nameOf(camera, startUs);
      const segment: ModelSegment = {
        ...{ camera, number, startUs, name, versions: [content], seconds: 1 },
        ...{ state: "writing", removedBy: undefined, wasSeen: false },
      };
      model.segments.push(segment);
      await writeAt(real.clock, fileOf(real, segment), content);
      if (withHook) await tell(real, segment, "segment-create");
    },
  };
}

export function grow(camera: string): Action {
  return {
    name: `grow ${camera}`,
    run: async (model, real) => {
      const segment = openSegment(model, camera);
      if (segment === undefined) return;
      await real.clock.advance(1_000);
      const more = fragment(segment.seconds);
      segment.versions.push(Buffer.concat([contentOf(segment), more]));
      segment.seconds += 1;
      await writeAt(real.clock, fileOf(real, segment), more, { append: true });
    },
  };
}

/** MediaMTX writes the header and closes; or it is killed in the middle of a fragment. */
export function close(camera: string, how: { readonly finalised: boolean; readonly withHook: boolean }): Action {
  return {
    name: `${how.finalised ? "close" : "tear"} ${camera}${how.withHook ? " with hook" : ""}`,
    run: async (model, real) => {
      const segment = openSegment(model, camera);
      if (segment === undefined) return;
      const { startUs, number, seconds } = segment;
      segment.state = how.finalised ? "finalised" : "torn";
      const torn = Buffer.concat([contentOf(segment), fragment(seconds).subarray(0, -7)]);
      segment.versions.push(how.finalised ? footage({ startUs, number, seconds }) : torn);
      await writeAt(real.clock, fileOf(real, segment), contentOf(segment));
      if (how.finalised && how.withHook) await tell(real, segment, "segment-complete");
    },
  };
}

/** A hook, late or repeated. */
export function hook(pick: number): Action {
  return {
    name: `hook ${pick}`,
    run: async (model, real) => {
      const segment = closedSegment(model, pick);
      if (segment?.state === "finalised") await tell(real, segment, "segment-complete");
    },
  };
}

export function look(pick: number): Action {
  return {
    name: `watch ${pick}`,
    run: async (model, real) => {
      const segment = closedSegment(model, pick);
      if (segment === undefined) return;
      segment.wasSeen ||= existsSync(fileOf(real, segment));
      await noteWatchedFile(real.bench.ingest, segment.name);
    },
  };
}

export const scan: Action = {
  name: "scan",
  run: async (model, real) => {
    for (const segment of model.segments) segment.wasSeen ||= existsSync(fileOf(real, segment));
    await scanAtLast(real);
  },
};

export const work: Action = {
  name: "work",
  run: (_model, real) => workUntilRest(real),
};

/** Time passes: retries, retention, quiet time. */
export function pass(sec: number): Action {
  return { name: `${sec} s pass`, run: (_model, real) => real.clock.advance(sec * 1_000) };
}

export function storeFails(failing: boolean): Action {
  return {
    name: failing ? "the store fails" : "the store works",
    run: (_model, real) => {
      real.gate.failing = failing;
      return Promise.resolve();
    },
  };
}

/** The process stands still in the middle of a step; another one takes its rows, and never hears of it. */
export function freeze(point: FreezePoint): Action {
  return {
    name: `freeze ${point}`,
    run: async (_model, real) => {
      const before = real.gate.frozen;
      real.gate.freezeAt = point;
      real.bench.startWorker();
      await whileTimePasses(
        real,
        waitFor(
          "a step to freeze, or nothing to do",
          async () => real.gate.frozen > before || (await real.bench.isAtRest()),
          { intervalMs: 2 },
        ),
      );
      real.gate.freezeAt = undefined;
      await abandon(real);
    },
  };
}

/** What was frozen goes on where it was, without a lease by now (F16, F54). */
export const thaw: Action = {
  name: "thaw",
  run: (_model, real) => {
    real.gate.thaw();
    return Promise.resolve();
  },
};

export function removeByHand(pick: number): Action {
  return {
    name: `rm ${pick}`,
    run: (model, real) => {
      const segment = closedSegment(model, pick);
      if (segment === undefined || model.vanished === MOST_VANISH || !existsSync(fileOf(real, segment))) {
        return Promise.resolve();
      }
      model.vanished += 1;
      segment.removedBy ??= "outsider";
      unlinkSync(fileOf(real, segment));
      return Promise.resolve();
    },
  };
}

export function askDeletion(pick: number): Action {
  return {
    name: `delete ${pick}`,
    run: async (model, real) => {
      const segment = closedSegment(model, pick);
      const row = (await real.bench.rows()).find(({ filePath }) => filePath === segment?.name);
      if (segment === undefined || row === undefined) return;
      await requestDeletion(real.bench.catalog, row.id);
      segment.removedBy ??= "person";
    },
  };
}

/** All wounds heal: cameras stop, the store works, the frozen go on, and time passes until nothing is left to do. */
export async function settle(model: Model, real: Real): Promise<void> {
  real.gate.failing = false;
  real.gate.thaw();
  for (const { camera } of [...model.segments])
    await close(camera, { finalised: true, withHook: false }).run(model, real);
  for (let round = 0; round < 12; round += 1) {
    await scan.run(model, real);
    await workUntilRest(real);
    if ((await real.bench.rows()).every(({ step }) => step === null)) return;
    await real.clock.advance(round === 0 ? A_DAY_MS : 10_000_000);
  }
}

/** As the scanner does: a database that is busy for too long is asked again. */
async function scanAtLast({ bench }: Real): Promise<void> {
  await waitFor("a scan", async () => {
    await bench.scan();
    return true;
  });
}

async function workUntilRest(real: Real): Promise<void> {
  await whileTimePasses(real, real.bench.drain());
}

/**
 * The connections of all that was frozen share the few threads of this process, so a lock may outlast its timeout; a
 * worker that could not read its queue asks again when time has passed, which it does here only by our hand.
 */
async function whileTimePasses(real: Real, waiting: Promise<unknown>): Promise<void> {
  const timer = setInterval(() => void real.clock.advance(1_000), 500);
  try {
    await waiting;
  } finally {
    clearInterval(timer);
  }
}

/** As a new process after a kill: its own connection and lease owner; the old leases are void. */
async function abandon(real: Real): Promise<void> {
  const old = real.bench;
  // Never ends by the clock: the frozen step knows of no abort.
  void old.stopWorker(Number.MAX_SAFE_INTEGER);
  real.bench = await real.takeOver(old);
  await releaseStaleLeases(real.bench.catalog);
}

async function tell(real: Real, segment: ModelSegment, kind: "segment-create" | "segment-complete"): Promise<void> {
  segment.wasSeen = true;
  const note = { path: parsePathName(segment.camera), segmentPath: fileOf(real, segment) };
  try {
    await noteSegment(real.bench.ingest, kind, note);
  } catch (error) {
    if (!isAppError(error)) throw error;
    throw new Error(`hook of ${segment.name}: ${error.message}`, { cause: error });
  }
}
