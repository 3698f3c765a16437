/**
 * One piece of work in each round of the event loop. Whatever waits for bytes or for the database gets on in between, so
 * a hook waits for one piece of a viewer's work, and not for a piece of each viewer's.
 */

/** Between two turns while something cannot wait. */
const STEP_BACK_MS = 5;

export class Turns {
  readonly #mustStepBack: () => boolean;
  readonly #waiting: (() => void)[] = [];

  constructor(mustStepBack: () => boolean) {
    this.#mustStepBack = mustStepBack;
  }

  /** Resolves in a later round, for one after the other as they came. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#mustStepBack()) setTimeout(this.#next, STEP_BACK_MS);
    else setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#schedule();
  };
}
