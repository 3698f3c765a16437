import { describe, expect, it } from "vitest";

import { type Condition, type ConditionChange, explainGap } from "../../../src/core/gap-cause.js";

const SEC = 1_000_000;

function change(sec: number, condition: Condition, holds = true): ConditionChange {
  return { atUs: sec * SEC, condition, holds };
}

/** A gap of 100 s. */
function causes(...changes: readonly ConditionChange[]): unknown[] {
  return explainGap({ fromUs: 0, toUs: 100 * SEC }, changes).map(({ fromUs, toUs, cause }) => [
    fromUs / SEC,
    toUs / SEC,
    cause,
  ]);
}

describe("the cause of a gap", () => {
  it("is unknown when nothing was written down", () => {
    expect(causes()).toEqual([[0, 100, "unknown"]]);
    expect(causes(change(200, "source-offline"))).toEqual([[0, 100, "unknown"]]);
  });

  it.each(["source-offline", "recording-off", "disabled", "server-down", "disk-full"] as const)(
    "is %s while that holds, also when it began long before",
    (condition) => {
      expect(causes(change(-5_000, condition))).toEqual([[0, 100, condition]]);
      expect(causes(change(-5_000, condition), change(-4_000, condition, false))).toEqual([[0, 100, "unknown"]]);
      expect(causes(change(40, condition), change(60, condition, false))).toEqual([
        [0, 40, "unknown"],
        [40, 60, condition],
        [60, 100, "unknown"],
      ]);
    },
  );

  it("is the one nearest to the server when several hold at once", () => {
    const all = ["disk-full", "source-offline", "recording-off", "disabled", "server-down"] as const;
    for (const [index, condition] of all.entries()) {
      const holding = all.slice(0, index + 1).map((name) => change(-1, name));
      expect(causes(...holding)).toEqual([[0, 100, condition]]);
    }
  });

  it("takes in the seconds in which it was not noticed yet, and until the first sync sample", () => {
    expect(causes(change(10, "source-offline"), change(95, "source-offline", false))).toEqual([
      [0, 100, "source-offline"],
    ]);
    expect(causes(change(16, "source-offline"), change(84, "source-offline", false))).toEqual([
      [0, 16, "unknown"],
      [16, 84, "source-offline"],
      [84, 100, "unknown"],
    ]);
  });

  it("changes with what holds", () => {
    expect(causes(change(-1, "source-offline"), change(50, "disabled"))).toEqual([
      [0, 50, "source-offline"],
      [50, 100, "disabled"],
    ]);
  });
});
