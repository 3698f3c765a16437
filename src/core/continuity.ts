/**
 * Which segments join, and what is missing between them. The rule is MediaMTX's own (playback server, ≥1.15.5): with
 * `mtxi` the same stream id and the next number, whatever the clock says; without it, ends that meet within 1 s; a file
 * with and one without `mtxi` never join.
 */
import type { StreamPosition } from "./recording.js";

const CLOCK_TOLERANCE_US = 1_000_000;

export interface Segment {
  readonly startUs: number;
  readonly endUs: number;
  readonly position: StreamPosition | null;
}

export interface GapBefore {
  /** 0 when the two join. */
  readonly gapUs: number;
  /** Segments that MediaMTX numbered and nobody has; 0 when none or when numbers cannot tell. */
  readonly missing: number;
}

export function joins(previous: Segment, next: Segment): boolean {
  if (previous.position !== null && next.position !== null) {
    return (
      previous.position.streamId === next.position.streamId &&
      next.position.segmentNumber === previous.position.segmentNumber + 1
    );
  }
  if (previous.position !== null || next.position !== null) return false;
  return Math.abs(next.startUs - previous.endUs) <= CLOCK_TOLERANCE_US;
}

/** A torn segment lacks its end: what follows it by number does not follow what is left of it (F41). */
export function gapBetween(previous: Segment & { readonly partial: boolean }, next: Segment): GapBefore {
  if (joins(previous, next) && !previous.partial) return { gapUs: 0, missing: 0 };
  const missing =
    previous.position !== null && previous.position.streamId === next.position?.streamId
      ? Math.max(0, next.position.segmentNumber - previous.position.segmentNumber - 1)
      : 0;
  return { gapUs: Math.max(0, next.startUs - previous.endUs), missing };
}

export interface Run {
  readonly startUs: number;
  readonly endUs: number;
}

/** Joins segments, given in order of start, to runs without a gap: what MediaMTX's `/list` calls timespans. */
export function mergeRuns(segments: Iterable<Segment>): Run[] {
  const runs: Run[] = [];
  let previous: Segment | undefined;
  for (const segment of segments) {
    const last = runs.at(-1);
    if (last !== undefined && previous !== undefined && joins(previous, segment)) {
      runs[runs.length - 1] = { startUs: last.startUs, endUs: Math.max(last.endUs, segment.endUs) };
    } else {
      runs.push({ startUs: segment.startUs, endUs: segment.endUs });
    }
    previous = segment;
  }
  return runs;
}
