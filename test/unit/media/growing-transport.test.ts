/** MPEG-TS while it is written: what is named early is what the closed file has, and its end is found without the rest. */
import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MemoryByteSource } from "../../../src/media/byte-source.js";
import { GrowingTransport, GrowingTransportEnd } from "../../../src/media/growing-transport.js";
import { indexTransportStream } from "../../../src/media/transport-index.js";
import { AUDIO_PID, pes, PICTURE_AND_SOUND, soundInFront, tables, VIDEO_PID } from "../../support/transport-stream.js";
import { FIXTURES } from "./fixtures.js";

const SEC = 90_000;
const STREAMS = FIXTURES.filter(({ name }) => name.endsWith(".ts"));
const indexOf = (bytes: Buffer) => indexTransportStream(new MemoryByteSource(bytes));

/** The first `sizeBytes` of a file. */
function asFile(bytes: Buffer, sizeBytes = bytes.length) {
  const readRange = (start: number, length: number): Promise<Buffer> =>
    Promise.resolve(bytes.subarray(0, sizeBytes).subarray(start, start + length));
  return { sizeBytes, readRange };
}

/** GOPs of two seconds, from that time on. */
function stream(gops: number, startTicks: number): Buffer {
  const gop = (at: number): Buffer[] => {
    const ticks = (startTicks + at * 2 * SEC) % 2 ** 33;
    const pictures = [0, 1, 2, 3].map((each) => pes(VIDEO_PID, (ticks + (each * SEC) / 2) % 2 ** 33, each === 0));
    return [tables(PICTURE_AND_SOUND), ...pictures, pes(AUDIO_PID, ticks, true)];
  };
  return Buffer.concat(Array.from({ length: gops }, (_, at) => gop(at)).flat());
}

/** Where the first packet of the picture ends that is a random access point. */
function afterSync(bytes: Buffer, fromBytes = Infinity): number {
  for (let at = fromBytes; at < bytes.length; at += 188) {
    const isVideo = (bytes.readUInt16BE(at + 1) & 0x1fff) === VIDEO_PID;
    if (isVideo && (bytes[at + 3]! & 0x20) !== 0 && (bytes[at + 5]! & 0x40) !== 0) return at + 188;
  }
  return Infinity;
}

describe("MPEG-TS that is being written", () => {
  it.each([
    ...STREAMS.map(({ name, filePath }) => ({ name, bytes: readFileSync(filePath) })),
    { name: "what begins with sound", bytes: soundInFront(60, 0) },
  ])("$name has the fragments that it will have, however it grows", async ({ bytes }) => {
    const closed = indexOf(bytes)?.fragments ?? [];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
        const walk = new GrowingTransport();
        for (const sizeBytes of [...cuts.sort((a, b) => a - b), bytes.length]) {
          const grown = await walk.advance(asFile(bytes, sizeBytes));
          const whole = closed.filter((_, at) => afterSync(bytes, closed[at + 1]?.offsetBytes) <= sizeBytes);
          expect(grown?.index.fragments ?? []).toEqual(whole);
          if (grown !== null) expect(grown.endedIndex).toEqual(indexOf(bytes.subarray(0, sizeBytes)));
          expect(grown?.wholeBytes ?? 0).toBeLessThanOrEqual(sizeBytes);
        }
      }),
      { numRuns: 25 },
    );
  });

  it.each([0, 2 ** 33 - 30 * SEC])(
    "is found at its end alone, at the same times (from tick %i)",
    async (startTicks) => {
      const bytes = stream(40, startTicks);
      const closed = indexOf(bytes)?.fragments ?? [];
      let readBytes = 0;
      const file = (sizeBytes: number) => {
        const { readRange } = asFile(bytes, sizeBytes);
        return {
          sizeBytes,
          readRange: (start: number, length: number) => {
            if (start > 0) readBytes += length;
            return readRange(start, length);
          },
        };
      };
      const gopBytes = bytes.length / 40;
      const end = new GrowingTransportEnd(20 * gopBytes, 5.5 * gopBytes);
      const early = await end.advance(file(20 * gopBytes));
      expect(early?.index.fragments).toEqual(closed.slice(15, 19));
      expect(readBytes).toBeLessThan(8 * gopBytes);
      const late = await end.advance(file(bytes.length));
      expect(late?.index.fragments).toEqual(closed.slice(15, 39));
      expect(late?.endedIndex.fragments).toEqual(closed.slice(15));
    },
  );

  it("that begins with sound is found at its end alone too, at the same times", async () => {
    const bytes = soundInFront(400, 2 ** 33 - 30 * SEC);
    const closed = indexOf(bytes)?.fragments ?? [];
    for (const endBytes of [9_000, 9_500, 10_000, 10_500, 11_000, 40_000, 150_000]) {
      const grown = await new GrowingTransportEnd(bytes.length, endBytes).advance(asFile(bytes));
      const fragments = grown?.endedIndex.fragments ?? [];
      expect(fragments.length).toBeGreaterThan(0);
      expect(fragments).toEqual(closed.slice(-fragments.length));
      expect(grown?.index.fragments).toEqual(closed.slice(-fragments.length, -1));
    }
  });

  it("has no end yet where no random access point lies in it, and no fragment where none follows", async () => {
    const bytes = stream(2, 0);
    expect(await new GrowingTransportEnd(bytes.length, 188).advance(asFile(bytes))).toBeNull();
    expect(await new GrowingTransport().advance(asFile(stream(1, 0)))).toBeNull();
    expect(await new GrowingTransport().advance(asFile(Buffer.alloc(0)))).toBeNull();
  });
});
