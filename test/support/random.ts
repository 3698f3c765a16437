/** Chance that can be repeated. */

/** mulberry32: from 0 to 1, the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same for all of a test file: what runs once more does the same again. */
const SEED = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32));

/** TEST_SEED, else a new one for each file; printed, so that a run can be repeated. */
export function printedSeed(): number {
  console.log(`TEST_SEED=${SEED}`);
  return SEED;
}

/** In random order; `values` stays as it is. */
export function shuffled<T>(random: () => number, values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ value }) => value);
}
