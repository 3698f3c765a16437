/** What was made lately, for a short while and up to so many bytes: the least used goes first. */
import type { Clock } from "./clock.js";

export interface CacheLimits {
  readonly mostBytes: number;
  readonly keepMs: number;
}

interface Kept<T> {
  readonly value: T;
  readonly bytes: number;
  readonly untilMs: number;
}

export class ByteCappedCache<T> {
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  /** In the order of use, the latest last. */
  readonly #kept = new Map<string, Kept<T>>();
  #bytes = 0;

  constructor(clock: Clock, limits: CacheLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get(key: string): T | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#drop(key, kept);
    if (kept.untilMs <= this.#clock.monotonicMs()) return undefined;
    this.#add(key, kept);
    return kept.value;
  }

  /** `bytes`: what it takes in memory, about. What is larger than all may be is not kept. */
  put(key: string, value: T, bytes: number): void {
    const before = this.#kept.get(key);
    if (before !== undefined) this.#drop(key, before);
    if (bytes > this.#limits.mostBytes) return;
    const nowMs = this.#clock.monotonicMs();
    this.#add(key, { value, bytes, untilMs: nowMs + this.#limits.keepMs });
    for (const [other, kept] of this.#kept) {
      if (this.#bytes <= this.#limits.mostBytes && kept.untilMs > nowMs) break;
      this.#drop(other, kept);
    }
  }

  #add(key: string, kept: Kept<T>): void {
    this.#kept.set(key, kept);
    this.#bytes += kept.bytes;
  }

  #drop(key: string, kept: Kept<T>): void {
    this.#kept.delete(key);
    this.#bytes -= kept.bytes;
  }
}
