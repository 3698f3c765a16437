/** Scans at start, every few minutes, and when asked; one scan at a time. */
import { describeError } from "../core/errors.js";
import { Latch } from "../platform/latch.js";
import { emptyProgress, type ScanDeps, type ScanProgress, scanRecordDir } from "./scan.js";

export interface ScanState {
  readonly running: boolean;
  readonly startedAtUs: number | null;
  readonly finishedAtUs: number | null;
  readonly progress: Readonly<ScanProgress>;
  /** Why the last scan failed; null when it did not. */
  readonly error: string | null;
}

/** A long scan tells how far it is this often. */
const PROGRESS_EVERY_MS = 10_000;

export class Scanner {
  readonly #deps: ScanDeps;
  readonly #intervalMs: number;
  readonly #latch = new Latch();
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #state: ScanState = { running: false, startedAtUs: null, finishedAtUs: null, progress: emptyProgress(), error: null };

  constructor(deps: ScanDeps, intervalMs: number) {
    this.#deps = deps;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#latch.set();
    await this.#loop;
  }

  /** Begins a scan now, or right after the running one. */
  request(): void {
    this.#latch.set();
  }

  get state(): ScanState {
    return this.#state;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.scanOnce();
      await this.#latch.wait(this.#deps.catalog.clock, this.#intervalMs);
    }
  }

  /** One whole scan. Never throws: a failure is told, kept in the state, and tried again at the next interval. */
  async scanOnce(): Promise<ScanState> {
    const { clock } = this.#deps.catalog;
    const progress = emptyProgress();
    this.#state = { running: true, startedAtUs: clock.nowUs(), finishedAtUs: null, progress, error: null };
    const ended = new AbortController();
    void this.#tellProgress(progress, ended.signal);
    let error: string | null = null;
    try {
      await scanRecordDir(this.#deps, progress, this.#stop.signal);
    } catch (failure) {
      error = describeError(failure);
      if (!this.#stop.signal.aborted) this.#deps.logger.error("scan failed", { err: error, ...progress });
    }
    ended.abort();
    this.#state = { ...this.#state, running: false, finishedAtUs: clock.nowUs(), error };
    if (error === null && progress.recorded > 0) this.#deps.logger.info("scan finished", { ...progress });
    return this.#state;
  }

  async #tellProgress(progress: ScanProgress, ended: AbortSignal): Promise<void> {
    for (;;) {
      await this.#deps.catalog.clock.sleep(PROGRESS_EVERY_MS, ended);
      if (ended.aborted) return;
      this.#deps.logger.info("scan goes on", { ...progress });
    }
  }
}
