/** Why nothing was recorded: from what was written down when it changed, never from a guess. Pure. */
import type { Gap, TimeRange } from "./span.js";

/** Why nothing comes in; of several that hold at once the first in this order explains the gap. */
const CONDITIONS = ["server-down", "disabled", "recording-off", "source-offline", "disk-full"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** From then on it holds, or no longer does. */
export interface ConditionChange {
  readonly atUs: number;
  readonly condition: Condition;
  readonly holds: boolean;
}

/**
 * The end of footage and the word of its cause are not the same instant: MediaMTX notices a dead source by its
 * `readTimeout` (10 s), and what comes back begins with the next sync sample. So much of a gap without a cause, beside
 * one that has a cause, has that cause too.
 */
const SLACK_US = 15_000_000;

/** Parts of a gap, in order, neighbours differ. `changes` are in order of time. */
export function explainGap(gap: TimeRange, changes: readonly ConditionChange[]): Gap[] {
  return withoutSlack(partsOf(gap, changes));
}

function partsOf(gap: TimeRange, changes: readonly ConditionChange[]): Gap[] {
  const holding = new Set<Condition>();
  const parts: Gap[] = [];
  let fromUs = gap.fromUs;
  const until = (toUs: number): void => {
    if (toUs <= fromUs) return;
    push(parts, { fromUs, toUs, kind: "gap", cause: CONDITIONS.find((name) => holding.has(name)) ?? "unknown" });
    fromUs = toUs;
  };
  for (const { atUs, condition, holds } of changes) {
    if (atUs >= gap.toUs) break;
    until(atUs);
    if (holds) holding.add(condition);
    else holding.delete(condition);
  }
  until(gap.toUs);
  return parts;
}

function withoutSlack(parts: readonly Gap[]): Gap[] {
  const done: Gap[] = [];
  for (const [index, part] of parts.entries()) {
    const isSlack = part.cause === "unknown" && part.toUs - part.fromUs <= SLACK_US;
    const neighbour = done.at(-1) ?? parts[index + 1];
    push(done, isSlack && neighbour !== undefined ? { ...part, cause: neighbour.cause } : part);
  }
  return done;
}

function push(parts: Gap[], part: Gap): void {
  const before = parts.at(-1);
  if (before?.cause === part.cause) parts[parts.length - 1] = { ...before, toUs: part.toUs };
  else parts.push(part);
}
