import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { gapBetween as gapAfter, joins, mergeRuns, type Segment } from "../../../src/core/continuity.js";

const SEC = 1_000_000;

function segment(startSec: number, endSec: number, position: readonly [string, number] | null = null): Segment {
  return {
    startUs: startSec * SEC,
    endUs: endSec * SEC,
    position: position === null ? null : { streamId: position[0], segmentNumber: position[1] },
  };
}

const gapBetween = (previous: Segment, next: Segment, partial = false) => gapAfter({ ...previous, partial }, next);

describe("joins", () => {
  it("follows the numbers of a stream whatever the clock says", () => {
    expect(joins(segment(0, 4, ["a", 0]), segment(4, 8, ["a", 1]))).toBe(true);
    expect(joins(segment(0, 4, ["a", 0]), segment(90, 94, ["a", 1]))).toBe(true);
    expect(joins(segment(0, 4, ["a", 0]), segment(4, 8, ["a", 2]))).toBe(false);
    expect(joins(segment(0, 4, ["a", 1]), segment(4, 8, ["a", 0]))).toBe(false);
    expect(joins(segment(0, 4, ["a", 0]), segment(4, 8, ["b", 1]))).toBe(false);
  });

  it("lets files without numbers meet within a second", () => {
    expect(joins(segment(0, 4), segment(5, 8))).toBe(true);
    expect(joins(segment(0, 4), segment(3, 8))).toBe(true);
    expect(joins(segment(0, 4), segment(5.000_001, 8))).toBe(false);
    expect(joins(segment(0, 4), segment(2.999_999, 8))).toBe(false);
  });

  it("never joins a file with and one without numbers", () => {
    expect(joins(segment(0, 4, ["a", 0]), segment(4, 8))).toBe(false);
    expect(joins(segment(0, 4), segment(4, 8, ["a", 0]))).toBe(false);
  });
});

describe("gapBetween", () => {
  it("is nothing between segments that join", () => {
    expect(gapBetween(segment(0, 4, ["a", 0]), segment(9, 12, ["a", 1]))).toEqual({ gapUs: 0, missing: 0 });
  });

  it("is what a torn segment lacks until the next one, which its number would hide (F41)", () => {
    const isTorn = true;
    expect(gapBetween(segment(0, 3, ["a", 0]), segment(4, 8, ["a", 1]), isTorn)).toEqual({ gapUs: SEC, missing: 0 });
    expect(gapBetween(segment(0, 3, ["a", 0]), segment(9, 12, ["a", 2]), isTorn)).toEqual({
      gapUs: 6 * SEC,
      missing: 1,
    });
  });

  it("counts the numbers that nobody has", () => {
    expect(gapBetween(segment(0, 4, ["a", 0]), segment(12, 16, ["a", 3]))).toEqual({ gapUs: 8 * SEC, missing: 2 });
  });

  it("cannot count across streams (F65) nor without numbers (F66)", () => {
    expect(gapBetween(segment(0, 4, ["a", 0]), segment(6, 8, ["b", 0]))).toEqual({ gapUs: 2 * SEC, missing: 0 });
    expect(gapBetween(segment(0, 4), segment(8, 12))).toEqual({ gapUs: 4 * SEC, missing: 0 });
  });

  it("is never negative, when a clock stepped back or numbers repeat (F34)", () => {
    expect(gapBetween(segment(0, 9, ["a", 5]), segment(4, 8, ["a", 2]))).toEqual({ gapUs: 0, missing: 0 });
  });
});

describe("mergeRuns", () => {
  it("makes no run of nothing", () => {
    expect(mergeRuns([])).toEqual([]);
  });

  it("joins what joins and starts anew after a gap", () => {
    const segments = [segment(0, 4, ["a", 0]), segment(4, 8, ["a", 1]), segment(20, 24, ["b", 0]), segment(24, 28)];
    expect(mergeRuns(segments)).toEqual([
      { startUs: 0, endUs: 8 * SEC },
      { startUs: 20 * SEC, endUs: 24 * SEC },
      { startUs: 24 * SEC, endUs: 28 * SEC },
    ]);
  });

  it("ends a run where its longest segment ends", () => {
    expect(mergeRuns([segment(0, 10, ["a", 0]), segment(4, 8, ["a", 1])])).toEqual([{ startUs: 0, endUs: 10 * SEC }]);
  });

  it("covers every segment, with one run more than there are breaks", () => {
    const position = fc.option(fc.tuple(fc.constantFrom("a", "b"), fc.nat(6)), { nil: null });
    const drawn = fc
      .array(fc.tuple(fc.nat(100), fc.nat(10), position), { minLength: 1, maxLength: 30 })
      .map((facts) => facts.sort(([a], [b]) => a - b).map(([start, length, at]) => segment(start, start + length, at)));
    fc.assert(
      fc.property(drawn, (segments) => {
        const runs = mergeRuns(segments);
        const breaks = segments.slice(1).filter((next, index) => !joins(segments[index]!, next)).length;
        expect(runs).toHaveLength(breaks + 1);
        for (const { startUs, endUs } of segments) {
          expect(runs.some((run) => run.startUs <= startUs && run.endUs >= endUs)).toBe(true);
        }
      }),
    );
  });
});
