/**
 * What of each recording of a range a playlist can name now: of closed files by their stored fragment index, of one that
 * is being written, or is closed and not looked into yet, by a walk over its headers or packets.
 */
import type { ListableRecording } from "../catalog/playable-recordings.js";
import type { HlsSegment } from "../core/hls-playlist.js";
import { formatRfc3339, US_PER_SEC } from "../core/instant.js";
import { extensionOf } from "../core/object-key.js";
import type { Track } from "../core/recording.js";
import { decodeFragmentIndex } from "../media/fragment-index-codec.js";
import type { GrownFootage } from "../media/growing-walk.js";
import { LEAD_US } from "./clip-segments.js";
import type { GrowingFiles } from "./growing-files.js";
import { TRANSCODED_CODECS } from "../media/transcode.js";
import { endOf, type FileFootage, segmentsOf } from "./playlist-segments.js";
import { transcodedSegments } from "./transcoded-segments.js";
import { type NamedFile, namedFile, type WholeFiles } from "./whole-files.js";

export interface PlaylistRange {
  readonly fromUs: number;
  readonly toUs: number;
  /** Only what will never change is named. */
  readonly isLive: boolean;
  /** Nothing that begins at `toUs` or later is named, and of what comes before `fromUs` no more than its sync sample needs. */
  readonly isExact: boolean;
  /** H.264 and AAC are made of it, segment by segment. */
  readonly isTranscoded: boolean;
}

/** Pending: not now, but perhaps later. */
export type Named = NamedFile | "nothing" | "pending";

/** Short segments are found and shown fast; of a whole day they would make a playlist of megabytes. */
const LEAST_US = { short: 2 * US_PER_SEC, long: 6 * US_PER_SEC };
const LONG_RANGE_US = 2 * 3_600 * US_PER_SEC;

interface Place {
  /** The newest of its path: only that one may still be written. */
  readonly isNewest: boolean;
  /** Its headers may be read, if need be. */
  readonly mayLook: boolean;
}

export interface NameFileDeps {
  readonly growing: GrowingFiles;
  readonly wholeFiles: WholeFiles;
}

export async function nameFile(
  { growing, wholeFiles }: NameFileDeps,
  recording: ListableRecording,
  { range, place }: { readonly range: PlaylistRange; readonly place: Place },
): Promise<Named> {
  const { fragmentIndex, local, startUs, endUs, tracks } = recording;
  if (fragmentIndex !== null && local !== "open") {
    const index = decodeFragmentIndex(fragmentIndex);
    const footage = { startUs, endUs, index, trackCount: tracks.length };
    const named = nameFragments(recording, { range, footage, tracks, isGrowing: false });
    if (typeof named === "object" && mayRemember(range)) {
      const span = { fromUs: startUs, toUs: startUs + endOf(footage, { first: 0, startUs: 0 }) };
      wholeFiles.keep(recording, named, { span, range });
    }
    return named;
  }
  const isLookedInto = local !== "open" && recording.mediaDurationUs !== null;
  if (recording.format === "mpegts" && isLookedInto) return nameUncut(recording, range);
  if (local !== "open" && local !== "present") return recording.step === null ? "nothing" : "pending";
  const grown = place.mayLook ? await growing.look(recording) : null;
  if (grown === null) return "pending";
  // MediaMTX closes a file before it creates the next one.
  const isWritten = local === "open" && place.isNewest;
  const isGrowing = range.isLive && isWritten;
  // A playlist that grows leaves the last piece out by itself; pieces that are made anew are made of whole fragments.
  const index = isWritten && (!isGrowing || range.isTranscoded) ? grown.index : grown.endedIndex;
  const footage = grownFootage({ ...grown, index }, recording);
  return nameFragments(recording, { range, footage, tracks: grown.tracks, isGrowing });
}

/** A long range is seldom asked for twice, and would push out what is. */
export function mayRemember(range: PlaylistRange): boolean {
  return !range.isTranscoded && leastUsOf(range) === LEAST_US.short;
}

