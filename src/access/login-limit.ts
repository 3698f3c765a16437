/** Slows guessing of passwords: so many tries a minute for an address and a name, and for all together. */
import { AppError } from "../core/errors.js";

const OF_ONE = 5;
const OF_ALL = 100;
const MINUTE_MS = 60_000;
/** Who guesses names makes many entries. */
const MOST_KEPT = 10_000;

export class LoginLimit {
  readonly #now: () => number;
  readonly #tries = new Map<string, readonly number[]>();

  /** `now`: monotonic, in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts a try. Throws `unavailable` with the time to wait. */
  enter(address: string | null, name: string): void {
    this.#count(JSON.stringify([address, name]), OF_ONE);
    this.#count("all", OF_ALL);
  }

  /** It was the right password. */
  forget(address: string | null, name: string): void {
    this.#tries.delete(JSON.stringify([address, name]));
  }

  #count(key: string, most: number): void {
    const nowMs = this.#now();
    const recent = (this.#tries.get(key) ?? []).filter((atMs) => nowMs - atMs < MINUTE_MS);
    const [oldest] = recent;
    if (recent.length >= most && oldest !== undefined) {
      throw new AppError({
        kind: "unavailable",
        message: "too many tries to log in",
        hint: "wait a minute",
        retryAfterMs: MINUTE_MS - (nowMs - oldest),
      });
    }
    this.#tries.delete(key);
    this.#tries.set(key, [...recent, nowMs]);
    if (this.#tries.size > MOST_KEPT) this.#tries.delete(this.#tries.keys().next().value ?? "");
  }
}
