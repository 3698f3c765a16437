/** The recordings of a range with what is inside each, oldest first. */
import { findPlayable, type PlayableRecording } from "../catalog/playable-recordings.js";
import { AppError, isAppError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import type { StreamPosition } from "../core/recording.js";
import { decodeFragmentIndex } from "../media/fragment-index-codec.js";
import type { FragmentIndex } from "../media/inspection.js";
import { inspectRemote } from "../media/remote-walk.js";
import type { ClipRequest } from "./clip-request.js";
import type { PlaybackDeps } from "./playback-deps.js";

/** MediaMTX moves what a track has at most this long before the others into the next segment, and no more. */
export const LEAD_US = 1_000_000;

export interface ClipSegment {
  readonly recording: PlayableRecording;
  readonly index: FragmentIndex;
  readonly startUs: number;
  readonly endUs: number;
  /** End of the longest track. */
  readonly mediaDurationUs: number;
  readonly position: StreamPosition | null;
  readonly partial: boolean;
}

/**
 * What a clip can be made of, oldest first, all of one format. Throws `not-found` when that is nothing, and
 * `failed-precondition` where the format changes.
 */
export async function findClipRecordings(
  { catalog }: PlaybackDeps,
  request: ClipRequest,
): Promise<readonly [PlayableRecording, ...PlayableRecording[]]> {
  const { path, fromUs, toUs } = request;
  const found = await findPlayable(catalog, { path, fromUs, toUs });
  const [first, ...others] = found.filter(
    (recording, at) => isLookedInto(recording) || !hasEndedBefore(fromUs, found[at + 1]),
  );
  if (first === undefined) throw noFootage(request);
  const other = others.find(({ format }) => format !== first.format);
  if (other !== undefined) throw formatChanges(other);
  return [first, ...others];
}

/** Of others the end is not known. */
export function isLookedInto({ local, mediaDurationUs }: PlayableRecording): boolean {
  return local !== "open" && mediaDurationUs !== null;
}

/** MediaMTX closes a file before it creates the next one. */
function hasEndedBefore(us: number, next: PlayableRecording | undefined): boolean {
  return next !== undefined && next.startUs <= us;
}

/** What is inside each fMP4 recording. */
export async function readSegments(
  deps: PlaybackDeps,
  recordings: readonly PlayableRecording[],
  signal: AbortSignal,
): Promise<ClipSegment[]> {
  const segments: ClipSegment[] = [];
  for (const recording of recordings) {
    const segment = await segmentOf(deps, recording, signal);
    if (segment !== undefined) segments.push(segment);
  }
  return segments;
}

/** The first moments of a recording's sound may lie in the one right before it. */
export async function findSegmentBefore(
  deps: PlaybackDeps,
  { recording: { path }, startUs }: ClipSegment,
  signal: AbortSignal,
): Promise<ClipSegment | undefined> {
  const range = { path, fromUs: startUs - LEAD_US, toUs: startUs };
  const before = (await findPlayable(deps.catalog, range)).at(-1);
  return before === undefined ? undefined : segmentOf(deps, before, signal);
}

async function segmentOf(
  deps: PlaybackDeps,
  recording: PlayableRecording,
  signal: AbortSignal,
): Promise<ClipSegment | undefined> {
  const { format, fragmentIndex } = recording;
  if (format === "mpegts") return undefined;
  return fragmentIndex === null ? walk(deps, recording, signal) : fromRow(recording, fragmentIndex);
}

function fromRow(recording: PlayableRecording, fragmentIndex: Uint8Array): ClipSegment | undefined {
  const index = decodeFragmentIndex(fragmentIndex);
  if (index.fragments.length === 0) return undefined;
  const { startUs, endUs, mediaDurationUs, position, partial } = recording;
  return { recording, index, startUs, endUs, mediaDurationUs: mediaDurationUs ?? endUs - startUs, position, partial };
}

/** What nobody has inspected yet, or MediaMTX still writes: as much of it as is whole now. */
async function walk(
  { openReader }: PlaybackDeps,
  recording: PlayableRecording,
  signal: AbortSignal,
): Promise<ClipSegment | undefined> {
  const reader = await openReader(recording, signal);
  try {
    const { sizeBytes } = reader;
    const found = await inspectRemote({ sizeBytes, readRange: (start, length) => reader.read(start, length) });
    if (found.fragments === null) return undefined;
    const startUs = found.startUs ?? recording.startUs;
    return {
      recording,
      index: found.fragments,
      startUs,
      endUs: startUs + found.plausibleDurationUs,
      mediaDurationUs: found.mediaDurationUs,
      position: found.position,
      partial: !found.finalised,
    };
  } catch (error) {
    // Not one whole fragment (yet).
    if (isAppError(error, "data-loss")) return undefined;
    throw error;
  } finally {
    await reader.close();
  }
}

function formatChanges({ path, startUs }: PlayableRecording): AppError {
  const at = formatRfc3339(startUs);
  return new AppError({
    kind: "failed-precondition",
    message: `clip of ${path}: fMP4 and MPEG-TS recordings meet at ${at}; one file cannot hold both`,
    hint: `ask for one clip that ends at ${at} and one that begins there`,
  });
}

export function noFootage({ path, fromUs, toUs }: ClipRequest): AppError {
  return new AppError({
    kind: "not-found",
    message: `clip of ${path}: no footage from ${formatRfc3339(fromUs)} to ${formatRfc3339(toUs)}`,
    hint: "the timeline tells what is there, and why the rest is not",
  });
}
