/**
 * The `ftyp` and `moov` of a segment taken apart for another file: what a track is (its `stsd`, `hdlr`, size) is copied
 * as it is; what only one file says of itself (durations, empty tables, `mtxi`) is not.
 */
import { type Box, childrenOf, fourcc, requireBody, requireChild, viewOf } from "./box.js";
import { boxOf, makeBox, makeFullBox, uint16, uint32, uint64 } from "./box-writer.js";
import { MemoryByteSource } from "./byte-source.js";
import { type Init, type InitTrack, readInit } from "./init.js";

/** Seconds from 1904, where ISO BMFF begins to count, to 1970. */
const EPOCH_1904_SEC = 2_082_844_800;
const US_PER_SEC = 1_000_000;

export interface SpliceTrack extends InitTrack {
  /** `stsd` whole: two segments go into one file only when these agree. */
  readonly stsd: Uint8Array;
  readonly hdlr: Uint8Array;
  /** `vmhd` or `smhd`, `dinf`. */
  readonly mediaBoxes: readonly Uint8Array[];
  /** `mdhd` language, packed. */
  readonly language: number;
  /** `tkhd` flags, and all behind its duration: layer, volume, matrix, size. */
  readonly headerFlags: number;
  readonly headerRest: Uint8Array;
}

export interface SpliceInit {
  readonly init: Init;
  readonly ftyp: Uint8Array;
  readonly tracks: readonly SpliceTrack[];
}

/** `bytes` are the file up to the end of `moov`. Throws `data-loss`. */
export function readSpliceInit(bytes: Uint8Array): SpliceInit {
  const init = readInit(new MemoryByteSource(bytes));
  const file: Box = { type: 0, view: viewOf(bytes), viewOffsetBytes: 0, start: 0, body: 0, end: init.initBytes };
  const top = childrenOf(file);
  const moov = requireChild(top, fourcc("moov"), file);
  const inMoov = childrenOf(moov);
  const traks = inMoov.filter((box) => box.type === fourcc("trak"));
  return {
    init,
    ftyp: bytesOf(requireChild(top, fourcc("ftyp"), file)),
    // `readInit` lists them in the same order.
    tracks: traks.flatMap((trak, index) => {
      const track = init.tracks[index];
      return track === undefined ? [] : [readTrack(trak, track)];
    }),
  };
}

function readTrack(trak: Box, track: InitTrack): SpliceTrack {
  const inTrak = childrenOf(trak);
  const tkhd = requireChild(inTrak, fourcc("tkhd"), trak);
  const mdia = requireChild(inTrak, fourcc("mdia"), trak);
  const inMdia = childrenOf(mdia);
  const mdhd = requireChild(inMdia, fourcc("mdhd"), mdia);
  const minf = requireChild(inMdia, fourcc("minf"), mdia);
  const inMinf = childrenOf(minf);
  const stbl = requireChild(inMinf, fourcc("stbl"), minf);
  const tkhdIsLong = tkhd.view.getUint8(tkhd.body) === 1;
  const mdhdIsLong = mdhd.view.getUint8(mdhd.body) === 1;
  const restAt = tkhdIsLong ? 36 : 24;
  requireBody(tkhd, restAt + 60);
  requireBody(mdhd, mdhdIsLong ? 36 : 24);
  return {
    ...track,
    stsd: bytesOf(requireChild(childrenOf(stbl), fourcc("stsd"), stbl)),
    hdlr: bytesOf(requireChild(inMdia, fourcc("hdlr"), mdia)),
    mediaBoxes: inMinf.filter((box) => box !== stbl).map(bytesOf),
    language: mdhd.view.getUint16(mdhd.body + (mdhdIsLong ? 32 : 20)),
    headerFlags: tkhd.view.getUint32(tkhd.body) & 0xff_ffff,
    headerRest: bytesBetween(tkhd, tkhd.body + restAt, tkhd.body + restAt + 60),
  };
}

function bytesOf(box: Box): Uint8Array {
  return bytesBetween(box, box.start, box.end);
}

/** A copy: what was read is valid only until the next read. */
function bytesBetween({ view }: Box, start: number, end: number): Uint8Array {
  return Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset + start, end - start));
}

export interface TrackTimes {
  /** Of the movie's timescale. */
  readonly movieDuration: number;
  /** Of the track's own. */
  readonly durationTicks: number;
  readonly edts?: Uint8Array;
}

/** A `trak` of the same kind with other tables inside `stbl` behind the `stsd`, in parts. */
export function makeTrak(track: SpliceTrack, times: TrackTimes, tables: readonly Uint8Array[]): Uint8Array[] {
  const { id, timescale } = track.track;
  const tkhd = makeFullBox(
    "tkhd",
    { version: 1, flags: track.headerFlags },
    Buffer.alloc(16),
    uint32(id, 0),
    uint64(times.movieDuration),
    track.headerRest,
  );
  const mdhd = makeFullBox(
    "mdhd",
    { version: 1 },
    Buffer.alloc(16),
    uint32(timescale),
    uint64(times.durationTicks),
    uint16(track.language, 0),
  );
  const minf = boxOf("minf", [...track.mediaBoxes, ...boxOf("stbl", [track.stsd, ...tables])]);
  const edts = times.edts === undefined ? [] : [times.edts];
  return boxOf("trak", [tkhd, ...edts, ...boxOf("mdia", [mdhd, track.hdlr, ...minf])]);
}

export interface MovieTimes {
  /** Wall clock of what it shows. */
  readonly startUs: number;
  readonly timescale: number;
  readonly duration: number;
  readonly nextTrackId: number;
}

/** §8.2.2 */
export function makeMvhd({ startUs, timescale, duration, nextTrackId }: MovieTimes): Buffer {
  const createdSec = Math.floor(startUs / US_PER_SEC) + EPOCH_1904_SEC;
  return makeFullBox(
    "mvhd",
    { version: 1 },
    uint64(createdSec),
    uint64(createdSec),
    uint32(timescale),
    uint64(duration),
    uint32(0x1_0000),
    uint16(0x100, 0),
    Buffer.alloc(8),
    uint32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000),
    Buffer.alloc(24),
    uint32(nextTrackId),
  );
}

export function nextTrackId(tracks: readonly SpliceTrack[]): number {
  return 1 + Math.max(0, ...tracks.map(({ track }) => track.id));
}

/** The init of a fragmented file: the same tracks, no samples, no durations. */
export function makeFragmentedInit(splice: SpliceInit, startUs: number): Buffer {
  const empty = ["stts", "stsc", "stco"].map((type) => makeFullBox(type, {}, uint32(0)));
  const tables = [...empty, makeFullBox("stsz", {}, uint32(0, 0))];
  const traks = splice.tracks.flatMap((track) => makeTrak(track, { movieDuration: 0, durationTicks: 0 }, tables));
  const trexes = splice.tracks.map(({ track }) => makeFullBox("trex", {}, uint32(track.id, 1, 0, 0, 0)));
  const mvhd = makeMvhd({ startUs, timescale: 1_000, duration: 0, nextTrackId: nextTrackId(splice.tracks) });
  return Buffer.concat([splice.ftyp, makeBox("moov", mvhd, ...traks, makeBox("mvex", ...trexes))]);
}
