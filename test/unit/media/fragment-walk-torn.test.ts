import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { isAppError } from "../../../src/core/errors.js";
import type { Inspection } from "../../../src/media/inspection.js";
import { fixture, inspectBytes } from "./fixtures.js";

/** Offsets where a box begins, at every depth of ftyp, moov and moof; written for this test alone. */
function boxBorders(bytes: Buffer, from = 0, to = bytes.length): number[] {
  const containers = ["moov", "trak", "mdia", "minf", "stbl", "mvex", "udta", "moof", "traf"];
  const borders: number[] = [];
  for (let at = from; at + 8 <= to; at += bytes.readUInt32BE(at)) {
    borders.push(at);
    const end = at + bytes.readUInt32BE(at);
    if (containers.includes(bytes.toString("latin1", at + 4, at + 8))) borders.push(...boxBorders(bytes, at + 8, end));
  }
  return borders;
}

function inspectOrRefuse(bytes: Buffer): Inspection | string {
  try {
    return inspectBytes(bytes);
  } catch (error) {
    if (isAppError(error, "data-loss")) return error.message;
    throw error;
  }
}

describe("header walk of torn files", () => {
  it.each([
    "v1.20.1/h264-aac/2026-11-20_17-04-43",
    "v1.14.0/h264-bframes/2026-11-20_17-05-24",
    "v1.20.1/killed/2026-11-20_17-05-13",
  ])(
    "F7 F12: %s cut at every box border and between keeps whole fragments only, or says that there is none",
    (name) => {
      const bytes = readFileSync(fixture(name).filePath);
      const whole = inspectBytes(bytes).fragments!;
      const borders = boxBorders(bytes);
      const cuts = new Set(borders.flatMap((at) => [at - 1, at, at + 1, at + 7, at + 8, at + 15, at + 40, at + 5_000]));
      for (const cut of [...cuts].filter((at) => at >= 0 && at < bytes.length)) {
        const expected = whole.fragments.filter(({ offsetBytes, sizeBytes }) => offsetBytes + sizeBytes <= cut);
        const result = inspectOrRefuse(bytes.subarray(0, cut));
        if (expected.length === 0) {
          expect(result).toBeTypeOf("string");
          continue;
        }
        const inspection = result as Inspection;
        const end = expected.at(-1)!.offsetBytes + expected.at(-1)!.sizeBytes;
        expect(inspection.fragments?.fragments).toEqual(expected);
        expect(inspection.wholeBytes).toBe(end);
        expect(inspection.tornReason === undefined).toBe(cut === end);
        if (cut !== end) expect(inspection.finalised).toBe(false);
      }
    },
  );

  it("says why the walk ended, and counts only what is whole", () => {
    const bytes = readFileSync(fixture("v1.20.1/h264-aac/2026-11-20_17-04-43").filePath);
    expect(inspectBytes(bytes.subarray(0, 60_000))).toMatchObject({
      tornReason: "mdat at byte 59247 is cut off: 753 of 2469 bytes",
      wholeBytes: 59_047,
      finalised: false,
      declaredDurationUs: 4_079_000,
    });
  });

  it("takes zeros after the last whole fragment, as a power loss leaves them, for a torn tail", () => {
    const bytes = readFileSync(fixture("v1.20.1/h264-aac/2026-11-20_17-04-43").filePath);
    bytes.fill(0, 43_733);
    const inspection = inspectBytes(bytes);
    expect(inspection.fragments?.fragments).toHaveLength(3);
    expect(inspection).toMatchObject({ finalised: false, wholeBytes: 43_733 });
    expect(inspection.tornReason).toBe("read box 0x00000000 at byte 43733: box size 0, expected at least 8");
  });
});
