/** Segments as MediaMTX writes them (one moof + mdat per part), and everything it never would, built box by box. */

export interface SampleSpec {
  readonly durationTicks: number;
  readonly sizeBytes?: number;
  /** Default true. */
  readonly isSync?: boolean;
  readonly compositionOffset?: number;
}

export interface TrackSpec {
  readonly id: number;
  readonly timescale: number;
  /** Default: H.264 (`avc1.42c028`), 320x180. */
  readonly handler?: "vide" | "soun";
  readonly sampleEntry?: Buffer;
}

export interface PartSpec {
  /** In the order of the `traf` boxes. */
  readonly tracks: readonly {
    readonly id: number;
    readonly tfdt: number | bigint;
    readonly samples: readonly SampleSpec[];
  }[];
}

interface MtxiSpec {
  readonly streamId: string;
  readonly segmentNumber: bigint;
  readonly ntpNs: bigint;
  /** Since the stream began; default 0. */
  readonly dtsNs?: bigint;
}

export interface SegmentSpec {
  readonly tracks: readonly TrackSpec[];
  readonly parts: readonly PartSpec[];
  /** In ms, 0: never finalised. */
  readonly mvhdDurationMs?: number;
  readonly mtxi?: MtxiSpec;
}

export function box(type: string, ...payload: readonly (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(payload.map((part) => Buffer.from(part)));
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, "latin1"), body]);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

export function segment(spec: SegmentSpec): Buffer {
  return Buffer.concat([init(spec), ...spec.parts.map(part)]);
}

export function init(spec: Omit<SegmentSpec, "parts">): Buffer {
  const udta = spec.mtxi === undefined ? [] : [box("udta", mtxi(spec.mtxi))];
  const mvex = box("mvex", ...spec.tracks.map(({ id }) => box("trex", u32(0), u32(id), u32(1), Buffer.alloc(12))));
  const traks = spec.tracks.map(trak);
  return Buffer.concat([FTYP, box("moov", mvhd(spec.mvhdDurationMs ?? 0), ...traks, mvex, ...udta)]);
}

export const FTYP = box("ftyp", Buffer.from("mp42"), u32(1), Buffer.from("mp41mp42isomhlsf"));

export function mvhd(durationMs: number): Buffer {
  return box("mvhd", u32(0), u32(0), u32(0), u32(1_000), u32(durationMs), Buffer.alloc(80));
}

function mtxi(spec: MtxiSpec): Buffer {
  const id = Buffer.from(spec.streamId.replaceAll("-", ""), "hex");
  return box("mtxi", u32(0), id, u64(spec.segmentNumber), u64(spec.dtsNs ?? 0n), u64(spec.ntpNs));
}

/** An SPS and a PPS of one picture: MediaMTX refuses a file without them. */
const SPS = Buffer.from("6742c028d900780227e584000003000400000300f03c60c920", "hex");
const PPS = Buffer.from("08060708", "hex");
const AVCC = box("avcC", [1, 0x42, 0xc0, 0x28, 0xff, 0xe1], u16(SPS.length), SPS, [1], u16(PPS.length), PPS);

export function trak(spec: TrackSpec): Buffer {
  const entry = spec.sampleEntry ?? visualEntry("avc1", AVCC);
  const tkhd = box("tkhd", u32(3), u32(0), u32(0), u32(spec.id), Buffer.alloc(68));
  const mdhd = box("mdhd", u32(0), u32(0), u32(0), u32(spec.timescale), u32(0), u32(0));
  const hdlr = box("hdlr", u32(0), u32(0), Buffer.from(spec.handler ?? "vide"), Buffer.alloc(13));
  const stbl = box("stbl", box("stsd", u32(0), u32(1), entry), box("stts", u32(0), u32(0)));
  return box("trak", tkhd, box("mdia", mdhd, hdlr, box("minf", stbl)));
}

export function visualEntry(type: string, ...config: readonly Buffer[]): Buffer {
  return box(type, Buffer.alloc(6), u16(1), Buffer.alloc(16), u16(320), u16(180), Buffer.alloc(50), ...config);
}

export function audioEntry(type: string, rateHz: number, ...config: readonly Buffer[]): Buffer {
  const rate = u32(((rateHz & 0xffff) << 16) >>> 0);
  return box(type, Buffer.alloc(6), u16(1), Buffer.alloc(8), u16(2), u16(16), u32(0), rate, ...config);
}

/** `moof` + `mdat` as mediacommon writes them: flags only when some sample is not sync, offsets only when not all 0. */
export function part(spec: PartSpec): Buffer {
  const moofBytes = moof(spec, 0).length;
  const mediaBytes = spec.tracks.reduce((sum, { samples }) => sum + sizeOf(samples), 0);
  return Buffer.concat([moof(spec, moofBytes + 8), box("mdat", Buffer.alloc(mediaBytes))]);
}

function moof(spec: PartSpec, mediaOffset: number): Buffer {
  let offset = mediaOffset;
  const trafs = spec.tracks.map(({ id, tfdt, samples }) => {
    const hasFlags = samples.some(({ isSync }) => isSync === false);
    const hasOffsets = samples.some(({ compositionOffset }) => (compositionOffset ?? 0) !== 0);
    const entries = samples.flatMap((sample) => [
      u32(sample.durationTicks),
      u32(sample.sizeBytes ?? 10),
      ...(hasFlags ? [u32(sample.isSync === false ? 0x1_0000 : 0)] : []),
      ...(hasOffsets ? [u32(sample.compositionOffset ?? 0)] : []),
    ]);
    const flags = 0x301 | (hasFlags ? 0x400 : 0) | (hasOffsets ? 0x800 : 0);
    const trun = box("trun", u32(0x100_0000 | flags), u32(samples.length), u32(offset), ...entries);
    offset += sizeOf(samples);
    return box("traf", box("tfhd", u32(0x2_0000), u32(id)), box("tfdt", u32(0x100_0000), u64(tfdt)), trun);
  });
  return box("moof", box("mfhd", u32(0), u32(0)), ...trafs);
}

function sizeOf(samples: readonly SampleSpec[]): number {
  return samples.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 10), 0);
}

/** Samples that differ in nothing. */
export function samples(count: number, durationTicks: number, isSync = true): SampleSpec[] {
  return Array.from({ length: count }, () => ({ durationTicks, isSync }));
}
