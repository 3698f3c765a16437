/**
 * The HLS playlist of a range, from rows and their fragment indexes: no file is opened, and none is written. URIs are
 * those of our own route whatever lies behind it, so that a playlist stays true while files are archived and released.
 */
import { findPlayable, type PlayableRange, type PlayableRecording } from "../catalog/playable-recordings.js";
import { AppError } from "../core/errors.js";
import { type HlsFile, type HlsSegment, type MediaPlaylist, renderMediaPlaylist } from "../core/hls-playlist.js";
import { formatRfc3339, US_PER_SEC } from "../core/instant.js";
import { extensionOf } from "../core/object-key.js";
import { decodeFragmentIndex } from "../media/fragment-index-codec.js";
import type { PlaybackDeps } from "./playback-deps.js";
import { segmentsOf } from "./playlist-segments.js";

export interface Playlist {
  readonly text: string;
  /** Every codec of the range, in order of appearance. */
  readonly codecs: readonly string[];
}

/** Short segments are found and shown fast; of a whole day they would make a playlist of megabytes. */
const LEAST_US = { short: 2 * US_PER_SEC, long: 6 * US_PER_SEC };
const LONG_RANGE_US = 2 * 3_600 * US_PER_SEC;

/** Throws `not-found` when nothing of the range can be played. */
export async function makePlaylist(deps: Pick<PlaybackDeps, "catalog">, range: PlayableRange): Promise<Playlist> {
  const recordings = await findPlayable(deps.catalog, range);
  const files: HlsFile[] = [];
  const codecs = new Set<string>();
  for (const recording of recordings) {
    const file = fileOf(recording, range);
    if (file === undefined) continue;
    files.push(file);
    for (const { codec } of recording.tracks) codecs.add(codec);
  }
  if (files.length === 0) throw nothingThere(range);
  const playlist: MediaPlaylist = {
    files,
    type: "VOD",
    isEnded: true,
    isIndependent: files.every(({ segments }) => segments.every(({ beginsWithSync }) => beginsWithSync)),
  };
  return { text: renderMediaPlaylist(playlist), codecs: [...codecs] };
}

function fileOf(recording: PlayableRecording, range: PlayableRange): HlsFile | undefined {
  const { fragmentIndex, startUs, endUs, tracks } = recording;
  if (recording.format !== "fmp4" || fragmentIndex === null || recording.local === "open") return undefined;
  const index = decodeFragmentIndex(fragmentIndex);
  const leastUs = range.toUs - range.fromUs > LONG_RANGE_US ? LEAST_US.long : LEAST_US.short;
  const cut = { fromUs: range.fromUs, toUs: range.toUs, leastUs, isGrowing: false };
  const segments = segmentsOf({ startUs, endUs, index, trackCount: tracks.length }, cut).filter(
    (segment: HlsSegment) => segment.startUs + segment.durationUs > range.fromUs,
  );
  return segments.length === 0 ? undefined : { uri: uriOf(recording), initBytes: index.initBytes, segments };
}

/** Relative to the playlist. FFmpeg plays nothing whose name does not end as media does. */
function uriOf({ id, format }: PlayableRecording): string {
  return `recordings/${id}/media${extensionOf(format)}`;
}

function nothingThere({ path, fromUs, toUs }: PlayableRange): AppError {
  return new AppError({
    kind: "not-found",
    message: `nothing of ${path} can be played between ${formatRfc3339(fromUs)} and ${formatRfc3339(toUs)}`,
    hint: "see /api/v1/recordings for what is there",
  });
}
