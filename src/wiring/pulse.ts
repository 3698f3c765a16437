/** When hooks and segments last came: what the health checks and the watch need to know. Forgotten on restart. */
import type { Clock } from "../platform/clock.js";

/** MediaMTX's segments are seldom longer; a hook this long ago says nothing about the next one. */
const ALIVE_MS = 600_000;
/** From the start of this process to the first hook that it can answer, on a busy machine. */
const LISTENS_AFTER_US = 10_000_000;

export class Pulse {
  readonly #clock: Clock;
  readonly #startedUs: number;
  #hookMs: number | null = null;
  #segmentMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedUs = clock.nowUs();
  }

  hookCame(): void {
    this.#hookMs = this.#clock.monotonicMs();
  }

  /** One that ended while nobody listened says nothing about the hooks. */
  segmentIndexed(endUs: number): void {
    if (endUs < this.#startedUs + LISTENS_AFTER_US) return;
    this.#segmentMs = this.#clock.monotonicMs();
  }

  /** Null: none since the start. */
  secondsSinceHook(): number | null {
    return this.#hookMs === null ? null : (this.#clock.monotonicMs() - this.#hookMs) / 1_000;
  }

  secondsSinceSegment(): number | null {
    return this.#segmentMs === null ? null : (this.#clock.monotonicMs() - this.#segmentMs) / 1_000;
  }

  hooksAreAlive(): boolean {
    return this.#hookMs !== null && this.#clock.monotonicMs() - this.#hookMs < ALIVE_MS;
  }
}
