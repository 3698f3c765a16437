import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { COPY_STATES, type CopyState } from "../../../src/core/copy-state.js";
import type { Condition, ConditionChange } from "../../../src/core/gap-cause.js";
import type { Span } from "../../../src/core/span.js";
import { type Mark, type TimelineFacts, timelineOf } from "../../../src/core/timeline.js";

const SEC = 1_000_000;
const LATER = 10_000;

interface Recorded {
  readonly startSec: number;
  readonly endSec: number;
  readonly gapSec: number | null;
  readonly state: CopyState;
  readonly seenSec: number;
}

/** Recordings as [seconds before it, its seconds, state]; the first begins at 0. */
function recordings(...parts: readonly (readonly [number, number, CopyState, number?])[]): Recorded[] {
  let endSec = 0;
  return parts.map(([gapSec, lengthSec, state, seenAfterSec = 0], index) => {
    const startSec = index === 0 ? 0 : endSec + gapSec;
    endSec = startSec + lengthSec;
    return { startSec, endSec, gapSec: index === 0 ? null : gapSec, state, seenSec: endSec + seenAfterSec };
  });
}

/** As catalog/timeline-marks.ts finds them, by looking at every recording. */
function factsOf(all: readonly Recorded[], [fromSec, toSec]: readonly [number, number]): TimelineFacts {
  const before = all.filter(({ startSec }) => startSec <= fromSec).at(-1);
  const after = all.find(({ startSec }) => startSec >= toSec);
  const last = all.filter(({ startSec }) => startSec < toSec).at(-1);
  const inside = all.filter(
    ({ startSec, gapSec, state }, index) =>
      startSec > fromSec &&
      startSec < toSec &&
      (gapSec !== 0 || state !== all[index - 1]?.state || state === "open" || state === "pending"),
  );
  const marks = [before, ...inside, after].filter((recorded) => recorded !== undefined).map(markOf);
  return {
    marks,
    last: last === undefined ? undefined : { endUs: last.endSec * SEC, seenAtUs: last.seenSec * SEC },
    changes: [],
  };
}

function markOf({ startSec, gapSec, state, seenSec }: Recorded): Mark {
  return {
    startUs: startSec * SEC,
    gapBeforeUs: gapSec === null ? null : gapSec * SEC,
    state,
    seenAtUs: seenSec * SEC,
  };
}

function rangeOf([fromSec, toSec]: readonly [number, number], nowSec = LATER) {
  return { fromUs: fromSec * SEC, toUs: toSec * SEC, nowUs: nowSec * SEC };
}

function shown(spans: readonly Span[]): unknown[] {
  return spans.map((span) => [
    span.fromUs / SEC,
    span.toUs / SEC,
    span.kind === "footage" ? span.where : `no: ${span.cause}`,
  ]);
}

function ask(all: readonly Recorded[], range: readonly [number, number], nowSec = LATER): unknown[] {
  return shown(timelineOf(rangeOf(range, nowSec), factsOf(all, range)));
}

function askWith(all: readonly Recorded[], range: readonly [number, number], changes: ConditionChange[]): unknown[] {
  return shown(timelineOf(rangeOf(range), { ...factsOf(all, range), changes }));
}

function change(sec: number, condition: Condition, holds = true): ConditionChange {
  return { atUs: sec * SEC, condition, holds };
}

