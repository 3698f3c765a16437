/** Where MPEG-TS is cut: real files of MediaMTX, and made ones that it writes seldom or never. */
import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MemoryByteSource } from "../../../src/media/byte-source.js";
import { decodeFragmentIndex, encodeFragmentIndex } from "../../../src/media/fragment-index-codec.js";
import { indexTransportStream } from "../../../src/media/transport-index.js";
import {
  AUDIO_PID,
  pes,
  PICTURE_AND_SOUND,
  rest,
  SOUND,
  soundInFront,
  tables,
  VIDEO_PID,
} from "../../support/transport-stream.js";
import { FIXTURES } from "./fixtures.js";

const SEC = 90_000;
const index = (...packets: readonly Buffer[]) => indexTransportStream(new MemoryByteSource(Buffer.concat(packets)));

/** A GOP of four pictures, half a second each. */
function gop(ptsTicks: number): Buffer {
  const pictures = [0, 1, 2, 3].map((at) => pes(VIDEO_PID, (ptsTicks + (at * SEC) / 2) % 2 ** 33, at === 0));
  return Buffer.concat([tables(PICTURE_AND_SOUND), ...pictures, pes(AUDIO_PID, ptsTicks % 2 ** 33, true)]);
}

describe("the index of MPEG-TS", () => {
  it.each(FIXTURES.filter(({ name }) => name.endsWith(".ts")))(
    "of $name has a fragment for each GOP of two seconds, and no byte is left out",
    ({ filePath }) => {
      const bytes = readFileSync(filePath);
      const found = index(bytes);
      expect(found).toMatchObject({ mainTrackId: 256, timescale: SEC, initBytes: 0 });
      const fragments = found?.fragments ?? [];
      expect(fragments.map(({ startTicks }) => startTicks)).toEqual(fragments.map((_, at) => at * 2 * SEC));
      for (const [at, fragment] of fragments.entries()) {
        expect(fragment).toMatchObject({ durationTicks: 2 * SEC, syncTicks: fragment.startTicks });
        expect(fragment.offsetBytes + fragment.sizeBytes).toBe(fragments[at + 1]?.offsetBytes ?? bytes.length);
        expect(bytes.readUInt32BE(fragment.offsetBytes) >>> 8).toBe(0x474000);
      }
      expect(found === null || decodeFragmentIndex(encodeFragmentIndex(found))).toEqual(found);
    },
  );

  it("goes on where time stamps begin anew after 26.5 hours", () => {
    const startTicks = 2 ** 33 - SEC;
    const found = index(gop(startTicks), gop(startTicks + 2 * SEC), gop(startTicks + 4 * SEC));
    expect(found?.fragments.map((fragment) => fragment.startTicks)).toEqual([0, 2 * SEC, 4 * SEC]);
    expect(found?.fragments.map(({ durationTicks }) => durationTicks)).toEqual([2 * SEC, 2 * SEC, 2 * SEC]);
  });

  it("is none where the clock jumps, forth or back", () => {
    expect(index(gop(0), gop(20 * SEC))).toBeNull();
    expect(index(gop(60 * SEC), gop(0))).toBeNull();
  });

  it("cuts at tables before the random access point alone, behind which each track begins anew", () => {
    const both = tables(PICTURE_AND_SOUND);
    const bare = pes(VIDEO_PID, 2 * SEC, true);
    const sound = pes(AUDIO_PID, 2 * SEC, true);
    const cuts = (...packets: readonly Buffer[]) => (index(gop(0), ...packets, bare)?.fragments.length ?? 0) - 1;
    expect([cuts(both), cuts(both, sound), cuts(both, sound, rest(AUDIO_PID))]).toEqual([1, 1, 1]);
    expect([cuts(), cuts(both.subarray(0, 188)), cuts(both.subarray(188))]).toEqual([0, 0, 0]);
    expect([cuts(both, rest(AUDIO_PID)), cuts(both, rest(VIDEO_PID), sound)]).toEqual([0, 0]);
    const [pat, pmt] = [both.subarray(0, 188), both.subarray(188)];
    expect(cuts(pat, sound, pmt)).toBe(0);
  });

  it("of a file that begins with sound is cut before the last sound in front of a picture, and counts from that sound", () => {
    const [pieces, quarter] = [40, SEC / 4];
    const bytes = soundInFront(pieces, 2 ** 33 - 2 * SEC);
    const { fragments = [] } = index(bytes) ?? {};
    const at = ({ startTicks: start, syncTicks }: (typeof fragments)[number]) =>
      [start, syncTicks].map((ticks) => (ticks ?? NaN) / quarter);
    expect(fragments.map(at)).toEqual([
      [3, 3],
      [9, 11],
      [18, 19],
      [27, 27],
      [33, 35],
    ]);
    for (const [number, fragment] of fragments.entries()) {
      const next = fragments[number + 1];
      expect(fragment.offsetBytes + fragment.sizeBytes).toBe(next?.offsetBytes ?? bytes.length);
      expect((fragment.startTicks ?? 0) + fragment.durationTicks).toBe(next?.startTicks ?? pieces * quarter);
      expect(bytes.readUInt32BE(fragment.offsetBytes) >>> 8).toBe(0x474000);
    }
  });

  it("can be kept where a random access point has an earlier time than what comes before it", () => {
    const late = index(gop(0), tables(PICTURE_AND_SOUND), pes(VIDEO_PID, 3 * SEC), pes(VIDEO_PID, 2 * SEC, true));
    const behindSound = index(tables(PICTURE_AND_SOUND), pes(AUDIO_PID, SEC, true), gop(0));
    expect(late?.fragments.map(({ syncTicks }) => syncTicks)).toEqual([0, 3 * SEC]);
    expect(behindSound?.fragments.map(({ syncTicks }) => syncTicks)).toEqual([-SEC]);
    for (const found of [late, behindSound]) expect(decodeFragmentIndex(encodeFragmentIndex(found!))).toEqual(found);
  });

  it("is none where the first picture is of another clock than the sound before it", () => {
    const late = (sec: number) => index(tables(PICTURE_AND_SOUND), pes(AUDIO_PID, 0, true), gop(sec * SEC));
    expect([late(100)?.fragments.length, late(200)]).toEqual([1, null]);
  });

  it("is none without tables, without a picture that begins anything, or with other tracks later on", () => {
    expect(index(pes(VIDEO_PID, 0, true))).toBeNull();
    expect(index(tables(PICTURE_AND_SOUND), pes(VIDEO_PID, 0))).toBeNull();
    expect(index(gop(0), tables(SOUND), pes(AUDIO_PID, 2 * SEC, true))).toBeNull();
    expect(index()).toBeNull();
  });

  it("cuts sound alone once a second at most", () => {
    const packets = Array.from({ length: 30 }, (_, at) =>
      Buffer.concat([tables(SOUND), pes(AUDIO_PID, (at * SEC) / 10, true)]),
    );
    const fragments = index(...packets)?.fragments ?? [];
    expect(fragments.map(({ startTicks }) => startTicks)).toEqual([0, SEC, 2 * SEC]);
  });

  it("ends with the last whole packet before what is damaged or torn off", () => {
    const whole = Buffer.concat([gop(0), gop(2 * SEC)]);
    const end = (...more: readonly Buffer[]): number => {
      const last = index(whole, ...more)?.fragments.at(-1);
      return (last?.offsetBytes ?? 0) + (last?.sizeBytes ?? 0);
    };
    expect(end(gop(4 * SEC).subarray(0, 100))).toBe(whole.length);
    expect(end(Buffer.alloc(1_880), gop(4 * SEC))).toBe(whole.length);
  });

  it("of any bytes is none, or lies within them in order", () => {
    const packet = fc.oneof(
      fc.constantFrom(tables(PICTURE_AND_SOUND), tables(SOUND)),
      fc
        .tuple(fc.constantFrom(VIDEO_PID, AUDIO_PID), fc.oneof(fc.nat(2 ** 33 - 1), fc.nat(9 * SEC)), fc.boolean())
        .map((facts) => pes(...facts)),
      fc.uint8Array({ minLength: 188, maxLength: 188 }).map((bytes) => Buffer.from([0x47, ...bytes.subarray(1)])),
    );
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 30 }), fc.nat(400), (packets, cut) => {
        const bytes = Buffer.concat(packets);
        const found = index(bytes.subarray(0, Math.max(0, bytes.length - cut)));
        if (found === null) return;
        let at = 0;
        for (const { offsetBytes, sizeBytes } of found.fragments) {
          expect(offsetBytes).toBeGreaterThanOrEqual(at);
          expect(sizeBytes).toBeGreaterThan(0);
          at = offsetBytes + sizeBytes;
        }
        expect(at).toBeLessThanOrEqual(bytes.length);
        expect(decodeFragmentIndex(encodeFragmentIndex(found))).toEqual(found);
      }),
    );
  });
});
