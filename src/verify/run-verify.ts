/**
 * Compares rows, files and objects. Changes nothing without `repair`, and then only what loses nothing: nothing is ever
 * removed. Runs beside a Reelkeeper that works: what is under way is no difference.
 */
import { compareFiles } from "./compare-files.js";
import { compareObjects } from "./compare-objects.js";
import { type Difference, noCounts, type Unchecked, type VerifyCounts } from "./difference.js";
import type { VerifyDeps, VerifyOptions } from "./verify-deps.js";

export interface VerifyListener {
  readonly difference: (difference: Difference) => void;
  readonly unchecked: (unchecked: Unchecked) => void;
}

export async function runVerify(
  deps: VerifyDeps & { readonly options: VerifyOptions },
  listener: VerifyListener,
  signal: AbortSignal,
): Promise<VerifyCounts> {
  const counts = noCounts();
  const run = {
    ...deps,
    counts,
    signal,
    tell: (difference: Difference): void => {
      counts.differences += 1;
      if (difference.repaired !== null) counts.repaired += 1;
      listener.difference(difference);
    },
    tellUnchecked: (unchecked: Unchecked): void => {
      counts.unchecked += 1;
      listener.unchecked(unchecked);
    },
  };
  await compareFiles(run);
  await compareObjects(run);
  return counts;
}

/** 0: no differences are left · 1: some are · 2: not everything could be checked. */
export function exitCodeOf(counts: VerifyCounts): number {
  if (counts.unchecked > 0) return 2;
  return counts.differences > counts.repaired ? 1 : 0;
}
