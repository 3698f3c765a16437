/**
 * Which bytes of which MPEG-TS recordings a clip is made of, and by how much their time stamps are moved, so that
 * together they are one stream. MediaMTX goes on counting from file to file while a source stays, so where two join the
 * stamps themselves say how far they are apart.
 */
import { joins } from "../core/continuity.js";
import { AppError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import type { Track } from "../core/recording.js";
import { findPlayableAround } from "../catalog/playable-neighbours.js";
import type { PlayableRecording } from "../catalog/playable-recordings.js";
import { damaged } from "../media/box.js";
import type { ByteReader } from "../media/byte-reader.js";
import { decodeFragmentIndex } from "../media/fragment-index-codec.js";
import type { Fragment } from "../media/inspection.js";
import { firstTickAtUs, ticksToUs } from "../media/ticks.js";
import { findFirstPes, type PesStart, stepTicks, TS_PACKET_BYTES } from "../media/transport-packet.js";
import { mapInOrder } from "../platform/map-in-order.js";
import type { ClipRequest } from "./clip-request.js";
import { isLookedInto, LEAD_US, noFootage } from "./clip-segments.js";
import type { PlaybackDeps } from "./playback-deps.js";

export const TICKS_PER_SEC = 90_000;
/** Where the clip's first picture is on the stream's time: sound from before it has times too. */
export const BASE_TICKS = 10 * TICKS_PER_SEC;
const READ_AT_ONCE = 8;
/** Tables, and the first packet of a picture; where sound or other pictures stand before it, some times as many. */
const ANCHOR_PACKETS = 64;
const ANCHOR_GROWTH = 8;
/** Each is read, and ffprobe with it; what waits longer for its inspection counts after it. */
const MOST_LOOKS = 64;

export interface TransportPart {
  readonly recording: PlayableRecording;
  /** Bytes [start, end). */
  readonly start: number;
  readonly end: number;
  /** To be added to each time stamp. */
  readonly shiftTicks: number;
}

export interface TransportPlan {
  readonly parts: readonly TransportPart[];
  readonly tracks: readonly Track[];
  /** Of the first picture, on the stream's time. */
  readonly firstDecodeTicks: number;
  /** The clip's end on the stream's time, by when pictures are decoded; see clip-timeline.ts. */
  readonly untilTicks: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly estimatedBytes: number;
}

interface Segment {
  readonly recording: PlayableRecording;
  readonly fragments: readonly Fragment[];
  readonly durationTicks: number;
}

/** Recordings oldest first, all MPEG-TS. Throws `not-found` and `failed-precondition` as `planClip`. */
export async function planTransportClip(
  deps: PlaybackDeps,
  { request, recordings }: { readonly request: ClipRequest; readonly recordings: readonly PlayableRecording[] },
  signal: AbortSignal,
): Promise<TransportPlan> {
  const all = await readSegments(deps, { request, recordings });
  const start = findStart(all, request);
  const segments = all.slice(start?.number);
  const [first, last] = [segments[0], segments.at(-1)];
  if (start === undefined || first === undefined || last === undefined) throw noFootage(request);
  assertSameTracks(segments);
  const anchors: Anchor[] = [];
  const reading = mapInOrder(segments, READ_AT_ONCE, (segment) =>
    readAnchor(deps, { segment, fragment: segment === first ? start.fragment : segment.fragments[0] }, signal),
  );
  for await (const anchor of reading) anchors.push(anchor);
  const zeros = placeAll(segments, { anchors, gaps: request.gaps, startTicks: firstTicksOf(start.fragment) });
  const untilOwnTicks = firstTickAtUs(request.toUs - last.recording.startUs, TICKS_PER_SEC);
  const delayTicks = anchors[0]?.delayTicks ?? 0;
  const parts = segments.map((segment, number): TransportPart => {
    const from = number === 0 ? Math.max(0, segment.fragments.indexOf(start.fragment) - 1) : 0;
    const untilTicks = segment === last ? untilOwnTicks + delayTicks : Infinity;
    const shiftTicks = (zeros[number] ?? 0) - (anchors[number]?.zeroTicks ?? 0);
    return { recording: segment.recording, shiftTicks, ...bytesOf(segment.fragments.slice(from), untilTicks) };
  });
  return {
    parts,
    tracks: first.recording.tracks,
    firstDecodeTicks: BASE_TICKS - delayTicks,
    untilTicks: (zeros.at(-1) ?? 0) + untilOwnTicks - delayTicks,
    startUs: first.recording.startUs + ticksToUs(firstTicksOf(start.fragment), TICKS_PER_SEC),
    endUs: Math.min(request.toUs, last.recording.endUs),
    estimatedBytes: parts.reduce((sum, part) => sum + part.end - part.start, 0),
  };
}

async function readSegments(
  deps: PlaybackDeps,
  { request, recordings }: { readonly request: ClipRequest; readonly recordings: readonly PlayableRecording[] },
): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const [at, recording] of recordings.entries()) {
    if (isLookedInto(recording)) segments.push(knownSegment(recording));
    else if (recordings.length - at <= MOST_LOOKS) {
      const segment = await growingSegment(deps, recording, request.fromUs);
      if (segment !== undefined) segments.push(segment);
    }
  }
  return segments;
}

