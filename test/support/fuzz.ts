/**
 * Seeds and numbers of the fuzz tests: the same in every CI run; FUZZ_SEED=… looks elsewhere, FUZZ_TIMES=… multiplies.
 * Mutations know the form of what they mutate (boxes, templates, fields) and start from real recordings, which is what
 * reaches the inner readers. Coverage-guided fuzzing was not taken: its native engine would come with a tree of packages
 * of its own, for parsers of a few hundred lines.
 */
import fc from "fast-check";

import { isAppError } from "../../src/core/errors.js";
import { withinLimits } from "./measured.js";

export interface FuzzTarget<T> {
  readonly inputs: fc.Arbitrary<T>;
  readonly runs: number;
  /** May throw an AppError of these kinds, and nothing else. */
  readonly call: (input: T) => void;
  readonly refusals: readonly string[];
}

export function fuzz<T>({ inputs, runs, call, refusals }: FuzzTarget<T>): void {
  const { env } = process;
  const seed = Number(env["FUZZ_SEED"] ?? 1);
  const numRuns = runs * Number(env["FUZZ_TIMES"] ?? 1);
  fc.assert(
    fc.property(inputs, (input) => {
      withinLimits(
        () => fc.stringify(input).slice(0, 2_000),
        () => {
          try {
            call(input);
          } catch (error) {
            if (!isAppError(error) || !refusals.includes(error.kind)) throw error;
          }
        },
      );
    }),
    { seed, numRuns },
  );
}
