/** Waits for the thing itself, by asking again and again until a deadline. */
import { PATIENCE } from "./patience.js";

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_INTERVAL_MS = 25;

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * Resolves with the first answer that is neither undefined nor false. At the deadline, on a busy machine a later one, it throws with what `look`
 * answered or threw last; a `look` that throws counts as "not yet".
 */
export async function waitFor<T>(
  what: string,
  look: () => T | false | undefined | Promise<T | false | undefined>,
  options: WaitOptions = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadlineMs = performance.now() + timeoutMs * PATIENCE;
  let last: unknown;
  for (;;) {
    try {
      const answer = await look();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`waited ${timeoutMs * PATIENCE} ms for ${what}; last: ${describe(last)}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? DEFAULT_INTERVAL_MS));
  }
}

function describe(last: unknown): string {
  if (last instanceof Error) return last.message;
  return last === undefined ? "nothing" : JSON.stringify(last);
}
