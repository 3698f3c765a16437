/** For what a person waits for: a store that is away for a moment must not end a run of hours. */
import { isAppError } from "../core/errors.js";
import type { Clock } from "./clock.js";

const TRIES = 4;
const FIRST_PAUSE_MS = 250;

/** Again after a pause that doubles, while the failure is `unavailable`; a second and a half in all, then it is thrown. */
export async function retryUnavailable<T>(clock: Clock, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isAppError(error, "unavailable") || attempt === TRIES || signal.aborted) throw error;
      await clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
    }
  }
}