describe("the timeline", () => {
  it("is one gap where nothing was recorded", () => {
    expect(ask([], [0, 100])).toEqual([[0, 100, "no: unknown"]]);
  });

  it("makes one span of what joins and is in the same places", () => {
    const all = recordings([0, 10, "both"], [0, 10, "both"], [0, 10, "local"], [5, 10, "local"], [0, 10, "local"]);
    expect(ask(all, [0, 60])).toEqual([
      [0, 20, "both"],
      [20, 30, "local"],
      [30, 35, "no: unknown"],
      [35, 55, "local"],
      [55, 60, "no: unknown"],
    ]);
  });

  it("begins and ends with the range, inside recordings too", () => {
    const all = recordings([0, 10, "both"], [0, 10, "both"], [5, 10, "archived"]);
    expect(ask(all, [3, 30])).toEqual([
      [3, 20, "both"],
      [20, 25, "no: unknown"],
      [25, 30, "archived"],
    ]);
    expect(ask(all, [12, 15])).toEqual([[12, 15, "both"]]);
    expect(ask(all, [21, 24])).toEqual([[21, 24, "no: unknown"]]);
    expect(ask(all, [20, 25])).toEqual([[20, 25, "no: unknown"]]);
  });

  it("ends with the present: the future is no gap", () => {
    const all = recordings([0, 10, "local"]);
    expect(ask(all, [0, 100], 15)).toEqual([
      [0, 10, "local"],
      [10, 15, "no: unknown"],
    ]);
    expect(ask(all, [0, 100], 7)).toEqual([[0, 7, "local"]]);
    expect(ask(all, [20, 100], 15)).toEqual([]);
  });

  it("says of what is gone whether it expired, was deleted, or nobody knows", () => {
    const all = recordings([0, 10, "expired"], [0, 10, "deleted"], [0, 10, "gone"], [0, 10, "archived"]);
    expect(ask(all, [0, 40])).toEqual([
      [0, 10, "no: expired"],
      [10, 20, "no: deleted"],
      [20, 30, "no: unknown"],
      [30, 40, "archived"],
    ]);
  });

  it("shows an open file up to the last look at it, and what came since as not indexed", () => {
    const all = recordings([0, 10, "local"], [0, 0, "open", 30]);
    expect(ask(all, [0, 100], 52)).toEqual([
      [0, 10, "local"],
      [10, 40, "open"],
      [40, 52, "no: not-indexed"],
    ]);
  });

  it("shows a closed file of unknown length as not indexed until it was seen, and no longer", () => {
    const all = recordings([0, 10, "local"], [0, 0, "pending", 12]);
    expect(ask(all, [0, 60])).toEqual([
      [0, 10, "local"],
      [10, 22, "no: not-indexed"],
      [22, 60, "no: unknown"],
    ]);
  });

  it("lets an open and a pending file end where the next recording begins", () => {
    const all = recordings([0, 0, "open", 500], [20, 0, "pending", 500], [10, 5, "local"]);
    expect(ask(all, [0, 35])).toEqual([
      [0, 20, "open"],
      [20, 30, "no: not-indexed"],
      [30, 35, "local"],
    ]);
  });

  it("explains gaps by what held then, and a gap of two causes by both", () => {
    const all = recordings([0, 100, "both"], [400, 100, "both"]);
    const changes = [change(100, "source-offline"), change(300, "server-down"), change(450, "server-down", false)];
    expect(askWith(all, [0, 600], [...changes, change(499, "source-offline", false)])).toEqual([
      [0, 100, "both"],
      [100, 300, "no: source-offline"],
      [300, 450, "no: server-down"],
      [450, 500, "no: source-offline"],
      [500, 600, "both"],
    ]);
  });

  it("never calls footage missing, nor a lost file explained, whatever held then", () => {
    const all = recordings([0, 50, "both"], [0, 50, "gone"], [0, 50, "both"]);
    expect(askWith(all, [0, 150], [change(0, "source-offline")])).toEqual([
      [0, 50, "both"],
      [50, 100, "no: unknown"],
      [100, 150, "both"],
    ]);
  });

  it("is what every single recording says at every instant, for any history", () => {
    const state = fc.constantFrom(...COPY_STATES);
    const part = fc.tuple(
      fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 6 })),
      fc.integer({ min: 1, max: 5 }),
      state,
      fc.nat(4),
    );
    const history = fc.array(part, { maxLength: 12 }).map((parts) => recordings(...parts));
    const range = fc.tuple(fc.integer({ min: -5, max: 60 }), fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(history, range, fc.integer({ min: 0, max: 90 }), (all, [fromSec, lengthSec], nowSec) => {
        const toSec = fromSec + lengthSec;
        const spans = timelineOf(rangeOf([fromSec, toSec], nowSec), factsOf(all, [fromSec, toSec]));
        let doneSec = fromSec;
        for (const [index, span] of spans.entries()) {
          expect(span.fromUs).toBe(doneSec * SEC);
          expect(span.toUs).toBeGreaterThan(span.fromUs);
          doneSec = span.toUs / SEC;
          for (let sec = span.fromUs / SEC; sec < doneSec; sec += 1) expect(said(span)).toBe(modelAt(all, sec));
          if (index > 0) expect(said(span)).not.toBe(said(spans[index - 1]!));
        }
        expect(doneSec).toBe(Math.max(fromSec, Math.min(toSec, nowSec)));
      }),
      { numRuns: 3_000 },
    );
  });
});

function said(span: Span): string {
  return span.kind === "footage" ? span.where : span.cause;
}

/** By the recording that begins last before the instant alone: no marks, no merging. */
function modelAt(all: readonly Recorded[], sec: number): string {
  const recorded = all.findLast(({ startSec }) => startSec <= sec);
  if (recorded === undefined) return "unknown";
  const { state } = recorded;
  const isKnown = sec < recorded.endSec;
  if (isKnown && (state === "both" || state === "local" || state === "archived")) return state;
  if (isKnown && (state === "expired" || state === "deleted")) return state;
  if (state !== "open" && state !== "pending") return "unknown";
  const wasSeen = sec < recorded.seenSec;
  if (isKnown || wasSeen) return state === "open" ? "open" : "not-indexed";
  return state === "open" ? "not-indexed" : "unknown";
}
