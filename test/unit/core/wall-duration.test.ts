import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { wallDurationUs } from "../../../src/core/wall-duration.js";

const SEC = 1_000_000;

describe("wallDurationUs", () => {
  it("believes the sample tables when the file was written that long", () => {
    expect(wallDurationUs({ startUs: 0, plausibleDurationUs: 60 * SEC, modifiedAtUs: 60 * SEC })).toBe(60 * SEC);
    expect(wallDurationUs({ startUs: 0, plausibleDurationUs: 60 * SEC, modifiedAtUs: 52 * SEC })).toBe(60 * SEC);
  });

  it("cuts a length that an RTP timestamp jump inflated", () => {
    expect(wallDurationUs({ startUs: 0, plausibleDurationUs: 9_000 * SEC, modifiedAtUs: 60 * SEC })).toBe(70 * SEC);
  });

  it("believes the sample tables when the file is older than its start (F34)", () => {
    expect(wallDurationUs({ startUs: 100 * SEC, plausibleDurationUs: 60 * SEC, modifiedAtUs: 99 * SEC })).toBe(
      60 * SEC,
    );
  });

  it("is never longer than the sample tables say, and never negative", () => {
    const evidence = fc.record({ startUs: fc.nat(), plausibleDurationUs: fc.nat(), modifiedAtUs: fc.nat() });
    fc.assert(
      fc.property(evidence, (facts) => {
        const us = wallDurationUs(facts);
        return us >= 0 && us <= facts.plausibleDurationUs;
      }),
    );
  });
});
