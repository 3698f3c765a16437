/** The lines of the bench: each a figure, a goal or a peer of the same run, and whether the goal is reached. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Line {
  /** What was measured. */
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What it is held against: a limit, or a peer that was measured in the same run. */
  readonly against?: { readonly name: string; readonly value: number };
  /** Reached when `value` ÷ `against.value` is at most (or at least) this. */
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
}

export const IS_QUICK = process.env["BENCH_QUICK"] === "1";

const REPORT_DIR = process.env["BENCH_DIR"] ?? path.resolve(import.meta.dirname, "../../../test-output/bench");

/** Kept as JSON, one file for each part; `npm run bench` makes the table of them. */
export function report(part: string, lines: readonly Line[]): void {
  mkdirSync(REPORT_DIR, { recursive: true });
  const rows = lines.map((line) => ({ part, ...line, ...judged(line) }));
  writeFileSync(path.join(REPORT_DIR, `${part}.json`), `${JSON.stringify(rows, null, 2)}\n`);
}

function judged({ value, against, goal }: Line): { ratio: number | null; isReached: boolean | null } {
  const ratio = against === undefined || against.value === 0 ? null : value / against.value;
  if (ratio === null || goal === undefined) return { ratio, isReached: null };
  return { ratio, isReached: "atMost" in goal ? ratio <= goal.atMost : ratio >= goal.atLeast };
}

/** The value below which a share of the values lies: 0.5 for the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A limit that is met when the value is not above it. */
export function below(what: string, value: number, limit: { readonly value: number; readonly unit: string }): Line {
  return { what, value, unit: limit.unit, against: { name: "goal", value: limit.value }, goal: { atMost: 1 } };
}
