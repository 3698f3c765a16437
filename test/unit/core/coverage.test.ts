import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { coverageOf, partsOfRange } from "../../../src/core/coverage.js";
import type { Span } from "../../../src/core/span.js";

describe("coverage", () => {
  it("counts footage of each part, and says why most of the rest is missing", () => {
    const spans: Span[] = [
      { fromUs: 0, toUs: 15, kind: "footage", where: "both" },
      { fromUs: 15, toUs: 17, kind: "gap", cause: "deleted" },
      { fromUs: 17, toUs: 24, kind: "gap", cause: "source-offline" },
      { fromUs: 24, toUs: 26, kind: "footage", where: "local" },
    ];
    expect(coverageOf(spans, partsOfRange({ fromUs: 0, toUs: 35 }, 10))).toEqual([
      { fromUs: 0, toUs: 10, footageUs: 10, cause: null },
      { fromUs: 10, toUs: 20, footageUs: 5, cause: "source-offline" },
      { fromUs: 20, toUs: 30, footageUs: 2, cause: "source-offline" },
      { fromUs: 30, toUs: 35, footageUs: 0, cause: null },
    ]);
  });

  it("of all parts together is all footage, for any spans and parts", () => {
    const span = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(span), fc.integer({ min: 1, max: 50 }), fc.nat(30), (given, lengthUs, moreUs) => {
        let toUs = 0;
        const spans = given.map(([spanUs, isFootage]): Span => {
          const range = { fromUs: toUs, toUs: (toUs += spanUs) };
          return isFootage
            ? { ...range, kind: "footage", where: "both" }
            : { ...range, kind: "gap", cause: "source-offline" };
        });
        const coverage = coverageOf(spans, partsOfRange({ fromUs: 0, toUs: toUs + moreUs }, lengthUs));
        const footageUs = spans.filter(({ kind }) => kind === "footage").reduce((sum, s) => sum + s.toUs - s.fromUs, 0);
        expect(coverage.reduce((sum, part) => sum + part.footageUs, 0)).toBe(footageUs);
        for (const part of coverage) expect(part.footageUs).toBeLessThanOrEqual(part.toUs - part.fromUs);
        expect(coverage.at(-1)?.toUs ?? 0).toBe(toUs + moreUs);
      }),
    );
  });
});
