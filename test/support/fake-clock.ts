/** A clock that stands still until it is told to go on. `sleep` wakes in order of time, as time passes it. */
import type { Clock } from "../../src/platform/clock.js";

export interface FakeClock extends Clock {
  /** Moves wall and monotonic time; what became due runs, step by step. */
  advance(ms: number): Promise<void>;
  /** How many sleep now. */
  sleepers(): number;
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export function createFakeClock(startUs = Date.UTC(2026, 10, 20) * 1_000): FakeClock {
  let elapsedMs = 0;
  const sleeping = new Set<Sleeper>();
  return {
    nowUs: () => startUs + Math.round(elapsedMs * 1_000),
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const wake = (): void => {
          sleeping.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper: Sleeper = { dueMs: elapsedMs + ms, wake };
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        sleeping.add(sleeper);
        signal?.addEventListener("abort", wake, { once: true });
      }),
    advance: async (ms) => {
      const untilMs = elapsedMs + ms;
      await settle();
      for (;;) {
        const [next] = [...sleeping].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
        if (next === undefined) break;
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.wake();
        await settle();
      }
      elapsedMs = untilMs;
    },
    sleepers: () => sleeping.size,
  };
}

/** Lets all that waits for promises only get on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
