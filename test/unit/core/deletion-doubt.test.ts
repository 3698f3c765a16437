import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  CLOCK_TOLERANCE_US,
  clockBehindUs,
  clockJumpUs,
  DOUBTS,
  HINT_OF,
  isOlderDatabase,
  judgeMarker,
} from "../../../src/core/deletion-doubt.js";

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;

describe("a marker (F29, F45)", () => {
  it("is placed at the first start, when nobody knows of one", () => {
    expect(judgeMarker([null, null], null)).toBe("first");
  });

  it("is remembered by whoever does not know of it yet", () => {
    expect(judgeMarker([null, null], "a")).toBe("remember");
    expect(judgeMarker([null, "a"], "a")).toBe("remember");
    expect(judgeMarker(["a", null], "a")).toBe("remember");
  });

  it("is known when all agree", () => {
    expect(judgeMarker(["a", "a"], "a")).toBe("known");
    expect(judgeMarker(["a"], "a")).toBe("known");
  });

  it.each<[string, (string | null)[], string | null]>([
    ["it is not there, and the database knows of one", ["a", null], null],
    ["it is not there, and the data directory knows of one", [null, "a"], null],
    ["it is another one", ["a", "a"], "b"],
    ["it is not the one of an older database", ["a", "b"], "b"],
    ["it is empty", ["a", "a"], ""],
  ])("is foreign when %s", (_when, known, found) => {
    expect(judgeMarker(known, found)).toBe("foreign");
  });
});

describe("the clock (F34)", () => {
  const before = { wallUs: 1_000 * DAY_US, monotonicMs: 5_000 };
  const later = (wallUs: number, monotonicUs: number) => ({
    wallUs: before.wallUs + wallUs,
    monotonicMs: before.monotonicMs + monotonicUs / 1_000,
  });

  it("has not jumped when both clocks went on together, however long it took", () => {
    expect(clockJumpUs(before, later(10 * DAY_US, 10 * DAY_US))).toBe(0);
  });

  it("has jumped by what the wall clock ran ahead or fell behind", () => {
    expect(clockJumpUs(before, later(2 * DAY_US + 5_000, 5_000))).toBe(2 * DAY_US);
    expect(clockJumpUs(before, later(-HOUR_US, 0))).toBe(-HOUR_US);
  });

  it("may be put right by as much as NTP does", () => {
    expect(clockJumpUs(before, later(CLOCK_TOLERANCE_US, 0))).toBe(0);
    expect(clockJumpUs(before, later(-CLOCK_TOLERANCE_US, 0))).toBe(0);
  });

  it("is behind at a start when a later instant was written down", () => {
    expect(clockBehindUs(before.wallUs, before.wallUs - HOUR_US)).toBe(HOUR_US);
    expect(clockBehindUs(before.wallUs, before.wallUs - 1_000)).toBe(0);
    expect(clockBehindUs(before.wallUs, before.wallUs + 300 * DAY_US)).toBe(0);
    expect(clockBehindUs(null, 0)).toBe(0);
  });
});

describe("the database's mark (F38, F39)", () => {
  it("is older than the recordings when theirs is higher, or it has none", () => {
    expect(isOlderDatabase(3, 4)).toBe(true);
    expect(isOlderDatabase(null, 1)).toBe(true);
    expect(isOlderDatabase(null, null)).toBe(false);
    expect(isOlderDatabase(4, null)).toBe(false);
  });

  it("is never older after deaths at any point of raising it, and always when yesterday's comes back", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("whole", "died between", "died before"), { minLength: 1 }), (raises) => {
        let inDatabase = 0;
        let beside: number | null = null;
        for (const raise of raises) {
          if (raise === "died before") continue;
          inDatabase += 1;
          if (raise === "whole") beside = inDatabase;
          expect(isOlderDatabase(inDatabase, beside)).toBe(false);
        }
        // The backup is older than the last whole raise.
        if (beside !== null) expect(isOlderDatabase(beside - 1, beside)).toBe(true);
      }),
    );
  });
});

it("every doubt says what a person does about it", () => {
  for (const doubt of DOUBTS) expect(HINT_OF[doubt]).toContain("reelkeeper resume-deletes");
});
