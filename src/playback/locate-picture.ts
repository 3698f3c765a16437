/**
 * Which bytes hold the picture of an instant: the sync sample at or before it, and of the file no more than its init and
 * that one fragment. A fragment's first sync sample stands for all of it. In a gap there is none, and what is nearest is
 * told instead.
 */
import { findPlayableAround, type PlayableNeighbours } from "../catalog/playable-neighbours.js";
import type { PlayableRecording } from "../catalog/playable-recordings.js";
import { joins } from "../core/continuity.js";
import { AppError } from "../core/errors.js";
import { formatRfc3339, US_PER_SEC } from "../core/instant.js";
import type { PathName } from "../core/path-name.js";
import { decodeFragmentIndex } from "../media/fragment-index-codec.js";
import type { FragmentIndex } from "../media/inspection.js";
import { ticksToUs } from "../media/ticks.js";
import { TS_PACKET_BYTES } from "../media/transport-packet.js";
import type { GrowingFiles } from "./growing-files.js";
import type { PlaybackDeps } from "./playback-deps.js";

export interface Picture {
  readonly recording: PlayableRecording;
  /** To be read one after the other; `end` is inclusive. */
  readonly parts: readonly { readonly start: number; readonly end: number }[];
  /** Wall clock of the sync sample; null for MPEG-TS without an index, where only its surroundings are known. */
  readonly takenAtUs: number | null;
  /** Of what is whole in its recording now; null for MPEG-TS without an index. */
  readonly endUs: number | null;
}

export interface LocateDeps extends Pick<PlaybackDeps, "catalog"> {
  readonly growing: Pick<GrowingFiles, "look" | "lookAtEnd">;
}

export interface PictureRequest {
  readonly path: PathName;
  /** Null: the newest there is. */
  readonly atUs: number | null;
}

const END_OF_TIME_US = Number.MAX_SAFE_INTEGER;
/** Where a segment ends by less than this before the instant, its last picture still is the one of the instant. */
const END_TOLERANCE_US = US_PER_SEC;
/** What MediaMTX has in memory of a file that it writes is less than this, with parts of some seconds. */
const BEING_WRITTEN_US = 15 * US_PER_SEC;
/** MPEG-TS without an index: a piece around the place where the instant is by proportion, cut on a coarse grid for the cache. */
const TS_GRID_BYTES = 4_096 * TS_PACKET_BYTES;
const TS_LEAD_BYTES = 1_048_576;
const TS_PIECE_BYTES = 8 * 1_048_576;

/** Throws `not-found` in a gap and without video, `unavailable` while the segment is not indexed yet. */
export async function locatePicture(deps: LocateDeps, request: PictureRequest): Promise<Picture> {
  const neighbours = await findPlayableAround(deps.catalog, request.path, request.atUs);
  const { atUs } = request;
  if (atUs === null) return newestPicture(deps, request, neighbours);
  const recording = covering(neighbours, atUs) ?? justEnded(neighbours, atUs);
  if (recording === undefined) throw nothingAt(request, neighbours);
  const picture = await pictureIn(deps, recording, atUs);
  if (picture === undefined) throw notYet(recording);
  if (recording.local === "open" && atUs - (picture.endUs ?? atUs) > BEING_WRITTEN_US) {
    throw nothingAt(request, { before: [{ ...recording, endUs: picture.endUs ?? atUs }], after: neighbours.after });
  }
  return picture;
}

async function newestPicture(
  deps: LocateDeps,
  { path }: PictureRequest,
  { before }: PlayableNeighbours,
): Promise<Picture> {
  const [newest] = before;
  if (newest === undefined) throw new AppError({ kind: "not-found", message: `there is no footage of ${path}` });
  for (const recording of before) {
    const picture = await pictureIn(deps, recording, END_OF_TIME_US);
    if (picture !== undefined) return picture;
  }
  throw notYet(newest);
}

function covering({ before }: PlayableNeighbours, atUs: number): PlayableRecording | undefined {
  return before.find(({ endUs, local }) => endUs > atUs || local === "open");
}

/** MediaMTX estimates the wall clock of each file anew: files that join may seem to lie some seconds apart. */
function justEnded(neighbours: PlayableNeighbours, atUs: number): PlayableRecording | undefined {
  const last = lastEnding(neighbours);
  if (last === undefined) return undefined;
  const { after } = neighbours;
  const goesOn = after !== undefined && joins(last, after);
  return goesOn || atUs - last.endUs < END_TOLERANCE_US ? last : undefined;
}

