/** One file has one description of each track: recordings go into the same clip only when theirs agree. */
import { AppError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import type { Track } from "../core/recording.js";
import { readSpliceInit, type SpliceInit, type SpliceTrack } from "../media/splice-init.js";
import { mapInOrder } from "../platform/map-in-order.js";
import type { ClipSegment } from "./clip-segments.js";
import type { PlaybackDeps } from "./playback-deps.js";

const READ_AT_ONCE = 8;

/** Of the first recording. Throws `failed-precondition` that names the first instant at which another begins. */
export async function readInits(
  deps: PlaybackDeps,
  segments: readonly ClipSegment[],
  signal: AbortSignal,
): Promise<SpliceInit> {
  let first: SpliceInit | undefined;
  const inits = mapInOrder(segments, READ_AT_ONCE, async (segment) => ({
    segment,
    splice: await readOne(deps, segment, signal),
  }));
  for await (const { segment, splice } of inits) {
    first ??= splice;
    if (!agree(first.tracks, splice.tracks)) throw changed(segment, first, splice);
  }
  if (first === undefined) throw new AppError({ kind: "internal", message: "make a clip of no recording" });
  return first;
}

/** Whether samples of another recording may go into the same file. */
export async function goesWith(
  deps: PlaybackDeps,
  { segment, splice }: { readonly segment: ClipSegment; readonly splice: SpliceInit },
  signal: AbortSignal,
): Promise<boolean> {
  return agree(splice.tracks, (await readOne(deps, segment, signal)).tracks);
}

async function readOne({ openReader }: PlaybackDeps, segment: ClipSegment, signal: AbortSignal): Promise<SpliceInit> {
  const reader = await openReader(segment.recording, signal);
  try {
    return readSpliceInit(await reader.read(0, segment.index.initBytes));
  } finally {
    await reader.close();
  }
}

function agree(some: readonly SpliceTrack[], others: readonly SpliceTrack[]): boolean {
  if (some.length !== others.length) return false;
  return some.every(({ track, stsd }, index) => {
    const other = others[index];
    if (other === undefined) return false;
    const { id, timescale } = other.track;
    return track.id === id && track.timescale === timescale && Buffer.compare(stsd, other.stsd) === 0;
  });
}

function changed({ recording, startUs }: ClipSegment, before: SpliceInit, after: SpliceInit): AppError {
  const at = formatRfc3339(startUs);
  const [was, is] = [wordsOf(before), wordsOf(after)];
  const what = was === is ? `the parameters of ${was}` : `${was} to ${is}`;
  return new AppError({
    kind: "failed-precondition",
    message: `clip of ${recording.path}: what the camera sends changes at ${at}: ${what}; one file cannot hold both`,
    hint: `ask for one clip that ends at ${at} and one that begins there`,
  });
}

function wordsOf({ tracks }: SpliceInit): string {
  return tracks.map(({ track }) => trackWords(track)).join(" + ");
}

function trackWords(track: Track): string {
  switch (track.kind) {
    case "video":
      return `${track.codec} ${String(track.widthPx)}x${String(track.heightPx)}`;
    case "audio":
      return `${track.codec} ${String(track.sampleRateHz)} Hz ${String(track.channels)} ch`;
    case "other":
      return track.codec;
    default:
      return track satisfies never;
  }
}
