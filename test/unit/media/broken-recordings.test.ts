import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { isAppError } from "../../../src/core/errors.js";
import { box, FTYP, init } from "../../support/fmp4.js";
import { boxesOf, breakRecording, type BrokenRecording } from "../../support/broken-recordings.js";
import { withinLimits } from "../../support/measured.js";
import { fixture, inspectBytes } from "./fixtures.js";
import { PATIENCE } from "../../support/patience.js";

const INIT = init({ tracks: [{ id: 1, timescale: 90_000 }] });

/** Whole fragments, or the reason why there are none; anything else is thrown. */
function outcomeOf({ bytes }: BrokenRecording): "fragments" | "refused" {
  try {
    const { mediaDurationUs, wholeBytes } = inspectBytes(bytes);
    expect(Number.isSafeInteger(mediaDurationUs)).toBe(true);
    expect(wholeBytes).toBeLessThanOrEqual(bytes.length);
    return "fragments";
  } catch (error) {
    if (!isAppError(error, "data-loss")) throw error;
    expect(error.message).not.toBe("");
    return "refused";
  }
}

describe("a corpus of broken recordings (F12)", () => {
  it.each(["v1.20.1/h264-aac/2026-11-20_17-04-54", "v1.20.1/h265-only", "v1.20.1/killed"])(
    "made of %s has an answer for each, within 100 ms and 64 MiB",
    (name) => {
      const sound = readFileSync(fixture(name).filePath);
      const corpus = breakRecording(sound, 50);
      expect(corpus.length).toBeGreaterThan(300);
      const outcomes = corpus.map((broken) =>
        withinLimits(
          () => broken.what,
          () => outcomeOf(broken),
        ),
      );
      // A corpus that is all refused, or all taken, breaks nothing that matters.
      expect(new Set(outcomes)).toEqual(new Set(["fragments", "refused"]));
    },
    60_000 * PATIENCE,
  );

  it("has an answer for 10^5 boxes of each kind, beside and inside each other", { timeout: 60_000 * PATIENCE }, () => {
    const kinds = new Set(boxesOf(readFileSync(fixture("v1.20.1/h264-aac").filePath)).map(({ type }) => type));
    for (const type of [...kinds].filter((kind) => kind !== "mdat")) {
      const many = Buffer.concat(Array.from({ length: 100_000 }, () => box(type)));
      const deep = Buffer.alloc(800_000);
      for (let level = 0; level < 100_000; level += 1) {
        deep.writeUInt32BE(deep.length - level * 8, level * 8);
        deep.write(type, level * 8 + 4, "latin1");
      }
      for (const bytes of [many, deep].flatMap((boxes) => [
        Buffer.concat([FTYP, boxes]),
        Buffer.concat([INIT, boxes]),
        Buffer.concat([FTYP, box("moov", boxes)]),
        Buffer.concat([INIT, box("moof", boxes), box("mdat", [0])]),
      ])) {
        expect(
          withinLimits(
            () => type,
            () => outcomeOf({ what: type, bytes }),
          ),
        ).toBe("refused");
      }
    }
  });
});
