/** Full jitter: a random delay between 1 s and a bound that doubles with each attempt, up to 15 min. No last attempt. */
const FIRST_BOUND_MS = 2_000;
const LEAST_MS = 1_000;
const MOST_MS = 900_000;

export function fullJitterMs(attempts: number, random: () => number = Math.random): number {
  const boundMs = Math.min(MOST_MS, FIRST_BOUND_MS * 2 ** Math.min(attempts, 20));
  return Math.round(LEAST_MS + random() * (boundMs - LEAST_MS));
}
