import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeFragmentIndex, encodeFragmentIndex } from "../../../src/media/fragment-index-codec.js";
import type { Fragment, FragmentIndex } from "../../../src/media/inspection.js";
import { FMP4_FIXTURES, inspectFixture } from "./fixtures.js";

const bytes = fc.integer({ min: 0, max: 2 ** 40 });
const ticks = fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 0, max: 2 ** 52 }));

interface Step {
  readonly gapBytes: number;
  readonly sizeBytes: number;
  readonly startTicks: number | null;
  readonly durationTicks: number;
  readonly syncAfterTicks: number | null;
}

const step: fc.Arbitrary<Step> = fc.record({
  gapBytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 })),
  sizeBytes: bytes,
  startTicks: fc.option(ticks),
  durationTicks: ticks,
  syncAfterTicks: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
});

const anyIndex: fc.Arbitrary<FragmentIndex> = fc
  .record({
    mainTrackId: fc.integer({ min: 0, max: 0xffff_ffff }),
    timescale: fc.integer({ min: 1, max: 0xffff_ffff }),
    initBytes: bytes,
    steps: fc.array(step, { maxLength: 50 }),
  })
  .map(({ steps, ...rest }) => {
    let end = rest.initBytes;
    const fragments = steps.map(({ gapBytes, syncAfterTicks, ...fragment }): Fragment => {
      const offsetBytes = end + gapBytes;
      end = offsetBytes + fragment.sizeBytes;
      const { startTicks } = fragment;
      const syncTicks = startTicks === null || syncAfterTicks === null ? null : startTicks + syncAfterTicks;
      return { ...fragment, offsetBytes, syncTicks };
    });
    return { ...rest, fragments };
  });

describe("encoded fragment index", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(anyIndex, (index) => {
        expect(decodeFragmentIndex(encodeFragmentIndex(index))).toEqual(index);
      }),
    );
  });

  it("takes at most ten bytes per fragment of a real recording", () => {
    for (const file of FMP4_FIXTURES) {
      const index = inspectFixture(file).fragments!;
      const encoded = encodeFragmentIndex(index);
      expect(decodeFragmentIndex(encoded)).toEqual(index);
      expect(encoded.length).toBeLessThanOrEqual(12 + 10 * index.fragments.length);
    }
  });

  it("is refused when cut, longer, or of another version", () => {
    const encoded = encodeFragmentIndex(inspectFixture(FMP4_FIXTURES[0]!).fragments!);
    for (let length = 0; length < encoded.length; length += 1) {
      expect(() => decodeFragmentIndex(encoded.subarray(0, length))).toThrow(/^decode fragment index: ends after/);
    }
    expect(() => decodeFragmentIndex(Buffer.concat([encoded, Buffer.alloc(1)]))).toThrow(
      "1 bytes after the last fragment",
    );
    expect(() => decodeFragmentIndex(Buffer.concat([Buffer.from([2]), encoded.subarray(1)]))).toThrow(
      "version 2, expected 1",
    );
    expect(() => decodeFragmentIndex(Buffer.from([1, ...Array<number>(9).fill(0xff)]))).toThrow("beyond 2^53 - 1");
  });

  it("refuses to encode what cannot be a place or a time", () => {
    const index = inspectFixture(FMP4_FIXTURES[0]!).fragments!;
    for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => encodeFragmentIndex({ ...index, timescale: wrong })).toThrow("encode fragment index: value");
    }
  });
});
