/** The only source of time. Everything else gets a Clock, so that tests can move it. */
export interface Clock {
  /** Wall clock, microseconds since 1970 (UTC). May step backwards. */
  nowUs(): number;
  /** Never steps; only differences mean something. */
  monotonicMs(): number;
  /** Resolves after `ms` (24 days at most), or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  nowUs: () => Date.now() * 1_000,
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, Math.min(ms, LONGEST_TIMER_MS));
      signal?.addEventListener("abort", finish, { once: true });
    }),
};
