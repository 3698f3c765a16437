/**
 * Makes what waits in the table of exports, two at once, and removes results whose time is over. What a restart
 * interrupts is made again from the beginning; what fails for a passing reason comes back later.
 */
import {
  claimExport,
  findExport,
  insertExport,
  listResultsToRemove,
  nextExportDueAtUs,
  requeueInterrupted,
  updateExport,
} from "../catalog/exports.js";
import { fullJitterMs } from "../core/back-off.js";
import { AppError, describeError, isAppError } from "../core/errors.js";
import type { Export, ExportId, ExportRequest } from "../core/export.js";
import { Latch } from "../platform/latch.js";
import type { Logger } from "../platform/logger.js";
import { makeExport, type MakeExportDeps } from "./make-export.js";

export interface ExportsDeps extends MakeExportDeps {
  readonly logger: Logger;
}

const AT_ONCE = 2;
/** With the longest pause of 15 min between them: half a day. */
const MOST_ATTEMPTS = 50;
const LOOK_EVERY_MS = 60_000;

export class Exports {
  readonly #deps: ExportsDeps;
  readonly #stopping = new AbortController();
  readonly #running = new Map<ExportId, AbortController>();
  readonly #turns = Array.from({ length: AT_ONCE }, () => new Latch());
  readonly #sweep = new Latch();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(deps: ExportsDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const interrupted = await requeueInterrupted(this.#catalog);
    if (interrupted > 0) this.#deps.logger.info("interrupted exports begin again", { exports: interrupted });
    this.#loops = Promise.all([...this.#turns.map((turn) => this.#work(turn)), this.#removeResults()]);
  }

  /** What is being made is made again by the next process. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const latch of [...this.#turns, this.#sweep]) latch.set();
    await this.#loops;
  }

  /** Throws `resource-exhausted` when too many wait. */
  async submit(request: ExportRequest): Promise<Export> {
    const job = await insertExport(this.#catalog, request);
    this.#deps.logger.info("export requested", { exportId: job.id, path: job.path });
    for (const turn of this.#turns) turn.set();
    return job;
  }

  /** Ends it, or has its result removed; what is over already stays as it is. Throws `not-found`. */
  async cancel(id: ExportId): Promise<Export> {
    if (await updateExport(this.#catalog, { id, states: ["queued", "running"] }, { state: "cancelled" })) {
      this.#running.get(id)?.abort();
    }
    await updateExport(this.#catalog, { id, states: ["done"] }, { state: "deleted" });
    this.#sweep.set();
    const job = await findExport(this.#catalog, id);
    if (job === undefined) throw new AppError({ kind: "not-found", message: `no export has the id ${id}` });
    return job;
  }

  get #catalog() {
    return this.#deps.playback.catalog;
  }

  async #work(turn: Latch): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const job = await claimExport(this.#catalog);
        if (job === undefined) await this.#pause(turn);
        else await this.#make(job);
      } catch (error) {
        this.#deps.logger.warn("cannot look for exports", { err: describeError(error) });
        await this.#catalog.clock.sleep(LOOK_EVERY_MS, signal);
      }
    }
  }

  async #pause(turn: Latch): Promise<void> {
    const dueAtUs = await nextExportDueAtUs(this.#catalog);
    const { clock } = this.#catalog;
    const untilDueMs = dueAtUs === null ? LOOK_EVERY_MS : (dueAtUs - clock.nowUs()) / 1_000;
    if (!this.#isStopping()) await turn.wait(clock, Math.max(1, Math.min(LOOK_EVERY_MS, untilDueMs)));
  }

  async #make(job: Export): Promise<void> {
    const cancel = new AbortController();
    this.#running.set(job.id, cancel);
    const fields = { exportId: job.id, path: job.path };
    try {
      await makeExport(this.#deps, job, AbortSignal.any([this.#stopping.signal, cancel.signal]));
      this.#deps.logger.info("export done", fields);
    } catch (error) {
      if (this.#isStopping() || cancel.signal.aborted || isAppError(error, "cancelled")) return;
      await this.#noteFailure(job, error);
      this.#deps.logger.warn("export failed", { ...fields, err: describeError(error) });
    } finally {
      this.#running.delete(job.id);
      this.#sweep.set();
    }
  }

  async #noteFailure(job: Export, error: unknown): Promise<void> {
    const isPassing = isAppError(error, "unavailable") || isAppError(error, "resource-exhausted");
    const text = describeError(error).slice(0, 1_000);
    const later = this.#catalog.clock.nowUs() + Math.round(fullJitterMs(job.attempts) * 1_000);
    await updateExport(
      this.#catalog,
      { id: job.id, states: ["running"] },
      isPassing && job.attempts < MOST_ATTEMPTS
        ? { state: "queued", error: text, nextAttemptAtUs: later }
        : { state: "failed", error: text },
    );
  }

  async #removeResults(): Promise<void> {
    while (!this.#isStopping()) {
      try {
        for (const job of await listResultsToRemove(this.#catalog)) await this.#removeResult(job);
      } catch (error) {
        if (this.#isStopping()) return;
        this.#deps.logger.warn("results of exports stay for now", { err: describeError(error) });
      }
      if (!this.#isStopping()) await this.#sweep.wait(this.#catalog.clock, LOOK_EVERY_MS);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** The row says that it goes before it goes. */
  async #removeResult(job: Export): Promise<void> {
    const state = job.state === "done" ? "expired" : job.state;
    await updateExport(this.#catalog, { id: job.id, states: [job.state] }, { state });
    if (job.objectKey !== null) await this.#deps.results.remove(job.objectKey, this.#stopping.signal);
    await updateExport(this.#catalog, { id: job.id, states: [state] }, { objectKey: null });
    this.#deps.logger.info("result of an export removed", { exportId: job.id, path: job.path, reason: state });
  }
}
