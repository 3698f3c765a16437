import type { Clock } from "./clock.js";

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
      this.#release = () => wakeUp.abort();
      await clock.sleep(ms, wakeUp.signal);
      this.#release = undefined;
    }
    this.#isSet = false;
  }
}
