/**
 * Takes due rows and runs their steps, lane by lane. All of the queue is in the rows: this object can be killed at any
 * moment and another one goes on where it stood.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Catalog } from "../catalog/catalog.js";
import { claimDue, commitStep, giveBack, nextDueAtUs, postponeStep, releaseClaim } from "../catalog/recording-queue.js";
import { describeError, type ErrorKind, isAppError, toAppError } from "../core/errors.js";
import type { Recording, Step } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import { Latch } from "../platform/latch.js";
import type { Logger } from "../platform/logger.js";
import type { StepHandler } from "./step.js";

export interface Lane {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Steps at once; may change between calls, 0 pauses the lane. */
  readonly concurrency: () => number;
  /** Longer than the longest step. */
  readonly leaseMs: number;
  /**
   * Rows taken besides those that can begin at once, so that not every step costs a claim of its own. Only for steps
   * that ask whether the row is still theirs before they change anything outside of it. Default 0.
   */
  readonly ahead?: number;
}

/** What a lane has claimed. */
interface Lot {
  readonly running: Set<Promise<void>>;
  readonly waiting: { readonly recording: Recording; readonly claimedMs: number }[];
  /** By the last look, when it found nothing due; null: nothing waits. */
  nextDueAtUs?: number | null | undefined;
  /** The last claim took all that was due: whatever is due since then wakes the lane. */
  isDry: boolean;
}

export interface WorkerDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly handlers: Readonly<Record<Step, StepHandler>>;
  /** Default 20. What wakes an idle lane seldom comes alone: one look for all of it costs less than one for each. */
  readonly gatherMs?: number;
  /** Something that cannot wait is kept waiting by us: each lane then does one step at a time, with a rest before it. */
  readonly isPressed?: () => boolean;
  /** For the metrics: a step ended well, or with an error of this kind. */
  readonly onStepDone?: (step: Step, seconds: number, outcome: "done" | ErrorKind) => void;
}

/** Safety net: a lane looks at the queue at least this often, even when nobody wakes it. */
const LONGEST_WAIT_MS = 5_000;
const SHORTEST_WAIT_MS = 20;
const GATHER_MS = 20;
const PRESSED_REST_MS = 10;
/** Between tries to read a queue that cannot be read, whoever wakes the lane meanwhile. */
const QUEUE_RETRY_MS = 1_000;

