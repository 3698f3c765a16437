/** `ftyp` + `moov` of a segment: tracks, what `mvhd` claims, and MediaMTX's own `mtxi` box (≥1.15.2, `moov/udta`). */
import { isPlausibleInstant } from "../core/instant.js";
import type { StreamPosition, Track } from "../core/recording.js";
import {
  type Box,
  type BoxHeader,
  childrenOf,
  damaged,
  findLeniently,
  fourcc,
  fourccText,
  placeOf,
  readBoxHeader,
  readUint64,
  requireBody,
  requireChild,
  viewOf,
} from "./box.js";
import type { ByteSource } from "./byte-source.js";
import { describeSampleEntry } from "./codec-string.js";
import { ticksToUs } from "./ticks.js";

/** `moov` of MediaMTX is about 1 KiB; a plain MP4 of a day stays below this. */
const MAX_MOOV_BYTES = 16 * 1_048_576;
const MAX_TRACKS = 64;
/** `free`, `uuid` and the like between `ftyp` and `moov`. */
const MAX_BOXES_BEFORE_MOOV = 16;
const NS_PER_US = 1_000n;

/** Values of `trex` (§8.8.3), in force where `tfhd` and `trun` are silent. */
export interface SampleDefaults {
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

export interface InitTrack {
  /** `frameRate` is still null: the samples tell it. */
  readonly track: Track;
  readonly defaults: SampleDefaults;
}

export interface Init {
  /** Offset after `moov`. */
  readonly initBytes: number;
  readonly tracks: readonly InitTrack[];
  /** Null when `mvhd` says 0 (still open or crashed) or "unknown". */
  readonly declaredDurationUs: number | null;
  readonly startUs: number | null;
  readonly position: StreamPosition | null;
  /** `mvex` is there: samples come in `moof` boxes. */
  readonly isFragmented: boolean;
}

/** Throws `data-loss` when the file does not begin with a whole, sound `ftyp` and `moov`. */
export function readInit(source: ByteSource): Init {
  const moov = findMoov(source);
  const children = childrenOf(moov);
  const declaredDurationUs = readMovieDuration(requireChild(children, fourcc("mvhd"), moov));
  const mvex = children.find((box) => box.type === fourcc("mvex"));
  const defaults = mvex === undefined ? new Map<number, SampleDefaults>() : readDefaults(mvex);
  const traks = children.filter((box) => box.type === fourcc("trak"));
  if (traks.length === 0) throw damaged(`read ${placeOf(moov)}: no track inside`);
  if (traks.length > MAX_TRACKS)
    throw damaged(`read ${placeOf(moov)}: ${String(traks.length)} tracks, expected at most ${String(MAX_TRACKS)}`);
  const tracks = traks.map((trak) => {
    const track = readTrack(trak);
    return { track, defaults: defaults.get(track.id) ?? { durationTicks: 0, sizeBytes: 0, flags: 0 } };
  });
  if (new Set(tracks.map(({ track }) => track.id)).size < tracks.length) {
    throw damaged(`read ${placeOf(moov)}: two tracks with the same id`);
  }
  return {
    initBytes: moov.viewOffsetBytes + moov.end,
    tracks,
    declaredDurationUs,
    isFragmented: mvex !== undefined,
    ...readMtxi(children),
  };
}

function findMoov(source: ByteSource): Box {
  if (source.sizeBytes === 0) throw damaged("read first box: the file is empty");
  requireFtyp(source);
  let offset = 0;
  for (let count = 0; count <= MAX_BOXES_BEFORE_MOOV; count += 1) {
    const header = topLevelHeader(source, offset);
    if (header.type === fourcc("moof") || header.type === fourcc("mdat")) {
      throw damaged(`read ${fourccText(header.type)} at byte ${String(offset)}: comes before moov`);
    }
    if (header.type === fourcc("moov")) return loadMoov(source, offset, header);
    offset += header.sizeBytes;
  }
  throw damaged(`read boxes before byte ${String(offset)}: no moov among the first ${String(MAX_BOXES_BEFORE_MOOV)}`);
}

/** Before any size is believed: what begins otherwise is another kind of file. */
function requireFtyp(source: ByteSource): void {
  if (source.sizeBytes < 8) return;
  const type = viewOf(source.read(0, 8)).getUint32(4);
  if (type === fourcc("ftyp")) return;
  throw damaged(`read first box: type "${fourccText(type)}", expected ftyp: not an MP4 file`);
}

function topLevelHeader(source: ByteSource, offset: number): BoxHeader {
  const view = viewOf(source.read(offset, Math.min(16, source.sizeBytes - offset)));
  const header = readBoxHeader(view, 0, offset);
  if (header === undefined) {
    throw damaged(
      `read box at byte ${String(offset)}: the file ends at byte ${String(source.sizeBytes)}, no moov before it`,
    );
  }
  const restBytes = source.sizeBytes - offset;
  if (header.sizeBytes > restBytes) {
    throw damaged(
      `read box ${fourccText(header.type)} at byte ${String(offset)}: box size ${String(header.sizeBytes)}, expected at most ${String(restBytes)} before the end of the file`,
    );
  }
  return header;
}

function loadMoov(source: ByteSource, offset: number, header: BoxHeader): Box {
  if (header.sizeBytes > MAX_MOOV_BYTES) {
    throw damaged(
      `read moov at byte ${String(offset)}: box size ${String(header.sizeBytes)}, expected at most ${String(MAX_MOOV_BYTES)}`,
    );
  }
  return {
    type: header.type,
    view: viewOf(source.read(offset, header.sizeBytes)),
    viewOffsetBytes: offset,
    start: 0,
    body: header.headerBytes,
    end: header.sizeBytes,
  };
}

/** §8.2.2 */
function readMovieDuration(mvhd: Box): number | null {
  const isLong = versionOf(mvhd) === 1;
  requireBody(mvhd, isLong ? 32 : 20);
  const timescale = mvhd.view.getUint32(mvhd.body + (isLong ? 20 : 12));
  const isUnknown = mvhd.view.getUint32(mvhd.body + (isLong ? 24 : 16)) === 0xffff_ffff;
  if (isUnknown) return null;
  const ticks = isLong ? readUint64(mvhd, mvhd.body + 24) : mvhd.view.getUint32(mvhd.body + 16);
  if (ticks === 0) return null;
  if (timescale === 0) throw damaged(`read ${placeOf(mvhd)}: timescale 0`);
  return ticksToUs(ticks, timescale);
}

function readDefaults(mvex: Box): Map<number, SampleDefaults> {
  const defaults = new Map<number, SampleDefaults>();
  for (const trex of childrenOf(mvex)) {
    if (trex.type !== fourcc("trex")) continue;
    requireBody(trex, 24);
    const at = (index: number): number => trex.view.getUint32(trex.body + 4 * index);
    defaults.set(at(1), { durationTicks: at(3), sizeBytes: at(4), flags: at(5) });
  }
  return defaults;
}

function readTrack(trak: Box): Track {
  const inTrak = childrenOf(trak);
  const tkhd = requireChild(inTrak, fourcc("tkhd"), trak);
  const mdia = requireChild(inTrak, fourcc("mdia"), trak);
  const inMdia = childrenOf(mdia);
  const hdlr = requireChild(inMdia, fourcc("hdlr"), mdia);
  requireBody(hdlr, 12);
  const minf = requireChild(inMdia, fourcc("minf"), mdia);
  const stbl = requireChild(childrenOf(minf), fourcc("stbl"), minf);
  const stsd = requireChild(childrenOf(stbl), fourcc("stsd"), stbl);
  requireBody(stsd, 8);
  const base = { id: readTrackId(tkhd), timescale: readTimescale(requireChild(inMdia, fourcc("mdhd"), mdia)) };
  const first = childrenOf(stsd, stsd.body + 8)[0];
  if (first === undefined) return { kind: "other", codec: "none", ...base };
  const entry = describeSampleEntry(first);
  if (entry.kind === "video") return { ...entry, ...base, frameRate: null };
  if (entry.kind === "audio") return { ...entry, ...base, sampleRateHz: rateOf(entry.sampleRateHz, base.timescale) };
  return { ...entry, ...base };
}

/** A rate of 2^16 Hz and more overflows the 16.16 field of the sample entry; MediaMTX's timescale is the rate then. */
function rateOf(entryHz: number | null, timescale: number): number {
  if (entryHz === null) return timescale;
  return timescale > 0xffff && (timescale & 0xffff) === entryHz ? timescale : entryHz;
}

/** §8.3.2 */
function readTrackId(tkhd: Box): number {
  const at = versionOf(tkhd) === 1 ? 20 : 12;
  requireBody(tkhd, at + 4);
  return tkhd.view.getUint32(tkhd.body + at);
}

/** §8.4.2 */
function readTimescale(mdhd: Box): number {
  const at = versionOf(mdhd) === 1 ? 20 : 12;
  requireBody(mdhd, at + 4);
  const timescale = mdhd.view.getUint32(mdhd.body + at);
  if (timescale === 0) throw damaged(`read ${placeOf(mdhd)}: timescale 0`);
  return timescale;
}

/**
 * `mtxi`: FullBox, stream id [16], segment number u64, DTS i64 (ns), NTP i64 (unix ns of the first sample); see
 * MediaMTX `internal/recordstore/mp4_boxes.go`. Values out of range count as absent: the media is sound without them.
 */
function readMtxi(inMoov: readonly Box[]): Pick<Init, "startUs" | "position"> {
  const udta = inMoov.find((box) => box.type === fourcc("udta"));
  const mtxi = udta === undefined ? undefined : findLeniently(udta, udta.body, fourcc("mtxi"));
  if (mtxi === undefined || mtxi.end - mtxi.body < 44 || versionOf(mtxi) !== 0)
    return { startUs: null, position: null };
  const id = Buffer.from(mtxi.view.buffer, mtxi.view.byteOffset + mtxi.body + 4, 16).toString("hex");
  const segmentNumber = Number(mtxi.view.getBigUint64(mtxi.body + 20));
  const ntpNs = mtxi.view.getBigInt64(mtxi.body + 36);
  const startUs = Number(ntpNs / NS_PER_US);
  return {
    startUs: ntpNs >= 0n && isPlausibleInstant(startUs) ? startUs : null,
    position: Number.isSafeInteger(segmentNumber)
      ? { streamId: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"), segmentNumber }
      : null,
  };
}

function versionOf(box: Box): number {
  requireBody(box, 4);
  return box.view.getUint8(box.body);
}
