/**
 * Which fragments of a file make one HLS segment. A segment begins at a fragment that holds a sync sample, and with a
 * later sync sample ends as soon as it is long enough; MediaMTX does not cut its fragments at sync samples, so what
 * stands before the sync sample of its first fragment belongs to the GOP before. Fragments without a sync sample before
 * the first one (audio that came before the video) stay with it.
 *
 * The answer depends on the file, on where the range begins and on `leastUs` alone: what has been answered of a file that
 * grows stays as it was.
 */
import type { HlsSegment } from "../core/hls-playlist.js";
import type { Fragment, FragmentIndex } from "../media/inspection.js";
import { ticksToUs } from "../media/ticks.js";

export interface FileFootage {
  /** Wall clock of tick 0. */
  readonly startUs: number;
  /** Wall clock of the end, where the fragments cannot tell. */
  readonly endUs: number;
  readonly index: FragmentIndex;
  readonly trackCount: number;
}

export interface Cut {
  /** The file is cut at the last sync sample at or before it. */
  readonly fromUs: number;
  /** Segments that begin here or later are left out. */
  readonly toUs: number;
  /** So are fragments; else the last segment is as long as others, and may end later. */
  readonly isExact: boolean;
  /** A segment is at least this long where there is another sync sample to end it. */
  readonly leastUs: number;
  /** Further fragments may come: what has no end yet is left out. */
  readonly isGrowing: boolean;
}

/** Durations of a GOP vary by a frame: 1.96 s are meant to be 2 s. */
const TOLERANCE_US = 100_000;
/**
 * A player that seeks to before the sync sample of a segment's first fragment finds nothing to show there: so long is
 * waited for a fragment that begins with one.
 */
const PATIENT_US = 6_000_000;

interface Group {
  readonly first: number;
  /** Index after the last fragment. */
  readonly end: number;
  /** From tick 0. */
  readonly startUs: number;
  readonly endUs: number;
}

export function segmentsOf(whole: FileFootage, cut: Cut): HlsSegment[] {
  const file = cut.isExact ? endingAt(whole, cut.toUs) : whole;
  const { index, startUs } = file;
  const segments: HlsSegment[] = [];
  // What was cut off at the end has its end.
  const isGrowing = cut.isGrowing && file === whole;
  for (const group of groupsOf(file, { ...cut, isGrowing })) {
    const first = index.fragments[group.first];
    const last = index.fragments[group.end - 1];
    if (first === undefined || last === undefined || startUs + group.startUs >= cut.toUs) break;
    segments.push({
      startUs: startUs + group.startUs,
      durationUs: Math.max(0, group.endUs - group.startUs),
      offsetBytes: first.offsetBytes,
      bytes: last.offsetBytes + last.sizeBytes - first.offsetBytes,
      beginsWithSync: first.syncTicks !== null && first.syncTicks === first.startTicks,
    });
  }
  return segments;
}

/** The bytes of a file that such an exact playlist may name; null: none. */
export function bytesOf(
  whole: FileFootage,
  { fromUs, toUs }: Pick<Cut, "fromUs" | "toUs">,
): { readonly start: number; readonly end: number } | null {
  const { startUs } = whole;
  if (startUs >= toUs || startUs + endOf(whole, { first: 0, startUs: 0 }) <= fromUs) return null;
  const { fragments } = endingAt(whole, toUs).index;
  const first = fragments[firstOf(whole, fromUs)];
  const last = fragments.at(-1);
  if (first === undefined || last === undefined) return null;
  const end = last.offsetBytes + last.sizeBytes;
  return first.offsetBytes < end ? { start: first.offsetBytes, end } : null;
}

/** The same file without the fragments that begin at `toUs` or later; itself when there are none. */
function endingAt(file: FileFootage, toUs: number): FileFootage {
  const { index, startUs } = file;
  const end = index.fragments.findIndex(
    ({ startTicks }) => startTicks !== null && startUs + ticksToUs(startTicks, index.timescale) >= toUs,
  );
  return end < 0 ? file : { ...file, index: { ...index, fragments: index.fragments.slice(0, end) } };
}

function* groupsOf(file: FileFootage, cut: Cut): Generator<Group> {
  const { fragments, timescale } = file.index;
  if (fragments.length === 0) return;
  let first = firstOf(file, cut.fromUs);
  let startUs = first === 0 ? beginningUs(file) : ticksToUs(fragments[first]?.startTicks ?? 0, timescale);
  for (let at = firstSync(fragments, first) + 1; at < fragments.length; at += 1) {
    const fragment = fragments[at];
    if (fragment?.startTicks == null || fragment.syncTicks === null) continue;
    const endUs = ticksToUs(fragment.startTicks, timescale);
    const wantedUs = fragment.syncTicks === fragment.startTicks ? cut.leastUs : Math.max(cut.leastUs, PATIENT_US);
    if (endUs - startUs < wantedUs - TOLERANCE_US) continue;
    yield { first, end: at, startUs, endUs };
    [first, startUs] = [at, endUs];
  }
  if (!cut.isGrowing) yield { first, end: fragments.length, startUs, endUs: endOf(file, { first, startUs }) };
}

/** The last fragment whose first sync sample comes at or before the beginning of the range; else the first of all. */
function firstOf({ startUs, index }: FileFootage, fromUs: number): number {
  if (fromUs <= startUs) return 0;
  const { fragments, timescale } = index;
  const found = fragments.findLastIndex(
    ({ syncTicks }) => syncTicks !== null && startUs + ticksToUs(syncTicks, timescale) <= fromUs,
  );
  return found < 0 || found === firstSync(fragments, 0) ? 0 : found;
}

function firstSync(fragments: readonly Fragment[], from: number): number {
  const found = fragments.findIndex(({ syncTicks }, at) => at >= from && syncTicks !== null);
  return found < 0 ? fragments.length : found;
}

/** Of several tracks one begins at tick 0, and it need not be the one that the index follows. */
function beginningUs({ index, trackCount }: FileFootage): number {
  const first = index.fragments[0]?.startTicks ?? null;
  return trackCount > 1 || first === null ? 0 : ticksToUs(first, index.timescale);
}

/** From tick 0: where the last fragment from `first` on ends. */
export function endOf({ index, startUs: wallUs, endUs }: FileFootage, from: Pick<Group, "first" | "startUs">): number {
  let endTicks = 0;
  for (let at = from.first; at < index.fragments.length; at += 1) {
    const fragment = index.fragments[at];
    if (fragment?.startTicks != null) endTicks = Math.max(endTicks, fragment.startTicks + fragment.durationTicks);
  }
  const mediaUs = ticksToUs(endTicks, index.timescale);
  return mediaUs > from.startUs ? mediaUs : Math.max(from.startUs, endUs - wallUs);
}
