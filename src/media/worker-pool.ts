/**
 * A few worker threads and one queue. A worker does one job at a time; one that crashes, misses its deadline or is
 * cancelled is ended (its open files are closed with it) and replaced when the next job needs it.
 */
import { setMaxListeners } from "node:events";
import { Worker } from "node:worker_threads";

import { AppError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";

const STOP_TIMEOUT_MS = 5_000;

export interface WorkerPoolOptions {
  /** Of a compiled module that answers every message with exactly one message. */
  readonly workerUrl: URL;
  readonly size: number;
  readonly clock: Clock;
}

export interface JobOptions {
  /** Counts from when a worker takes the job. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

interface Job extends JobOptions {
  readonly request: unknown;
  readonly settle: (outcome: Outcome) => void;
}

type Outcome = { readonly reply: unknown } | { readonly error: AppError };

interface Slot {
  worker: Worker | null;
  job: Job | null;
  /** Ends the job; null when idle. */
  end: ((outcome: Outcome) => void) | null;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: readonly Slot[];
  #queue: Job[] = [];
  #isRunning = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.size }, () => ({ worker: null, job: null, end: null }));
  }

  start(): void {
    this.#isRunning = true;
  }

  /** Rejects what waits or runs as `cancelled` and ends the threads. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    const stopping: Outcome = { error: cancelled("the inspector stops") };
    for (const job of this.#queue.splice(0)) job.settle(stopping);
    const workers = this.#slots.map(({ worker }) => worker).filter((worker) => worker !== null);
    for (const slot of this.#slots) {
      slot.end?.(stopping);
      slot.worker = null;
    }
    const deadline = new AbortController();
    const ended = Promise.all(workers.map((worker) => worker.terminate()));
    await Promise.race([ended, this.#options.clock.sleep(STOP_TIMEOUT_MS, deadline.signal)]);
    deadline.abort();
  }

  /** Resolves with the reply. Throws `unavailable` when the worker crashes or is too late, `cancelled` on abort. */
  run(request: unknown, options: JobOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (!this.#isRunning || signal.aborted) {
        reject(cancelled(signal.aborted ? "aborted" : "the inspector is stopped"));
        return;
      }
      const onAbort = (): void => this.#abort(job);
      const settle = (outcome: Outcome): void => {
        signal.removeEventListener("abort", onAbort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.reply);
      };
      const job: Job = { request, ...options, settle };
      // One signal may end a long queue: that many listeners are no leak, they go with their jobs.
      setMaxListeners(0, signal);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  #abort(job: Job): void {
    const outcome: Outcome = { error: cancelled("aborted") };
    const slot = this.#slots.find((candidate) => candidate.job === job);
    if (slot !== undefined) {
      slot.end?.(outcome);
      return;
    }
    this.#queue = this.#queue.filter((queued) => queued !== job);
    job.settle(outcome);
  }

  #dispatch(): void {
    if (!this.#isRunning) return;
    for (const slot of this.#slots) {
      if (slot.end !== null) continue;
      const job = this.#queue.shift();
      if (job === undefined) return;
      this.#execute(slot, job);
    }
  }

  #execute(slot: Slot, job: Job): void {
    const finished = new AbortController();
    slot.job = job;
    slot.end = (outcome) => {
      slot.job = null;
      slot.end = null;
      finished.abort();
      if ("error" in outcome) this.#discard(slot);
      job.settle(outcome);
      // Not at once: a pool that can start no thread would fail its whole queue recursively.
      setImmediate(() => this.#dispatch());
    };
    const { end } = slot;
    try {
      slot.worker ??= this.#spawn(slot);
      slot.worker.postMessage(job.request);
    } catch (cause) {
      end({ error: unavailable("no worker thread can be started", cause) });
      return;
    }
    void this.#options.clock.sleep(job.deadlineMs, finished.signal).then(() => {
      if (slot.end === end) end({ error: unavailable(`no answer after ${String(job.deadlineMs)} ms`) });
    });
  }

  #spawn(slot: Slot): Worker {
    const worker = new Worker(this.#options.workerUrl);
    const gone = (error: AppError): void => {
      if (slot.worker !== worker) return;
      slot.worker = null;
      slot.end?.({ error });
    };
    worker.on("message", (reply: unknown) => {
      if (slot.worker === worker) slot.end?.({ reply });
    });
    worker.on("error", (cause) => gone(unavailable("the worker thread crashed", cause)));
    worker.on("exit", (code) => gone(unavailable(`the worker thread ended with code ${String(code)}`)));
    return worker;
  }

  #discard(slot: Slot): void {
    const { worker } = slot;
    slot.worker = null;
    void worker?.terminate();
  }
}

function unavailable(why: string, cause?: unknown): AppError {
  return new AppError({ kind: "unavailable", message: `inspect file: ${why}`, cause });
}

function cancelled(why: string): AppError {
  return new AppError({ kind: "cancelled", message: `inspect file: ${why}` });
}
