import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isAppError } from "../../../src/core/errors.js";
import { formatRfc3339, isPlausibleInstant, parseRfc3339 } from "../../../src/core/instant.js";

const anyInstantUs = fc.integer({ min: Date.UTC(1900, 0) * 1_000, max: Date.UTC(2255, 0) * 1_000 });

describe("instants", () => {
  it("come back from their text to the microsecond", () => {
    fc.assert(fc.property(anyInstantUs, (us) => parseRfc3339(formatRfc3339(us)) === us));
  });

  it("are the text that Date makes of them, to the millisecond", () => {
    const wholeMs = anyInstantUs.map((us) => Math.floor(us / 1_000));
    const withZeros = (text: string): string =>
      text.replace(/(?:\.(\d+))?Z$/, (_, digits = "") => `.${String(digits).padEnd(3, "0")}Z`);
    fc.assert(fc.property(wholeMs, (ms) => withZeros(formatRfc3339(ms * 1_000)) === new Date(ms).toISOString()));
  });

  it("order as their texts of equal precision do", () => {
    const seconds = anyInstantUs.map((us) => Math.floor(us / 1_000_000) * 1_000_000);
    fc.assert(
      fc.property(seconds, seconds, (a, b) => Math.sign(a - b) === compare(formatRfc3339(a), formatRfc3339(b))),
    );
  });

  it.each([
    ["2026-11-20T17:04:43.02294Z", 1_795_194_283_022_940],
    ["2026-11-20t17:04:43.02294z", 1_795_194_283_022_940],
    ["2026-11-20 17:04:43Z", 1_795_194_283_000_000],
    ["2026-11-20T18:34:43+01:30", 1_795_194_283_000_000],
    ["2026-11-20T17:04:43.123456789Z", 1_795_194_283_123_456],
    ["1969-12-31T23:59:59.5Z", -500_000],
    ["2024-02-29T00:00:00Z", 1_709_164_800_000_000],
  ])("reads %s", (text, us) => {
    expect(parseRfc3339(text)).toBe(us);
  });

  it.each([
    ...["", "now", "2026-11-20", "2026-11-20T17:04:43", "2026-11-20T17:04Z", "1795194283", "20261120T170443Z"],
    ...["2026-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-20T24:00:00Z"],
    ...["2026-11-20T17:60:00Z", "2026-11-20T17:04:43.Z", "2026-11-20T17:04:43+24:00", "2026-11-20T17:04:43Z\n"],
    "2026-11-20T17:04:43.1234567890Z",
  ])("refuses %j and names the field", (text) => {
    const error = thrownBy(() => parseRfc3339(text, "from"));
    expect(isAppError(error, "invalid-argument") && error.fields.map(({ field }) => field)).toEqual(["from"]);
  });

  it("writes only the digits that are needed", () => {
    expect([0, 1, 1_500_000, -1].map(formatRfc3339)).toEqual([
      "1970-01-01T00:00:00Z",
      "1970-01-01T00:00:00.000001Z",
      "1970-01-01T00:00:01.5Z",
      "1969-12-31T23:59:59.999999Z",
    ]);
  });
});

describe("an instant that a file claims", () => {
  it.each([0, 1, Date.UTC(2026, 10, 20) * 1_000, Date.UTC(2200, 0, 1) * 1_000 - 1])("of %d is plausible", (us) => {
    expect(isPlausibleInstant(us)).toBe(true);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(2200, 0, 1) * 1_000, Number.MAX_SAFE_INTEGER])(
    "of %d is not",
    (us) => {
      expect(isPlausibleInstant(us)).toBe(false);
    },
  );
});

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
