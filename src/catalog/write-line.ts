/**
 * Who writes next where one at a time can: whoever has somebody waiting for an answer goes before everybody else, and
 * waits for no more than the transaction that runs.
 */
import { AppError } from "../core/errors.js";

export type Urgency = "hook" | "other";

export class WriteLine {
  readonly #mostWaitMs: number;
  /** In the order in which they came. */
  readonly #waiting: Readonly<Record<Urgency, Set<() => void>>> = { hook: new Set(), other: new Set() };
  #isBusy = false;

  constructor(mostWaitMs: number) {
    this.#mostWaitMs = mostWaitMs;
  }

  /** Throws `unavailable` when its turn does not come in time, and what `work` throws. */
  async run<T>(urgency: Urgency, work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) await this.#wait(this.#waiting[urgency]);
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = this.#letIn(this.#waiting.hook) || this.#letIn(this.#waiting.other);
    }
  }

  #wait(waiting: Set<() => void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const goIn = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(goIn);
        const message = `wait to write: others wrote for ${String(this.#mostWaitMs)} ms`;
        reject(new AppError({ kind: "unavailable", message }));
      }, this.#mostWaitMs);
      waiting.add(goIn);
    });
  }

  /** The next one holds the line from now on, also before it gets on. */
  #letIn(waiting: Set<() => void>): boolean {
    const [next] = waiting;
    if (next === undefined) return false;
    waiting.delete(next);
    next();
    return true;
  }
}