/** What nobody has inspected yet, or MediaMTX still writes: as much of it as is whole now. */
async function growingSegment(
  deps: PlaybackDeps,
  recording: PlayableRecording,
  fromUs: number,
): Promise<Segment | undefined> {
  const grown = await deps.growing.lookFrom(recording, fromUs);
  if (grown === null) return undefined;
  const { fragments } = (await isWritten(deps, recording)) ? grown.index : grown.endedIndex;
  const durationTicks = endTicksOf(fragments);
  const endUs = recording.startUs + ticksToUs(durationTicks, TICKS_PER_SEC);
  return { recording: { ...recording, endUs, tracks: grown.tracks }, fragments, durationTicks };
}

/** MediaMTX closes a file before it creates the next one, also where nobody has noticed yet. */
async function isWritten({ catalog }: PlaybackDeps, { id, path, local }: PlayableRecording): Promise<boolean> {
  if (local !== "open") return false;
  const { before } = await findPlayableAround(catalog, path, null);
  return before[0]?.id === id;
}

/** Without an index it is one fragment, whose first picture is a sync sample: MediaMTX begins no file otherwise. */
function knownSegment(recording: PlayableRecording): Segment {
  const { fragmentIndex, bytes, mediaDurationUs } = recording;
  const durationTicks = firstTickAtUs(mediaDurationUs ?? 0, TICKS_PER_SEC);
  if (fragmentIndex === null) {
    const whole = { offsetBytes: 0, sizeBytes: bytes, startTicks: 0, durationTicks, syncTicks: 0 };
    return { recording, fragments: [whole], durationTicks };
  }
  const { fragments } = decodeFragmentIndex(fragmentIndex);
  return { recording, fragments, durationTicks: endTicksOf(fragments) };
}

/** Of the first picture that can be decoded. */
function firstTicksOf({ startTicks, syncTicks }: Fragment): number {
  return syncTicks ?? startTicks ?? 0;
}

function endTicksOf(fragments: readonly Fragment[]): number {
  const last = fragments.at(-1);
  return (last?.startTicks ?? 0) + (last?.durationTicks ?? 0);
}

interface Start {
  readonly number: number;
  readonly fragment: Fragment;
}

function findStart(segments: readonly Segment[], { fromUs, toUs }: ClipRequest): Start | undefined {
  const covering = segments.findLastIndex(({ recording: { startUs, endUs } }) => startUs <= fromUs && fromUs < endUs);
  for (const [number, { recording, fragments }] of segments.entries()) {
    if (number < covering || recording.endUs <= fromUs) continue;
    const syncUs = ({ syncTicks }: Fragment): number =>
      syncTicks === null ? NaN : recording.startUs + ticksToUs(syncTicks, TICKS_PER_SEC);
    const fragment =
      fragments.findLast((candidate) => syncUs(candidate) <= fromUs) ??
      fragments.find((candidate) => syncUs(candidate) > fromUs);
    if (fragment !== undefined && syncUs(fragment) < toUs) return { number, fragment };
  }
  return undefined;
}

interface Anchor {
  /** Time stamp of the recording's tick 0. */
  readonly zeroTicks: number;
  /** From decoding to showing of the fragment's first picture that can be decoded. */
  readonly delayTicks: number;
}

interface Anchoring {
  readonly segment: Segment;
  readonly fragment: Fragment | undefined;
}

