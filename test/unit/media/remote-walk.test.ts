import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { inspectRemote } from "../../../src/media/remote-walk.js";
import { box, init, part, samples } from "../../support/fmp4.js";
import { FMP4_FIXTURES, inspectBytes } from "./fixtures.js";

const MIB = 1_048_576;

/** Counts what is asked for. */
function remote(bytes: Uint8Array) {
  const asked: { start: number; length: number }[] = [];
  const file = {
    sizeBytes: bytes.length,
    readRange: (start: number, length: number): Promise<Uint8Array> => {
      if (start + length > bytes.length) throw new Error("asks for bytes after the end");
      asked.push({ start, length });
      return Promise.resolve(bytes.subarray(start, start + length));
    },
  };
  return { file, asked };
}

function large(parts: number, mediaBytes: number, filler: Buffer = Buffer.alloc(0)): Buffer {
  const [ftyp, moov] = splitInit(init({ tracks: [{ id: 1, timescale: 90_000 }], mvhdDurationMs: parts * 1_000 }));
  const fragments = Array.from({ length: parts }, (_, at) =>
    part({ tracks: [{ id: 1, tfdt: at * 90_000, samples: [{ durationTicks: 90_000, sizeBytes: mediaBytes }] }] }),
  );
  return Buffer.concat([ftyp, filler, moov, ...fragments]);
}

function splitInit(bytes: Buffer): [Buffer, Buffer] {
  const ftypBytes = bytes.readUInt32BE(0);
  return [bytes.subarray(0, ftypBytes), bytes.subarray(ftypBytes)];
}

describe("header walk by ranges", () => {
  it.each(FMP4_FIXTURES)("says of $name what the walk over the whole file says", async ({ filePath }) => {
    const bytes = readFileSync(filePath);
    expect(await inspectRemote(remote(bytes).file)).toEqual(inspectBytes(bytes));
  });

  it("fetches one window for each fragment that is larger than that, and never what lies between", async () => {
    const bytes = large(8, 4 * MIB);
    const { file, asked } = remote(bytes);
    expect(await inspectRemote(file)).toEqual(inspectBytes(bytes));
    expect(asked).toHaveLength(8);
    expect(asked.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(3 * MIB);
  });

  it("fetches many small fragments with one request", async () => {
    const { file, asked } = remote(large(60, 1_000));
    await inspectRemote(file);
    expect(asked).toHaveLength(1);
  });

  it("finds a moov far behind the ftyp, and one that is larger than a window", async () => {
    const apart = large(2, 10, box("free", Buffer.alloc(MIB)));
    expect(await inspectRemote(remote(apart).file)).toEqual(inspectBytes(apart));
    const wide = Buffer.concat([
      init({
        tracks: Array.from({ length: 60 }, (_, at) => ({ id: at + 1, timescale: 90_000, sampleEntry: padded() })),
      }),
      part({ tracks: [{ id: 1, tfdt: 0, samples: samples(2, 9_000) }] }),
    ]);
    expect(wide.length).toBeGreaterThan(MIB / 2);
    expect(await inspectRemote(remote(wide).file)).toEqual(inspectBytes(wide));
  });

  it("takes what is whole of a torn file, and refuses garbage as data-loss", async () => {
    const torn = large(3, 5_000).subarray(0, -100);
    expect(await inspectRemote(remote(torn).file)).toEqual(inspectBytes(torn));
    await expect(inspectRemote(remote(Buffer.from("no media at all, not at all")).file)).rejects.toMatchObject({
      kind: "data-loss",
    });
  });

  it("passes on what the far side says", async () => {
    const failing = { sizeBytes: 100, readRange: () => Promise.reject(new Error("away")) };
    await expect(inspectRemote(failing)).rejects.toThrow("away");
  });
});

function padded(): Buffer {
  return box("avc1", Buffer.alloc(78), box("avcC", [1, 0x42, 0xc0, 0x28]), box("free", Buffer.alloc(10_000)));
}
