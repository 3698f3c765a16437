/**
 * Where a file is cut for transcoding: by time, from sync sample to sync sample. What stands before the sync sample of a
 * fragment goes with the segment before, so that each can be decoded by itself and none lacks a frame.
 */
import type { FileFootage } from "./playlist-segments.js";
import { endOf } from "./playlist-segments.js";
import { ticksToUs } from "../media/ticks.js";
import type { TimeRange } from "../core/span.js";

interface TimeCut {
  /** The first segment begins at the last sync sample at or before it; exactly: no earlier than this. */
  readonly fromUs: number;
  /** Segments that begin here or later are left out. */
  readonly toUs: number;
  readonly isExact: boolean;
  /** Further fragments may come: what has no end yet is left out. */
  readonly isGrowing: boolean;
  /** Of a file that grows: so much of it lies behind the end of a segment before it is named. */
  readonly behindUs: number;
}

/** An ffmpeg takes some tenths of a second to begin; a viewer waits for one segment. */
const LEAST_US = 4_000_000;
const TOLERANCE_US = 100_000;

/** By the wall clock, one after the other without a hole. */
export function transcodedSegments(file: FileFootage, cut: TimeCut): TimeRange[] {
  const { index, startUs } = file;
  const syncsUs = index.fragments.flatMap(({ syncTicks }) =>
    syncTicks === null ? [] : [startUs + ticksToUs(syncTicks, index.timescale)],
  );
  const first = Math.max(
    0,
    syncsUs.findLastIndex((us) => us <= cut.fromUs),
  );
  const segments: TimeRange[] = [];
  let fromUs = syncsUs[first];
  if (fromUs === undefined) return [];
  for (const us of syncsUs.slice(first + 1)) {
    if (us - fromUs < LEAST_US - TOLERANCE_US) continue;
    segments.push({ fromUs, toUs: us });
    fromUs = us;
  }
  const fileEndUs = startUs + endOf(file, { first: 0, startUs: 0 });
  if (!cut.isGrowing && fileEndUs > fromUs) segments.push({ fromUs, toUs: fileEndUs });
  const lastUs = cut.isGrowing ? fileEndUs - cut.behindUs : fileEndUs;
  return segments.filter(({ toUs }) => toUs <= lastUs).flatMap((segment) => inRange(segment, cut));
}

function inRange({ fromUs, toUs }: TimeRange, cut: TimeCut): TimeRange[] {
  if (fromUs >= cut.toUs || toUs <= cut.fromUs) return [];
  if (!cut.isExact) return [{ fromUs, toUs }];
  return [{ fromUs: Math.max(fromUs, cut.fromUs), toUs: Math.min(toUs, cut.toUs) }];
}