async function readAnchor(
  { openReader }: PlaybackDeps,
  { segment: { recording }, fragment }: Anchoring,
  signal: AbortSignal,
): Promise<Anchor> {
  if (fragment === undefined) throw damaged(`read MPEG-TS recording ${recording.id}: its index is empty`);
  const reader = await openReader(recording, signal);
  try {
    const pes = await firstPesOf(reader, fragment);
    if (pes === undefined) {
      throw damaged(`read MPEG-TS recording ${recording.id}: no time stamp at byte ${String(fragment.offsetBytes)}`);
    }
    const delayTicks = stepTicks(pes.dtsTicks, pes.ptsTicks);
    return { zeroTicks: pes.ptsTicks - firstTicksOf(fragment), delayTicks };
  } finally {
    await reader.close();
  }
}

/** Of the picture at `firstTicksOf`. */
async function firstPesOf(
  reader: ByteReader,
  { offsetBytes, sizeBytes, startTicks, syncTicks }: Fragment,
): Promise<PesStart | undefined> {
  const wanted = syncTicks === null || syncTicks === startTicks ? "main" : "sync";
  for (let packets = ANCHOR_PACKETS; ; packets *= ANCHOR_GROWTH) {
    const lengthBytes = Math.min(sizeBytes, packets * TS_PACKET_BYTES);
    const pes = findFirstPes(await reader.read(offsetBytes, lengthBytes), wanted);
    if (pes !== undefined || lengthBytes === sizeBytes) return pes;
  }
}

interface Placing {
  readonly anchors: readonly Anchor[];
  readonly gaps: ClipRequest["gaps"];
  /** Of the clip's first picture in the first recording. */
  readonly startTicks: number;
}

/** Tick 0 of each recording on the stream's time. */
function placeAll(segments: readonly Segment[], { anchors, gaps, startTicks }: Placing): number[] {
  const zeros: number[] = [];
  for (const [number, segment] of segments.entries()) {
    const before = segments[number - 1];
    if (before === undefined) zeros.push(BASE_TICKS - startTicks);
    else {
      const countedTicks = stepTicks(anchors[number - 1]?.zeroTicks ?? 0, anchors[number]?.zeroTicks ?? 0);
      zeros.push((zeros.at(-1) ?? 0) + distanceTicks(before, segment, { countedTicks, gaps }));
    }
  }
  return zeros;
}

function distanceTicks(
  before: Segment,
  next: Segment,
  { countedTicks, gaps }: { readonly countedTicks: number; readonly gaps: ClipRequest["gaps"] },
): number {
  const { durationTicks } = before;
  if (joins(before.recording, next.recording)) {
    return Math.abs(countedTicks - durationTicks) < TICKS_PER_SEC ? countedTicks : durationTicks;
  }
  const gapUs = gaps === "keep" ? Math.max(0, next.recording.startUs - before.recording.endUs) : 0;
  return durationTicks + firstTickAtUs(gapUs, TICKS_PER_SEC);
}

/** Sound is up to a moment behind or before the picture beside it. */
function bytesOf(fragments: readonly Fragment[], untilTicks: number): Pick<TransportPart, "start" | "end"> {
  const lastTicks = untilTicks + firstTickAtUs(LEAD_US, TICKS_PER_SEC);
  const end = fragments.findIndex(({ startTicks }) => startTicks !== null && startTicks >= lastTicks);
  const wanted = fragments.slice(0, end < 0 ? undefined : Math.max(1, end));
  const [first, last] = [wanted[0], wanted.at(-1)];
  return { start: first?.offsetBytes ?? 0, end: (last?.offsetBytes ?? 0) + (last?.sizeBytes ?? 0) };
}

function assertSameTracks(segments: readonly Segment[]): void {
  const [first] = segments;
  const shapeOf = ({ recording: { tracks } }: Segment): string =>
    JSON.stringify(tracks.map((track) => ({ ...track, frameRate: null })));
  const other = segments.find((segment) => first !== undefined && shapeOf(segment) !== shapeOf(first));
  if (other === undefined) return;
  const { path, startUs } = other.recording;
  const at = formatRfc3339(startUs);
  throw new AppError({
    kind: "failed-precondition",
    message: `clip of ${path}: what the camera sends changes at ${at}; one file cannot hold both`,
    hint: `ask for one clip that ends at ${at} and one that begins there`,
  });
}