export class Worker {
  readonly #deps: WorkerDeps;
  readonly #lanes: readonly Lane[];
  readonly #latches = new Map<Lane, Latch>();
  readonly #running = new Set<Promise<void>>();
  /** Claims that failed: whether they hold rows is not known. */
  readonly #lostClaims = new Set<string>();
  /** Aborts steps that outlast the grace of `stop`. */
  readonly #abort = new AbortController();
  readonly #stopping = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(deps: WorkerDeps, lanes: readonly Lane[]) {
    this.#deps = deps;
    this.#lanes = lanes;
  }

  start(): void {
    this.#loops = this.#lanes.map((lane) => this.#runLane(lane));
  }

  /** New rows may be due, of this step where it is known: look now. */
  wake(step?: Step): void {
    for (const [lane, latch] of this.#latches) if (step === undefined || lane.steps.includes(step)) latch.set();
  }

  /** Stops claiming, gives running steps `graceMs` to finish, then aborts them; their rows go back to the queue. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await Promise.all(this.#loops);
    await Promise.race([Promise.all(this.#running), this.#deps.catalog.clock.sleep(graceMs, this.#abort.signal)]);
    this.#abort.abort();
    await Promise.all(this.#running);
  }

  async #runLane(lane: Lane): Promise<void> {
    const { clock } = this.#deps.catalog;
    const latch = new Latch();
    this.#latches.set(lane, latch);
    const lot: Lot = { running: new Set(), waiting: [], isDry: false };
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      if (this.#deps.isPressed?.() === true) await sleep(PRESSED_REST_MS);
      const most = this.#deps.isPressed?.() === true ? 1 : Infinity;
      const free = Math.min(most, Math.floor(lane.concurrency())) - lot.running.size;
      const wanted = free > lot.waiting.length ? free - lot.waiting.length + (lane.ahead ?? 0) : 0;
      lot.nextDueAtUs = undefined;
      const claimed = wanted > 0 ? await this.#claim(lane, lot, { limit: wanted, failures }) : [];
      if (claimed === undefined) {
        failures += 1;
        await clock.sleep(QUEUE_RETRY_MS, this.#stopping.signal);
        continue;
      }
      failures = 0;
      lot.isDry = claimed.length < wanted;
      lot.waiting.push(...claimed.map((recording) => ({ recording, claimedMs: clock.monotonicMs() })));
      const done = (): void => {
        if (!lot.isDry || lot.waiting.length > 0) latch.set();
      };
      await this.#begin(lane, lot, { most: free, done });
      if (claimed.length === wanted || lot.waiting.length > 0) {
        await latch.wait(clock, LONGEST_WAIT_MS);
      } else {
        await latch.wait(clock, await this.#untilNextDueMs(lane, lot));
        await sleep(this.#deps.gatherMs ?? GATHER_MS);
      }
    }
    for (const { recording } of lot.waiting) await this.#leave(recording);
  }

  /** A row that waited for half of its lease goes back: its step must end within the other half. */
  async #begin(
    { leaseMs }: Lane,
    { running, waiting }: Lot,
    { most, done }: { readonly most: number; readonly done: () => void },
  ): Promise<void> {
    for (const { recording, claimedMs } of waiting.splice(0, Math.max(0, most))) {
      if (this.#deps.catalog.clock.monotonicMs() - claimedMs > leaseMs / 2) {
        await this.#leave(recording);
        continue;
      }
      const step: Promise<void> = this.#runStep(recording).finally(() => {
        running.delete(step);
        this.#running.delete(step);
        done();
      });
      running.add(step);
      this.#running.add(step);
    }
  }

  /** Untouched. What the database does not hear comes back when the lease is over, or with the next start. */
  async #leave(recording: Recording): Promise<void> {
    await giveBack(this.#deps.catalog, recording).catch((error: unknown) => {
      this.#deps.logger.debug("row not given back", { ...identify(recording), err: describeError(error) });
    });
  }

  async #untilNextDueMs(lane: Lane, { nextDueAtUs: known }: Lot): Promise<number> {
    const { catalog } = this.#deps;
    const dueAtUs = known === undefined ? await nextDueAtUs(catalog, lane.steps).catch(() => null) : known;
    const untilDueMs = dueAtUs === null ? LONGEST_WAIT_MS : (dueAtUs - catalog.clock.nowUs()) / 1_000;
    return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, Math.ceil(untilDueMs)));
  }

  /** Undefined: the queue cannot be read, for the `failures` + 1st time. */
  async #claim(
    lane: Lane,
    lot: Lot,
    { limit, failures }: { readonly limit: number; readonly failures: number },
  ): Promise<Recording[] | undefined> {
    try {
      await this.#releaseLostClaims();
      return await this.#claimOnce(lane, lot, limit);
    } catch (error) {
      if (isTold(failures)) {
        this.#deps.logger.error("queue cannot be read", { lane: lane.name, failures, err: describeError(error) });
      }
      return undefined;
    }
  }

  async #claimOnce({ steps, leaseMs }: Lane, lot: Lot, limit: number): Promise<Recording[]> {
    const leaseOwner = randomUUID();
    const onNothingDue = (nextDueAtUs: number | null): void => {
      lot.nextDueAtUs = nextDueAtUs;
    };
    try {
      return await claimDue(this.#deps.catalog, { steps, limit, leaseMs, leaseOwner, onNothingDue });
    } catch (error) {
      this.#lostClaims.add(leaseOwner);
      throw error;
    }
  }

  /** Before the next claim, so that a database that is away for hours leaves no more than one for each lane. */
  async #releaseLostClaims(): Promise<void> {
    for (const leaseOwner of this.#lostClaims) {
      await releaseClaim(this.#deps.catalog, leaseOwner);
      this.#lostClaims.delete(leaseOwner);
    }
  }

  async #runStep(recording: Recording): Promise<void> {
    const { catalog, handlers, logger, onStepDone } = this.#deps;
    const { step } = recording;
    if (step === null) return;
    const startedMs = catalog.clock.monotonicMs();
    const seconds = (): number => (catalog.clock.monotonicMs() - startedMs) / 1_000;
    try {
      await faultPoint(`${step}.before-step`);
      const outcome = await handlers[step](recording, this.#abort.signal);
      if (outcome !== undefined) {
        await faultPoint(`${step}.before-commit`);
        await commitStep(catalog, recording, outcome);
        await faultPoint(`${step}.after-commit`);
        logTransition(logger, recording, outcome.patch);
      }
      const next = outcome?.patch.step === undefined ? step : outcome.patch.step;
      if (next !== null) this.wake(next);
      onStepDone?.(step, seconds(), "done");
    } catch (error) {
      onStepDone?.(step, seconds(), toAppError(error).kind);
      await this.#putBack(recording, error);
      this.wake(step);
    }
  }

  /** A database that takes nothing now gets the row back when it does: the lease may be as long as a day. */
  async #putBack(recording: Recording, error: unknown): Promise<void> {
    const { catalog, logger } = this.#deps;
    for (let failures = 0; ; failures += 1) {
      try {
        await this.#tryToPutBack(recording, error);
        return;
      } catch (commitError) {
        if (isTold(failures)) {
          logger.error("step failed and the row cannot be put back; this is tried again", {
            ...{ step: recording.step, ...identify(recording), err: describeError(error) },
            commitErr: describeError(commitError),
          });
        }
        await catalog.clock.sleep(QUEUE_RETRY_MS, this.#stopping.signal);
        // The next start gives all rows back.
        if (this.#stopping.signal.aborted) return;
      }
    }
  }

  async #tryToPutBack(recording: Recording, error: unknown): Promise<void> {
    const { catalog, logger } = this.#deps;
    const fields = {
      step: recording.step,
      ...identify(recording),
      attempts: recording.attempts,
      err: describeError(error),
    };
    const isOurs = !this.#abort.signal.aborted && !isAppError(error, "cancelled");
    if (!isOurs || !(await this.#postpone(recording, error))) {
      await giveBack(catalog, recording);
      logger.debug("step given back", fields);
      // Whatever took the row away may wait in another lane.
      this.wake();
      return;
    }
    if (!isTold(recording.attempts)) return;
    const { kind, hint } = toAppError(error);
    const level = kind === "unavailable" ? "warn" : "error";
    logger[level]("step failed, will be tried again", { ...fields, kind, hint });
  }

  /** False: the row was changed meanwhile, for instance by a request to delete, and is not ours to postpone. */
  async #postpone(recording: Recording, error: unknown): Promise<boolean> {
    const { retryAfterMs } = toAppError(error);
    try {
      await faultPoint("worker.before-postpone");
      await postponeStep(this.#deps.catalog, recording, { error: describeError(error), retryAfterMs });
      return true;
    } catch (failure) {
      if (isAppError(failure, "cancelled")) return false;
      throw failure;
    }
  }
}

/** Repeats of one failure are folded: 0, 1, 3, 7, 15 … are told. */
function isTold(failuresBefore: number): boolean {
  return ((failuresBefore + 1) & failuresBefore) === 0;
}

function logTransition(logger: Logger, before: Recording, patch: Partial<Recording>): void {
  const local = patch.local ?? before.local;
  const archive = patch.archive ?? before.archive;
  if (local === before.local && archive === before.archive && before.step !== "inspect") return;
  logger.info("recording changed state", { ...identify(before), step: before.step, local, archive });
}

function identify(recording: Recording) {
  return { segmentId: recording.id, path: recording.path, file: recording.filePath };
}
