import type { Clock } from "./clock.js";

const WOKEN = "woken";

/** "Something happened since I last looked": set any number of times, waited for by one loop. */
export class Latch {
  #isSet = false;
  #release: (() => void) | undefined;

  set(): void {
    this.#isSet = true;
    this.#release?.();
  }

  /** Returns when the latch is set (at once if it was set before), or after `ms`; the latch is clear again then. */
  async wait(clock: Clock, ms: number): Promise<void> {
    if (!this.#isSet) {
      const wakeUp = new AbortController();
      // With a reason: Node builds an exception, with its stack, for an abort without one.
      this.#release = () => wakeUp.abort(WOKEN);
      await clock.sleep(ms, wakeUp.signal);
      this.#release = undefined;
    }
    this.#isSet = false;
  }
}
