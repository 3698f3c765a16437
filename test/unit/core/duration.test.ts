import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isDuration, parseDurationMs } from "../../../src/core/duration.js";

describe("durations", () => {
  it.each([
    ["", 0],
    ["0", 0],
    ["0s", 0],
    ["4s", 4_000],
    ["500ms", 500],
    ["1.5s", 1_500],
    ["24h", 86_400_000],
    ["1d", 86_400_000],
    ["1d12h", 129_600_000],
    ["1h0m0s", 3_600_000],
    ["2h45m30.5s", 9_930_500],
    ["1500µs", 2],
    ["1500us", 2],
    ["400000ns", 0],
  ])("reads %j as MediaMTX does", (text, ms) => {
    expect(isDuration(text)).toBe(true);
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([
    ...["4", "s", "4 s", "4S", "-4s", "1w", "abc", "4s ", "1e3s", "0x1s", "4s\n", "d"],
    // These would stop MediaMTX: days are whole and come first.
    ...["1.5d", "1h1d", "1d1d"],
    `${"9".repeat(400)}s`,
    "106752d",
  ])("refuses %j and names the field", (text) => {
    expect(isDuration(text)).toBe(false);
    expect(() => parseDurationMs(text, "recordSegmentDuration")).toThrow(
      expect.objectContaining({
        kind: "invalid-argument",
        fields: [expect.objectContaining({ field: "recordSegmentDuration" })],
      }),
    );
  });

  it("adds up what Go would write", () => {
    const parts = fc.record({
      d: fc.nat({ max: 10_000 }),
      h: fc.nat({ max: 23 }),
      m: fc.nat({ max: 59 }),
      s: fc.nat({ max: 59 }),
    });
    fc.assert(
      fc.property(parts, ({ d, h, m, s }) => {
        expect(parseDurationMs(`${d}d${h}h${m}m${s}s`)).toBe((((d * 24 + h) * 60 + m) * 60 + s) * 1_000);
      }),
    );
  });

  it("is safe and never negative for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("0", "1", "9", ".", "d", "h", "m", "s", " ", "-") }), (text) => {
        if (isDuration(text)) expect(Number.isSafeInteger(parseDurationMs(text))).toBe(true);
        else expect(() => parseDurationMs(text)).toThrow();
      }),
    );
  });
});