function lastEnding({ before }: PlayableNeighbours): PlayableRecording | undefined {
  const [first, ...others] = before;
  return first === undefined ? undefined : others.reduce((a, b) => (b.endUs > a.endUs ? b : a), first);
}

function nothingAt({ path, atUs }: PictureRequest, neighbours: PlayableNeighbours): AppError {
  const before = lastEnding(neighbours)?.endUs;
  const after = neighbours.after?.startUs;
  const nearest = [
    ...(before === undefined ? [] : [`the last before it ends at ${formatRfc3339(before)}`]),
    ...(after === undefined ? [] : [`the first after it begins at ${formatRfc3339(after)}`]),
  ];
  const there = nearest.length === 0 ? "there is none of this path at all" : nearest.join(", ");
  const message = `no footage of ${path} at ${formatRfc3339(atUs ?? 0)}: ${there}`;
  return new AppError({ kind: "not-found", message });
}

/**
 * The last one of a recording at or before an instant. Undefined: nothing whole is written yet, or nobody has looked into
 * it. Throws `not-found` without video.
 */
export async function pictureIn(
  deps: Pick<LocateDeps, "growing">,
  recording: PlayableRecording,
  atUs: number,
): Promise<Picture | undefined> {
  if (recording.tracks.length > 0 && recording.tracks.every(({ kind }) => kind !== "video")) {
    throw new AppError({ kind: "not-found", message: `recording ${recording.id} has no video` });
  }
  const { fragmentIndex, local, startUs } = recording;
  if (fragmentIndex !== null && local !== "open") {
    return pictureByIndex(recording, { startUs, index: decodeFragmentIndex(fragmentIndex) }, atUs);
  }
  if (recording.format === "mpegts" && local !== "open") return pieceOfTransportStream(recording, atUs);
  if (local !== "open" && local !== "present") return undefined;
  const isLast = atUs === END_OF_TIME_US;
  const grown = await (isLast ? deps.growing.lookAtEnd(recording) : deps.growing.look(recording));
  return grown === null ? undefined : pictureByIndex(recording, { ...grown, startUs: grown.startUs ?? startUs }, atUs);
}

interface Footage {
  readonly startUs: number;
  readonly index: FragmentIndex;
}

/** Before the first sync sample, in the moment in which a file holds audio only, that one is the nearest. */
function pictureByIndex(recording: PlayableRecording, { startUs, index }: Footage, atUs: number): Picture {
  const wallUs = (ticks: number): number => startUs + ticksToUs(ticks, index.timescale);
  const withSync = index.fragments.flatMap((fragment) =>
    fragment.syncTicks === null ? [] : [{ ...fragment, takenAtUs: wallUs(fragment.syncTicks) }],
  );
  const chosen = withSync.findLast(({ takenAtUs }) => takenAtUs <= atUs) ?? withSync[0];
  if (chosen === undefined) {
    throw new AppError({ kind: "not-found", message: `recording ${recording.id} has no sync sample` });
  }
  const { offsetBytes, sizeBytes, takenAtUs } = chosen;
  const fragment = { start: offsetBytes, end: offsetBytes + sizeBytes - 1 };
  const last = index.fragments.findLast(({ startTicks }) => startTicks !== null);
  return {
    recording,
    parts: index.initBytes === 0 ? [fragment] : [{ start: 0, end: index.initBytes - 1 }, fragment],
    takenAtUs,
    endUs: wallUs((last?.startTicks ?? 0) + (last?.durationTicks ?? 0)),
  };
}

function notYet({ id }: PlayableRecording): AppError {
  return new AppError({ kind: "unavailable", message: `recording ${id} is not indexed yet` });
}

function pieceOfTransportStream(recording: PlayableRecording, atUs: number): Picture {
  const { startUs, endUs, bytes } = recording;
  const share = endUs > startUs ? Math.min(1, Math.max(0, (atUs - startUs) / (endUs - startUs))) : 0;
  const lead = Math.max(0, share * bytes - TS_LEAD_BYTES);
  const start = Math.floor(lead / TS_GRID_BYTES) * TS_GRID_BYTES;
  const end = Math.min(bytes, start + TS_PIECE_BYTES) - 1;
  return { recording, parts: [{ start, end }], takenAtUs: null, endUs: null };
}