/** As the inspection will say it. */
export function grownFootage(
  { startUs, index, tracks }: Pick<GrownFootage, "startUs" | "index" | "tracks">,
  recording: Pick<ListableRecording, "startUs" | "endUs">,
): FileFootage {
  return { startUs: startUs ?? recording.startUs, endUs: recording.endUs, index, trackCount: tracks.length };
}

interface Fragments {
  readonly range: PlaylistRange;
  readonly footage: FileFootage;
  readonly tracks: readonly Track[];
  readonly isGrowing: boolean;
}

function nameFragments(recording: ListableRecording, { range, footage, tracks, isGrowing }: Fragments): Named {
  const { fromUs, toUs, isExact } = range;
  if (range.isTranscoded) return nameTranscoded(recording, { range, footage, tracks, isGrowing });
  const leastUs = leastUsOf(range);
  const segments = inRange(segmentsOf(footage, { fromUs, toUs, isExact, leastUs, isGrowing }), range);
  if (segments.length === 0) return isGrowing ? "pending" : "nothing";
  const { format } = recording;
  const initBytes = format === "fmp4" ? footage.index.initBytes : null;
  return namedFile({ uri: uriOf(recording), initBytes, segments, format, tracks });
}

/** How long the segments of a playlist are at least; see playlist-segments.ts. */
function leastUsOf({ fromUs, toUs, isLive }: PlaylistRange): number {
  return !isLive && toUs - fromUs > LONG_RANGE_US ? LEAST_US.long : LEAST_US.short;
}

/** As MPEG-TS, which needs no init: each segment may be made by another ffmpeg. Each has a URI that says its time. */
function nameTranscoded(recording: ListableRecording, { range, footage, tracks, isGrowing }: Fragments): Named {
  const uri = `recordings/${recording.id}/transcoded.ts`;
  // MPEG-TS has the sound of a picture up to a moment behind it.
  const behindUs = recording.format === "mpegts" ? LEAD_US : 0;
  const segments = transcodedSegments(footage, { ...range, isGrowing, behindUs }).map(({ fromUs, toUs }) => {
    const query = new URLSearchParams({ from: formatRfc3339(fromUs), to: formatRfc3339(toUs) }).toString();
    const place = { startUs: fromUs, durationUs: toUs - fromUs, bytes: 0, offsetBytes: null, beginsWithSync: true };
    return { ...place, uri: `${uri}?${query}` };
  });
  if (segments.length === 0) return isGrowing ? "pending" : "nothing";
  return namedFile({ uri, initBytes: null, segments, format: "mpegts", tracks: tracks.map(transcodedTrack) });
}

function transcodedTrack(track: Track): Track {
  if (track.kind === "video") return { ...track, codec: TRANSCODED_CODECS.video };
  return track.kind === "audio" ? { ...track, codec: TRANSCODED_CODECS.audio } : track;
}

/** MPEG-TS without an index (see media/transport-index.ts) is one segment. */
function nameUncut(recording: ListableRecording, range: PlaylistRange): Named {
  const { startUs, endUs, bytes, tracks, format } = recording;
  // It is not known where a part that could be made anew begins.
  if (range.isTranscoded) return "nothing";
  // Nor where its fragments are.
  if (range.isExact && (startUs < range.fromUs || endUs > range.toUs)) return "nothing";
  const durationUs = endUs - startUs;
  const segments = inRange([{ startUs, durationUs, bytes, offsetBytes: null, beginsWithSync: false }], range);
  if (segments.length === 0) return "nothing";
  return namedFile({ uri: uriOf(recording), initBytes: null, segments, format, tracks });
}

function inRange(segments: readonly HlsSegment[], { fromUs, toUs }: PlaylistRange): HlsSegment[] {
  return segments.filter(({ startUs, durationUs }) => startUs < toUs && startUs + durationUs > fromUs);
}

/** Relative to the playlist. FFmpeg plays nothing whose name does not end as media does. */
function uriOf({ id, format }: ListableRecording): string {
  return `recordings/${id}/media${extensionOf(format)}`;
}
