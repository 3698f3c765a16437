/** Which fragments of which recordings a clip is made of, and where each recording stands on the clip's own time. */
import type { PlayableRecording } from "../catalog/playable-recordings.js";
import { joins } from "../core/continuity.js";
import type { Fragment } from "../media/inspection.js";
import type { SpliceInit } from "../media/splice-init.js";
import { firstTickAtUs, ticksToUs } from "../media/ticks.js";
import { type ClipStart, findClipStart } from "./clip-start.js";
import type { ClipRequest } from "./clip-request.js";
import { goesWith, readInits } from "./clip-inits.js";
import { type ClipSegment, findSegmentBefore, LEAD_US, noFootage, readSegments } from "./clip-segments.js";
import type { PlaybackDeps } from "./playback-deps.js";

export interface ClipPart {
  readonly segment: ClipSegment;
  /** Of the start of the recording's media, on the clip's time, in ticks of the main track; negative in the first. */
  readonly zeroTicks: number;
  /** Those that may hold samples of the clip. */
  readonly fragments: readonly Fragment[];
  /** The end of the clip by the recording's own media time; see clip-timeline.ts. Infinity: it goes on behind. */
  readonly untilUs: number;
}

export interface ClipPlan {
  readonly request: ClipRequest;
  readonly parts: readonly ClipPart[];
  readonly splice: SpliceInit;
  readonly mainTrackId: number;
  readonly timescale: number;
  /** Presentation of the first main sample: where the other tracks begin. */
  readonly presentationTicks: number;
  /** Wall clock of the first main sample. */
  readonly startUs: number;
  /** At most one frame later. */
  readonly endUs: number;
  /** Of the media, before anything is cut off. */
  readonly estimatedBytes: number;
}

/**
 * Throws `not-found` when there is no footage, `failed-precondition` when no one file can hold it: the message names
 * the instant where it changes.
 */
export async function planClip(
  deps: PlaybackDeps,
  { request, recordings }: { readonly request: ClipRequest; readonly recordings: readonly PlayableRecording[] },
  signal: AbortSignal,
): Promise<ClipPlan> {
  const all = await readSegments(deps, recordings, signal);
  const start = await findClipStart(deps, { request, segments: all, signal });
  if (start === undefined) throw noFootage(request);
  const first = all[start.segment];
  if (first === undefined) throw noFootage(request);
  const segments = all.slice(start.segment);
  const splice = await readInits(deps, segments, signal);
  const lead = await leadOf(deps, { first, startTicks: start.ticks, splice }, signal);
  const { timescale, mainTrackId } = first.index;
  const parts = placeAll(segments, { request, start });
  const leading = lead.map((segment) => leadingPart(segment, first, start.ticks));
  const last = segments.at(-1) ?? first;
  return {
    request,
    parts: [...leading, ...parts],
    splice,
    mainTrackId,
    timescale,
    presentationTicks: start.presentationTicks,
    startUs: first.startUs + ticksToUs(start.ticks, timescale),
    endUs: Math.min(request.toUs, last.endUs),
    estimatedBytes: parts.reduce((sum, { fragments }) => sum + bytesOf(fragments), 0),
  };
}

function placeAll(
  segments: readonly ClipSegment[],
  { request, start }: { readonly request: ClipRequest; readonly start: ClipStart },
): ClipPart[] {
  const { ticks: startTicks, presentationTicks: delayTicks } = start;
  const parts: ClipPart[] = [];
  for (const [index, segment] of segments.entries()) {
    const before = parts.at(-1);
    const isLast = index === segments.length - 1;
    const untilUs = isLast ? request.toUs - segment.startUs : Infinity;
    parts.push({
      segment,
      zeroTicks: before === undefined ? -startTicks : placeAfter(before, segment, request.gaps),
      fragments: fragmentsOf(segment, {
        fromTicks: before === undefined ? startTicks : -Infinity,
        untilUs,
        delayTicks,
      }),
      untilUs,
    });
  }
  return parts;
}

/** Ticks of the main track, which every recording of a clip has in common. */
function placeAfter({ segment: before, zeroTicks }: ClipPart, next: ClipSegment, gaps: ClipRequest["gaps"]): number {
  const joint = joinTicks(before, next);
  if (joint !== undefined) return zeroTicks + joint;
  const gapUs = gaps === "keep" ? Math.max(0, next.startUs - before.endUs) : 0;
  return zeroTicks + firstTickAtUs(before.mediaDurationUs + gapUs, next.index.timescale);
}

/**
 * From the start of one recording's media to that of the next, exactly: the last frame of the one lasts until the first
 * of the next. Undefined when something is missing between the two, or may be.
 */
function joinTicks(before: ClipSegment, next: ClipSegment): number | undefined {
  if (before.partial || !joins(before, next) || before.index.timescale !== next.index.timescale) return undefined;
  const last = before.index.fragments.findLast(({ startTicks }) => startTicks !== null);
  const first = next.index.fragments.find(({ startTicks }) => startTicks !== null);
  if (last === undefined || first === undefined) return undefined;
  return (last.startTicks ?? 0) + last.durationTicks - (first.startTicks ?? 0);
}

interface Beginning {
  readonly first: ClipSegment;
  readonly startTicks: number;
  readonly splice: SpliceInit;
}

/** The recording at whose end sound of the clip's first moments may lie; none when the clip begins later in its first. */
async function leadOf(
  deps: PlaybackDeps,
  { first, startTicks, splice }: Beginning,
  signal: AbortSignal,
): Promise<readonly ClipSegment[]> {
  if (ticksToUs(startTicks, first.index.timescale) >= LEAD_US) return [];
  const segment = await findSegmentBefore(deps, first, signal);
  if (segment === undefined || joinTicks(segment, first) === undefined) return [];
  return (await goesWith(deps, { segment, splice }, signal)) ? [segment] : [];
}

function leadingPart(segment: ClipSegment, first: ClipSegment, startTicks: number): ClipPart {
  const joint = joinTicks(segment, first) ?? 0;
  return {
    segment,
    zeroTicks: -startTicks - joint,
    fragments: fragmentsOf(segment, { fromTicks: joint, untilUs: Infinity, delayTicks: 0 }),
    untilUs: Infinity,
  };
}

interface Window {
  readonly fromTicks: number;
  readonly untilUs: number;
  /** What is decoded may be shown this much later. */
  readonly delayTicks: number;
}

/** Tracks are not cut at the same instants: a fragment before and behind may hold a little of the others. */
function fragmentsOf({ index }: ClipSegment, { fromTicks, untilUs, delayTicks }: Window): readonly Fragment[] {
  const { fragments, timescale } = index;
  const leadTicks = firstTickAtUs(LEAD_US, timescale);
  const lastTicks = untilUs === Infinity ? Infinity : firstTickAtUs(untilUs, timescale) + delayTicks + leadTicks;
  let first = fragments.findIndex(
    ({ startTicks, durationTicks }) => startTicks !== null && startTicks + durationTicks > fromTicks - leadTicks,
  );
  if (first < 0) return [];
  while (first > 0 && fragments[first - 1]?.startTicks === null) first -= 1;
  const end = fragments.findIndex(({ startTicks }) => startTicks !== null && startTicks >= lastTicks);
  return fragments.slice(first, end < 0 ? undefined : end);
}

function bytesOf(fragments: readonly Fragment[]): number {
  return fragments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
