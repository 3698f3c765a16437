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
}

export interface WorkerDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly handlers: Readonly<Record<Step, StepHandler>>;
  /** Default 20. What wakes an idle lane seldom comes alone: one look for all of it costs less than one for each. */
  readonly gatherMs?: number;
  /** For the metrics: a step ended well, or with an error of this kind. */
  readonly onStepDone?: (step: Step, seconds: number, outcome: "done" | ErrorKind) => void;
}

/** Safety net: a lane looks at the queue at least this often, even when nobody wakes it. */
const LONGEST_WAIT_MS = 5_000;
const SHORTEST_WAIT_MS = 20;
const GATHER_MS = 20;
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

  /** New rows may be due: look now. */
  wake(): void {
    for (const latch of this.#latches.values()) latch.set();
  }

  #wakeLaneOf(step: Step): void {
    for (const [lane, latch] of this.#latches) if (lane.steps.includes(step)) latch.set();
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
    const inLane = new Set<Promise<void>>();
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      const free = Math.floor(lane.concurrency()) - inLane.size;
      const claimed = free > 0 ? await this.#claim(lane, { limit: free, failures }) : [];
      if (claimed === undefined) {
        failures += 1;
        await clock.sleep(QUEUE_RETRY_MS, this.#stopping.signal);
        continue;
      }
      failures = 0;
      for (const recording of claimed) {
        const done: Promise<void> = this.#runStep(recording).finally(() => {
          inLane.delete(done);
          this.#running.delete(done);
          latch.set();
        });
        inLane.add(done);
        this.#running.add(done);
      }
      const isFull = claimed.length === free || free <= 0;
      if (isFull) {
        await latch.wait(clock, LONGEST_WAIT_MS);
      } else {
        await latch.wait(clock, await this.#untilNextDueMs(lane));
        await sleep(this.#deps.gatherMs ?? GATHER_MS);
      }
    }
  }

  async #untilNextDueMs(lane: Lane): Promise<number> {
    const { catalog } = this.#deps;
    const dueAtUs = await nextDueAtUs(catalog, lane.steps).catch(() => null);
    const untilDueMs = dueAtUs === null ? LONGEST_WAIT_MS : (dueAtUs - catalog.clock.nowUs()) / 1_000;
    return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, Math.ceil(untilDueMs)));
  }

  /** Undefined: the queue cannot be read, for the `failures` + 1st time. */
  async #claim(
    lane: Lane,
    { limit, failures }: { readonly limit: number; readonly failures: number },
  ): Promise<Recording[] | undefined> {
    try {
      await this.#releaseLostClaims();
      return await this.#claimOnce(lane, limit);
    } catch (error) {
      if (isTold(failures)) {
        this.#deps.logger.error("queue cannot be read", { lane: lane.name, failures, err: describeError(error) });
      }
      return undefined;
    }
  }

  async #claimOnce({ steps, leaseMs }: Lane, limit: number): Promise<Recording[]> {
    const leaseOwner = randomUUID();
    try {
      return await claimDue(this.#deps.catalog, { steps, limit, leaseMs, leaseOwner });
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
        if (outcome.patch.step !== undefined && outcome.patch.step !== null) this.#wakeLaneOf(outcome.patch.step);
      }
      onStepDone?.(step, seconds(), "done");
    } catch (error) {
      onStepDone?.(step, seconds(), toAppError(error).kind);
      await this.#putBack(recording, error);
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
