import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isAppError } from "../../../src/core/errors.js";
import type { Inspection } from "../../../src/media/inspection.js";
import { box, FTYP, init, mvhd, part, samples, segment, trak, u32, u64 } from "../../support/fmp4.js";
import { fixture, inspectBytes } from "./fixtures.js";
import { PATIENCE } from "../../support/patience.js";

const MAX_MS = 100 * PATIENCE;
const TRACK = { id: 1, timescale: 90_000 };
const INIT = init({ tracks: [TRACK] });
const PART = part({ tracks: [{ id: 1, tfdt: 0, samples: samples(10, 9_000) }] });

/** A header that claims a size without having it. */
function claim(type: string, size: number): Buffer {
  return Buffer.concat([u32(size), Buffer.from(type), Buffer.alloc(64)]);
}

function claim64(type: string, size: bigint): Buffer {
  return Buffer.concat([u32(1), Buffer.from(type), u64(size), Buffer.alloc(64)]);
}

function nested(type: string, depth: number): Buffer {
  const bytes = Buffer.alloc(depth * 8);
  for (let level = 0; level < depth; level += 1) {
    bytes.writeUInt32BE((depth - level) * 8, level * 8);
    bytes.write(type, level * 8 + 4);
  }
  return bytes;
}

function repeated(count: number, bytes: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

function moof(...trafs: readonly Buffer[]): Buffer {
  return Buffer.concat([box("moof", ...trafs), box("mdat", Buffer.alloc(100))]);
}

const TFHD = box("tfhd", u32(0x2_0000), u32(1));
const TFDT = box("tfdt", u32(0), u32(0));

/** CPU time, because other work on the machine is not the walk's. */
function cpuMsSince(startedAt: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(startedAt);
  return (user + system) / 1_000;
}

function inspectTimed(bytes: Uint8Array): { readonly result: Inspection | string; readonly tookMs: number } {
  const startedAt = process.cpuUsage();
  try {
    return { result: inspectBytes(bytes), tookMs: cpuMsSince(startedAt) };
  } catch (error) {
    if (!isAppError(error, "data-loss")) throw error;
    return { result: error.message, tookMs: cpuMsSince(startedAt) };
  }
}

describe("files that are no recording", () => {
  it.each<[string, Buffer, string]>([
    ["nothing", Buffer.alloc(0), "read first box: the file is empty"],
    ["seven bytes", Buffer.from("0123456"), "read box at byte 0: the file ends at byte 7, no moov before it"],
    [
      "text",
      Buffer.from("This is no film, it is a text.\n"),
      'read first box: type " is ", expected ftyp: not an MP4 file',
    ],
    ["zeros", Buffer.alloc(4_096), 'type "0x00000000", expected ftyp'],
    [
      "a PNG",
      Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
      'type "0x0d0a1a0a", expected ftyp: not an MP4 file',
    ],
    ["ftyp alone", FTYP, "the file ends at byte 32, no moov before it"],
    ["ftyp of size 0", claim("ftyp", 0), "read box ftyp at byte 0: box size 0, expected at least 8"],
    ["ftyp of size 7", claim("ftyp", 7), "read box ftyp at byte 0: box size 7, expected at least 8"],
    ["ftyp of size 2^32-1", claim("ftyp", 0xffff_ffff), "read box ftyp at byte 0: box size 4294967295"],
    ["moov of size 0", Buffer.concat([FTYP, claim("moov", 0)]), "read box moov at byte 32: box size 0"],
    ["moov of size 2^31", Buffer.concat([FTYP, claim("moov", 2 ** 31)]), "box size 2147483648, expected at most 72"],
    [
      "moov of size 2^32-1",
      Buffer.concat([FTYP, claim("moov", 0xffff_ffff)]),
      "box size 4294967295, expected at most 72",
    ],
    [
      "moov of size 2^63",
      Buffer.concat([FTYP, claim64("moov", 2n ** 63n)]),
      "box size 9223372036854776000, expected at most",
    ],
    ["moov of 64-bit size 15", Buffer.concat([FTYP, claim64("moov", 15n)]), "box size 15, expected at least 16"],
    ["moov of 17 MiB", Buffer.concat([FTYP, box("moov", Buffer.alloc(17 << 20))]), "expected at most 16777216"],
    ["moov cut off", INIT.subarray(0, 100), "read box moov at byte 32: box size"],
    ["moov without mvhd", Buffer.concat([FTYP, box("moov", trak(TRACK))]), "read moov at byte 32: no mvhd inside"],
    ["moov without a track", Buffer.concat([FTYP, box("moov", mvhd(0))]), "read moov at byte 32: no track inside"],
    [
      "a child larger than moov",
      Buffer.concat([FTYP, box("moov", mvhd(0), u32(99), Buffer.from("trak"))]),
      "box size 99, expected at most 8 in moov at byte 32",
    ],
    [
      "two tracks of one id",
      Buffer.concat([FTYP, box("moov", mvhd(0), trak(TRACK), trak(TRACK))]),
      "two tracks with the same id",
    ],
    [
      "65 tracks",
      init({ tracks: Array.from({ length: 65 }, (_, id) => ({ ...TRACK, id })) }),
      "65 tracks, expected at most 64",
    ],
    ["timescale 0", init({ tracks: [{ id: 1, timescale: 0 }] }), "timescale 0"],
    [
      "10^5 boxes in moov",
      Buffer.concat([FTYP, box("moov", repeated(100_000, box("free")))]),
      "more than 1024 boxes inside",
    ],
    ["10^5 boxes inside each other", Buffer.concat([FTYP, nested("moov", 100_000)]), "no mvhd inside"],
    ["10^5 times free", Buffer.concat([FTYP, repeated(100_000, box("free"))]), "no moov among the first 16"],
    ["10^5 times free after moov", Buffer.concat([INIT, repeated(100_000, box("free"))]), "read box free at byte"],
    ["10^5 times moov", Buffer.concat([INIT, repeated(100_000, box("moov"))]), "read box moov at byte"],
    ["10^5 times moof", Buffer.concat([INIT, repeated(100_000, box("moof"))]), "expected mdat"],
    ["moof first", PART, 'type "moof", expected ftyp: not an MP4 file'],
    [
      "mdat before moov",
      Buffer.concat([FTYP, box("mdat", [1, 2, 3]), INIT]),
      "read mdat at byte 32: comes before moov",
    ],
    ["no fragment", INIT, "no whole fragment: the file ends after moov"],
    ["moof of size 0", Buffer.concat([INIT, claim("moof", 0)]), "box size 0, expected at least 8"],
    [
      "moof of size 2^63",
      Buffer.concat([INIT, claim64("moof", 2n ** 63n)]),
      "box size 9223372036854776000, expected at most 8388608",
    ],
    ["moof of 9 MiB", Buffer.concat([INIT, box("moof", Buffer.alloc(9 << 20))]), "expected at most 8388608"],
    ["moof without traf", Buffer.concat([INIT, moof()]), "no traf inside"],
    ["10^5 boxes in moof", Buffer.concat([INIT, moof(repeated(100_000, box("free")))]), "more than 1024 boxes inside"],
    ["moof of moof of moof", Buffer.concat([INIT, nested("moof", 100_000)]), "no whole fragment"],
    ["traf without tfhd", Buffer.concat([INIT, moof(box("traf", TFDT))]), "no tfhd inside"],
    [
      "traf of an unknown track",
      Buffer.concat([INIT, moof(box("traf", box("tfhd", u32(0), u32(9))))]),
      "track 9, expected one of moov",
    ],
    [
      "tfdt of size 12",
      Buffer.concat([INIT, moof(box("traf", TFHD, box("tfdt", u32(0))))]),
      "box size 12, expected at least 16",
    ],
    [
      "tfdt of 2^63",
      Buffer.concat([INIT, moof(box("traf", TFHD, box("tfdt", u32(0x100_0000), u64(2n ** 63n))))]),
      "value 9223372036854775808, expected less than 2^53",
    ],
    [
      "tfdt of 2^52",
      Buffer.concat([INIT, moof(box("traf", TFHD, box("tfdt", u32(0x100_0000), u64(2n ** 52n))))]),
      "expected less than 2^53 µs",
    ],
    [
      "trun of 2^32-1 samples",
      Buffer.concat([INIT, moof(box("traf", TFHD, TFDT, box("trun", u32(0x301), u32(0xffff_ffff), u32(0))))]),
      "read trun at byte",
    ],
    [
      "trun of 2^32-1 equal samples",
      Buffer.concat([INIT, moof(box("traf", TFHD, TFDT, box("trun", u32(0), u32(0xffff_ffff))))]),
      "4294967295 samples, expected at most 1048576",
    ],
    [
      "samples beyond mdat",
      Buffer.concat([INIT, moof(box("traf", TFHD, TFDT, box("trun", u32(0x200), u32(1), u32(101))))]),
      "samples of 101 bytes, expected at most 100 in mdat",
    ],
  ])("F12: refuses %s with the reason, within 100 ms", (_what, bytes, reason) => {
    const { result, tookMs } = inspectTimed(bytes);
    expect(result).toContain(reason);
    expect(tookMs).toBeLessThan(MAX_MS);
  });

  it("F12: keeps the whole fragments before a damaged one", () => {
    const damaged = moof(box("traf", TFHD, box("tfdt", u32(0))));
    const { result } = inspectTimed(Buffer.concat([INIT, PART, PART, damaged, PART]));
    expect(result).toMatchObject({ finalised: false, wholeBytes: INIT.length + 2 * PART.length });
    expect((result as Inspection).tornReason).toContain("read tfdt at byte");
  });

  it("takes a mdat with a 64-bit size that is true", () => {
    const media = Buffer.alloc(100);
    const mdat = Buffer.concat([u32(1), Buffer.from("mdat"), u64(116), media]);
    const head = PART.subarray(0, PART.readUInt32BE(0));
    expect(inspectBytes(Buffer.concat([INIT, head, mdat])).mediaDurationUs).toBe(1_000_000);
  });

  it("F12: never hangs or crashes on a recording with changed bytes", () => {
    const recording = readFileSync(fixture("v1.20.1/h264-aac/2026-11-20_17-04-54").filePath);
    const headers = 1_218 + 400;
    const change = fc.record({
      at: fc.integer({ min: 0, max: headers - 4 }),
      value: fc.oneof(
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.constantFrom(0, 1, 7, 8, 0x7fff_ffff, 2 ** 31, 0xffff_ffff),
      ),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(recording);
        for (const { at, value } of changes) bytes.writeUInt32BE(value, at);
        const { result, tookMs } = inspectTimed(bytes);
        expect(tookMs).toBeLessThan(MAX_MS);
        if (typeof result === "string") return;
        expect(result.wholeBytes).toBeLessThanOrEqual(bytes.length);
        expect(Number.isSafeInteger(result.mediaDurationUs)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it("builds what it measures: the segment that these files are made from is sound", () => {
    const bytes = segment({
      tracks: [TRACK],
      parts: [{ tracks: [{ id: 1, tfdt: 0, samples: samples(10, 9_000) }] }],
      mvhdDurationMs: 1_000,
    });
    expect(inspectBytes(bytes)).toMatchObject({ finalised: true, mediaDurationUs: 1_000_000 });
  });
});
