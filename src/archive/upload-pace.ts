/**
 * How fast uploads go: how many at once (AIMD on the store's own complaints), bytes per second (a cap), and what was
 * reached lately, for people.
 */
import { afterOverload, afterSuccess, type AimdBounds, type AimdState, initialAimd } from "../core/aimd.js";
import { describeError, isAppError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import type { RateLimiter } from "./rate-limiter.js";

export interface PaceReport {
  readonly concurrency: number;
  /** Proven uploads per second over the last minutes; 0 when there were none. */
  readonly bytesPerSec: number;
  /** The store's last complaint; null when the last upload went well. */
  readonly lastError: string | null;
}

const OF_STORE: ReadonlySet<string> = new Set(["unavailable", "permission-denied", "failed-precondition", "data-loss"]);
const FIRST_CONCURRENCY = 4;
/** The rate is the mean over about this long. */
const RATE_WINDOW_SEC = 60;

export class UploadPace {
  readonly #clock: Clock;
  readonly #bounds: AimdBounds;
  readonly #limiter: RateLimiter;
  #state: AimdState;
  #windowBytes = 0;
  #windowStartMs: number;
  #lastError: string | null = null;

  constructor(clock: Clock, maxConcurrency: number, limiter: RateLimiter) {
    this.#clock = clock;
    this.#bounds = { start: FIRST_CONCURRENCY, max: maxConcurrency };
    this.#limiter = limiter;
    this.#state = initialAimd(this.#bounds);
    this.#windowStartMs = clock.monotonicMs();
  }

  get concurrency(): number {
    return Math.floor(this.#state.limit);
  }

  /** The hook of one `put`. */
  onBytes(signal: AbortSignal): (bytes: number) => Promise<void> | void {
    const wait = this.#limiter.onBytes(signal);
    return (bytes) => {
      this.#decay();
      this.#windowBytes += bytes;
      return wait(bytes);
    };
  }

  /** Runs one upload and learns from how it ends. */
  async measure(upload: () => Promise<void>): Promise<void> {
    try {
      await upload();
      this.#state = afterSuccess(this.#state, this.#bounds);
      this.#lastError = null;
    } catch (error) {
      if (isAppError(error, "unavailable")) this.#state = afterOverload(this.#state, this.#clock.monotonicMs());
      this.noteError(error);
      throw error;
    }
  }

  /** Only what the store itself has to do with. */
  noteError(error: unknown): void {
    const isOfStore = isAppError(error) && OF_STORE.has(error.kind);
    if (isOfStore) this.#lastError = describeError(error);
  }

  report(): PaceReport {
    this.#decay();
    const elapsedSec = Math.max(1, (this.#clock.monotonicMs() - this.#windowStartMs) / 1_000);
    return {
      concurrency: this.concurrency,
      bytesPerSec: Math.round(this.#windowBytes / elapsedSec),
      lastError: this.#lastError,
    };
  }

  /** Every window the older half weighs half, so that the figure follows what happens now. */
  #decay(): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < RATE_WINDOW_SEC * 1_000) return;
    // Longer than a window and a half since anybody looked: there was a pause, and what was before it is over.
    const isOver = elapsedMs >= RATE_WINDOW_SEC * 1_500;
    this.#windowBytes = isOver ? 0 : this.#windowBytes / 2;
    this.#windowStartMs = isOver ? nowMs : this.#windowStartMs + elapsedMs / 2;
  }
}
