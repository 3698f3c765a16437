/** Slows guessing of passwords: so many tries a minute for an address and a name, for an address, and for all together. */
import { AppError } from "../core/errors.js";

const OF_ONE = 5;
const MINUTE_MS = 60_000;
/** Who guesses names makes many entries. */
const MOST_KEPT = 10_000;

/** Tries a minute. */
export interface LimitedTo {
  /** Of an address, by whatever name; default: any number. */
  readonly ofAddress?: number;
  /** Default: 100. */
  readonly ofAll?: number;
}

export class LoginLimit {
  readonly #now: () => number;
  readonly #limitedTo: Required<LimitedTo>;
  readonly #tries = new Map<string, readonly number[]>();

  /** `now`: monotonic, in ms. */
  constructor(now: () => number, { ofAddress = Number.POSITIVE_INFINITY, ofAll = 100 }: LimitedTo = {}) {
    this.#now = now;
    this.#limitedTo = { ofAddress, ofAll };
  }

  /** Counts a try. Throws `rate-limited` with the time to wait. */
  enter(address: string | null, name: string): void {
    this.#count(JSON.stringify([address, name]), OF_ONE);
    this.#count(JSON.stringify([address]), this.#limitedTo.ofAddress);
    this.#count("all", this.#limitedTo.ofAll);
  }

  /** It was the right password. */
  forget(address: string | null, name: string): void {
    this.#tries.delete(JSON.stringify([address, name]));
    const ofAddress = JSON.stringify([address]);
    this.#tries.set(ofAddress, (this.#tries.get(ofAddress) ?? []).slice(0, -1));
  }

  #count(key: string, most: number): void {
    const nowMs = this.#now();
    const recent = (this.#tries.get(key) ?? []).filter((atMs) => nowMs - atMs < MINUTE_MS);
    const [oldest] = recent;
    if (recent.length >= most && oldest !== undefined) {
      throw new AppError({
        kind: "rate-limited",
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
