/** At most so many at once; the others wait in the order in which they came. */
import { AppError } from "../core/errors.js";

export interface GateLimits {
  readonly atOnce: number;
  /** More than these are refused: who comes later would have given up before. */
  readonly mostWaiting: number;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Throws `unavailable` when too many wait, `cancelled` by the signal, and what `work` throws. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    const { atOnce, mostWaiting } = this.#limits;
    if (signal.aborted) throw cancelled();
    if (this.#inside < atOnce) {
      this.#inside += 1;
      return;
    }
    if (this.#waiting.size >= mostWaiting) {
      const message = `${String(mostWaiting)} wait already`;
      throw new AppError({ kind: "unavailable", message, retryAfterMs: 2_000 });
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(goIn);
        reject(cancelled());
      };
      const goIn = (): void => {
        signal.removeEventListener("abort", giveUp);
        this.#waiting.delete(goIn);
        resolve();
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(goIn);
    });
  }

  /** The place goes to the next one, or becomes free. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside -= 1;
    else next();
  }
}

function cancelled(): AppError {
  return new AppError({ kind: "cancelled", message: "gave up while waiting" });
}
