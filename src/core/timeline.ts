/**
 * Footage and gaps of one path, from marks: the recordings at which something changes. Between two marks all recordings
 * join and their copies stand alike, so a month needs a few marks and not its rows. What lies before a mark is told by
 * its own gap (core/continuity.ts). Pure; ranges are half-open and in microseconds.
 */
import type { CopyState } from "./copy-state.js";
import { type ConditionChange, explainGap } from "./gap-cause.js";
import type { Footage, Gap, Span, TimeRange } from "./span.js";

export interface Mark {
  readonly startUs: number;
  /** Missing before it; null: nothing is known before it. */
  readonly gapBeforeUs: number | null;
  readonly state: CopyState;
  /** When its row last learnt something. An open file was still open then. */
  readonly seenAtUs: number;
}

export interface TimelineFacts {
  /**
   * In order of start: the recording that is the last to begin at or before the range, every one in it that does not
   * join the one before, whose copies stand otherwise or whose end is not known, and the first that begins after it.
   */
  readonly marks: readonly Mark[];
  /** The last recording that begins before the end of the range; undefined when there is none. */
  readonly last: { readonly endUs: number; readonly seenAtUs: number } | undefined;
  /** In order of time, with the last of each condition from before the range. */
  readonly changes: readonly ConditionChange[];
}

export interface TimelineRange extends TimeRange {
  /** What is later is no gap. */
  readonly nowUs: number;
}

/** Covers [from, min(to, now)) without holes, neighbours differ. */
export function timelineOf(range: TimelineRange, { marks, last, changes }: TimelineFacts): Span[] {
  const endUs = Math.min(range.toUs, range.nowUs);
  const spans: Span[] = [];
  let doneUs = range.fromUs;
  const addUntil = (toUs: number, partsOf: (part: TimeRange) => readonly Span[]): void => {
    const part = { fromUs: doneUs, toUs: Math.min(toUs, endUs) };
    if (part.fromUs >= part.toUs) return;
    for (const span of partsOf(part)) append(spans, span);
    doneUs = part.toUs;
  };
  const unrecorded = (part: TimeRange) => explainGap(part, changes);
  for (const [index, mark] of marks.entries()) {
    addUntil(mark.startUs, unrecorded);
    const next = marks[index + 1];
    const runEndUs = next === undefined ? last?.endUs : next.startUs - (next.gapBeforeUs ?? 0);
    const seenAtUs = next === undefined ? last?.seenAtUs : mark.seenAtUs;
    const run = {
      runEndUs: runEndUs ?? mark.startUs,
      nextStartUs: next?.startUs ?? Infinity,
      seenAtUs: seenAtUs ?? mark.seenAtUs,
    };
    for (const { toUs, ...what } of saidBy(mark, run)) addUntil(toUs, (part) => [{ ...part, ...what }]);
  }
  addUntil(endUs, unrecorded);
  return spans;
}

interface Run {
  readonly runEndUs: number;
  readonly nextStartUs: number;
  readonly seenAtUs: number;
}

type Said = { readonly toUs: number } & (Omit<Footage, keyof TimeRange> | Omit<Gap, keyof TimeRange>);

/** What the recordings from a mark to the next one say, part after part. */
function saidBy({ state }: Mark, { runEndUs, nextStartUs, seenAtUs }: Run): Said[] {
  // The length of such a file stands in no row yet, but it was being written when somebody last looked.
  const writtenUntilUs = Math.min(Math.max(runEndUs, seenAtUs), nextStartUs);
  switch (state) {
    case "open":
      return [
        { toUs: writtenUntilUs, kind: "footage", where: state },
        { toUs: nextStartUs, kind: "gap", cause: "not-indexed" },
      ];
    case "pending":
      return [{ toUs: writtenUntilUs, kind: "gap", cause: "not-indexed" }];
    case "both":
    case "local":
    case "archived":
      return [{ toUs: runEndUs, kind: "footage", where: state }];
    case "expired":
    case "deleted":
      return [{ toUs: runEndUs, kind: "gap", cause: state }];
    case "gone":
      return [{ toUs: runEndUs, kind: "gap", cause: "unknown" }];
    default:
      return state satisfies never;
  }
}

function append(spans: Span[], span: Span): void {
  const before = spans.at(-1);
  if (before !== undefined && isSame(before, span)) spans[spans.length - 1] = { ...before, toUs: span.toUs };
  else spans.push(span);
}

function isSame(before: Span, after: Span): boolean {
  if (before.kind === "footage") return after.kind === "footage" && after.where === before.where;
  return after.kind === "gap" && after.cause === before.cause;
}
