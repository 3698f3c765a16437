import { describe, expect, it } from "vitest";

import { bytesAboveHigh, diskLevel, usedPercent } from "../../../src/core/disk-level.js";

const MARKS = { warnPercent: 80, highPercent: 90, fullPercent: 95 };
const space = (usedBytes: number) => ({ usedBytes, availableBytes: 1_000 - usedBytes });

describe("how full a disk is (F43)", () => {
  it("is counted as df counts it, and is nothing of a disk without bytes", () => {
    expect(usedPercent(space(250))).toBe(25);
    // What is kept for root is neither.
    expect(usedPercent({ usedBytes: 90, availableBytes: 10 })).toBe(90);
    expect(usedPercent({ usedBytes: 0, availableBytes: 0 })).toBe(0);
  });

  it("has a level from each mark on", () => {
    expect([799, 800, 899, 900, 949, 950, 1_000].map((used) => diskLevel(space(used), MARKS))).toEqual([
      ...["ok", "warn", "warn", "high", "high", "full", "full"],
    ]);
  });

  it("says how much must go until it is below the high mark", () => {
    expect(bytesAboveHigh(space(899), MARKS)).toBe(0);
    expect(bytesAboveHigh(space(900), MARKS)).toBe(1);
    expect(bytesAboveHigh(space(960), MARKS)).toBe(60);
  });
});
