import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseRange } from "../../../src/http/range.js";
import { withinLimits } from "../../support/measured.js";

describe("parseRange", () => {
  it("answers what a list of all bytes would, for every well-formed range", () => {
    const bound = fc.option(fc.nat(20), { nil: undefined });
    fc.assert(
      fc.property(bound, bound, fc.nat(15), (first, last, bytes) => {
        fc.pre(first !== undefined || last !== undefined);
        const all = Array.from({ length: bytes }, (_, index) => index);
        const verdict = parseRange(`bytes=${first ?? ""}-${last ?? ""}`, bytes);
        if (first !== undefined && last !== undefined && last < first) {
          expect(verdict).toEqual({ kind: "whole" });
          return;
        }
        const wanted =
          first === undefined
            ? all.slice(Math.max(0, bytes - (last ?? 0)))
            : all.slice(first, last === undefined ? undefined : last + 1);
        expect(verdict).toEqual(
          wanted.length === 0
            ? { kind: "unsatisfiable" }
            : { kind: "part", start: wanted[0], end: wanted[wanted.length - 1] },
        );
      }),
    );
  });

  it("ignores every other text, and never leaves the file", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `bytes=${text}`),
        ),
        fc.nat(100),
        (header, bytes) => {
          const verdict = parseRange(header, bytes);
          if (verdict.kind !== "part") return;
          expect(verdict.start).toBeGreaterThanOrEqual(0);
          expect(verdict.end).toBeGreaterThanOrEqual(verdict.start);
          expect(verdict.end).toBeLessThan(bytes);
        },
      ),
    );
    expect(parseRange(undefined, 10)).toEqual({ kind: "whole" });
  });

  it("takes numbers of any length at once (F60)", () => {
    const long = "9".repeat(15_000);
    const parsed = (range: string) =>
      withinLimits(
        () => range,
        () => parseRange(range, 10),
      );
    expect(parsed(`bytes=0-${long}`)).toEqual({ kind: "part", start: 0, end: 9 });
    expect(parsed(`bytes=${long}-`)).toEqual({ kind: "unsatisfiable" });
    expect(parsed(`bytes=-${long}`)).toEqual({ kind: "part", start: 0, end: 9 });
    expect(parsed(`bytes=${"0".repeat(15_000)}x-`)).toEqual({ kind: "whole" });
  });
});
