import { describe, expect, it } from "vitest";

import { audioEntry, box, samples, segment, u16, u32, visualEntry } from "../../support/fmp4.js";
import { inspectBytes } from "./fixtures.js";

function trackOf(sampleEntry: Buffer, timescale = 90_000, handler: "vide" | "soun" = "vide") {
  const parts = [{ tracks: [{ id: 1, tfdt: 0, samples: samples(10, 9_000) }] }];
  return inspectBytes(segment({ tracks: [{ id: 1, timescale, handler, sampleEntry }], parts })).tracks[0];
}

/** ES_Descriptor with a DecoderConfigDescriptor, lengths in the four-byte form that some writers use. */
function esds(objectType: number, specificInfo: readonly number[]): Buffer {
  const descriptor = (tag: number, body: Buffer) =>
    Buffer.concat([Buffer.from([tag, 0x80, 0x80, 0x80, body.length]), body]);
  const info = specificInfo.length === 0 ? Buffer.alloc(0) : descriptor(5, Buffer.from(specificInfo));
  const config = descriptor(4, Buffer.concat([Buffer.from([objectType, 0x15]), Buffer.alloc(11), info]));
  return box("esds", u32(0), descriptor(3, Buffer.concat([u16(1), Buffer.from([0]), config])));
}

/** hvcC of Main 10, high tier, with the constraint bytes as MediaMTX copies them from an escaped SPS. */
function hvcC(sps: readonly number[]): Buffer {
  const record = [1, 0x22, 0x20, 0, 0, 0, 3, 0, 0x90, 0, 0, 3, 153, ...Array<number>(9).fill(0)];
  const arrays = sps.length === 0 ? [0] : [1, 33, ...u16(1), ...u16(sps.length), ...sps];
  return box("hvcC", record, arrays);
}

const SPS = [0x42, 1, 1, 0x22, 0x20, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 153, 0xa0, 1];

describe("codec strings", () => {
  it.each([
    ["avc1.42c028", visualEntry("avc1", box("avcC", [1, 0x42, 0xc0, 0x28]))],
    ["avc3.640033", visualEntry("avc3", box("free", [1, 2, 3]), box("avcC", [1, 0x64, 0, 0x33]))],
    ["avc1", visualEntry("avc1", box("avcC", [1, 0x42]))],
    ["avc1", visualEntry("avc1", u32(3), u32(0))],
    ["hvc1.2.4.H153.3.0.90.0.0.3", visualEntry("hvc1", hvcC([]))],
    ["hev1.2.4.H153.90", visualEntry("hev1", hvcC(SPS))],
    ["hvc1.A1.6.L93.B0", visualEntry("hvc1", box("hvcC", [1, 0x41, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93]))],
    ["av01.0.04M.08", visualEntry("av01", box("av1C", [0x81, 0x04, 0x0c, 0]))],
    ["av01.2.13H.12", visualEntry("av01", box("av1C", [0x81, 0x4d, 0xe0, 0]))],
    ["vp09.00.10.08", visualEntry("vp09", box("vpcC", u32(0x100_0000), [0, 10, 0x82, 1, 1, 1]))],
    ["mjpeg", visualEntry("mp4v", esds(0x6c, []))],
    ["mjpeg", visualEntry("mjpg")],
    ["mp4v.20.9", visualEntry("mp4v", esds(0x20, [0, 0, 1, 0xb0, 9]))],
    ["mp4v.61", visualEntry("mp4v", esds(0x61, []))],
  ])("says %s of a video sample entry", (codec, entry) => {
    expect(trackOf(entry)).toMatchObject({ kind: "video", codec, widthPx: 320, heightPx: 180 });
  });

  it.each([
    ["mp4a.40.2", 48_000, 1, audioEntry("mp4a", 44_100, esds(0x40, [0x11, 0x88]))],
    ["mp4a.40.5", 48_000, 2, audioEntry("mp4a", 24_000, esds(0x40, [0x2b, 0x11, 0x88, 0]))],
    ["mp4a.40.42", 48_000, 2, audioEntry("mp4a", 48_000, esds(0x40, [0xf9, 0x46, 0x40, 0]))],
    ["mp4a.6b", 44_100, 2, audioEntry("mp4a", 44_100, esds(0x6b, []))],
    ["mp4a", 44_100, 2, audioEntry("mp4a", 44_100)],
    ["Opus", 48_000, 2, audioEntry("Opus", 48_000, box("dOps", Buffer.alloc(11)))],
    ["ac-3", 48_000, 2, audioEntry("ac-3", 48_000)],
    ["ec-3", 48_000, 2, audioEntry("ec-3", 48_000)],
    ["ipcm", 8_000, 2, audioEntry("ipcm", 8_000)],
    ["lpcm", 8_000, 2, audioEntry("lpcm", 8_000)],
    ["flac", 44_100, 2, audioEntry("fLaC", 44_100)],
  ])("says %s of an audio sample entry, %i Hz, %i channels", (codec, sampleRateHz, channels, entry) => {
    expect(trackOf(entry, 48_000, "soun")).toMatchObject({ kind: "audio", codec, sampleRateHz, channels });
  });

  it("takes the timescale for a sample rate that does not fit its field", () => {
    expect(trackOf(audioEntry("ipcm", 96_000), 96_000, "soun")).toMatchObject({ sampleRateHz: 96_000 });
    expect(trackOf(audioEntry("ipcm", 0), 48_000, "soun")).toMatchObject({ sampleRateHz: 48_000 });
  });

  it.each([
    ["c608", box("c608", Buffer.alloc(8))],
    ["avc1", box("avc1", Buffer.alloc(8))],
    ["0x00000001", box("\0\0\0\u0001", Buffer.alloc(90))],
  ])("keeps %s as a track of another kind", (codec, entry) => {
    expect(trackOf(entry)).toEqual({ kind: "other", id: 1, timescale: 90_000, codec });
  });
});
