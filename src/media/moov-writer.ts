/** `ftyp` and `moov` of a plain MP4 whose `mdat` follows: players begin at once and seek (ISO/IEC 14496-12 §8.2). */
import { boxOf, lengthOf, makeBox, makeFullBox, mdatHeader, uint16, uint32, uint64 } from "./box-writer.js";
import type { SampleTable } from "./sample-table.js";
import { makeMvhd, makeTrak, nextTrackId, type SpliceTrack } from "./splice-init.js";
import { rescaleTicks } from "./ticks.js";

const UINT32 = 0x1_0000_0000;

export interface Movie {
  readonly tracks: readonly { readonly track: SpliceTrack; readonly table: SampleTable }[];
  /** Wall clock of the first picture. */
  readonly startUs: number;
  /** Of the main track, and so of the movie. */
  readonly timescale: number;
  /** When the first picture is shown, on the time that the tables' `firstTicks` are on. */
  readonly presentationTicks: number;
  readonly mediaBytes: number;
}

/** All that lies before the media itself, in parts. Ends the tables. */
export function makeMovieHead(movie: Movie): Uint8Array[] {
  const traks = movie.tracks
    .filter(({ table }) => table.firstTicks !== undefined)
    .map(({ track, table }) => ({ track, table, times: timesOf(movie, track, table), tables: table.finish() }));
  const duration = Math.max(0, ...traks.map(({ times }) => times.movieDuration));
  const mvhd = makeMvhd({
    startUs: movie.startUs,
    timescale: movie.timescale,
    duration,
    nextTrackId: nextTrackId(movie.tracks.map(({ track }) => track)),
  });
  const ftyp = makeBox("ftyp", Buffer.from("isom"), uint32(0x200), Buffer.from("isomiso2mp41mp42"));
  const mdat = mdatHeader(movie.mediaBytes);
  const head = (mediaStartBytes: number, isShort: boolean): Uint8Array[] => {
    const inside = traks.flatMap(({ track, table, times, tables }) =>
      makeTrak(track, times, [...tables, ...table.chunkOffsets(mediaStartBytes, isShort)]),
    );
    return [ftyp, ...boxOf("moov", [mvhd, ...inside]), mdat];
  };
  const isShort = lengthOf(head(0, true)) + movie.mediaBytes < UINT32;
  return head(lengthOf(head(0, isShort)), isShort);
}

interface Times {
  readonly movieDuration: number;
  readonly durationTicks: number;
  readonly edts?: Uint8Array;
}

/**
 * Tables count from their own first sample. The edit list says when that is shown: later than the first picture for
 * sound that begins after it, and not before its composition offset for pictures that were reordered. It ends with the
 * last picture that is to be shown: others, which that one needs, may be shown later.
 */
function timesOf({ timescale, presentationTicks }: Movie, { track }: SpliceTrack, table: SampleTable): Times {
  const own = track.timescale;
  const firstShownTicks = (table.firstTicks ?? 0) + table.firstCompositionTicks;
  const delayTicks = Math.max(0, firstShownTicks - rescaleTicks(presentationTicks, timescale, own));
  const { durationTicks, firstCompositionTicks } = table;
  const shown = rescaleTicks(table.shownTicks, own, timescale);
  const delay = rescaleTicks(delayTicks, own, timescale);
  if (delay === 0 && firstCompositionTicks === 0 && !table.hidesSamples) return { movieDuration: shown, durationTicks };
  const edits = [...(delay === 0 ? [] : [edit(delay, -1)]), edit(shown, Math.max(0, firstCompositionTicks))];
  const elst = makeFullBox("elst", { version: 1 }, uint32(edits.length), ...edits);
  return { movieDuration: delay + shown, durationTicks, edts: makeBox("edts", elst) };
}

/** §8.6.6; -1: nothing is shown. */
function edit(movieDuration: number, mediaTicks: number): Buffer {
  const time = mediaTicks < 0 ? uint32(-1, -1) : uint64(mediaTicks);
  return Buffer.concat([uint64(movieDuration), time, uint16(1, 0)]);
}
