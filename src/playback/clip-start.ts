/** Where a clip begins: the sync sample at or before what was asked for, else the first one after it. */
import { HEAD_BYTES, readFragmentHead } from "../media/fragment-head.js";
import { readInit } from "../media/init.js";
import { MemoryByteSource } from "../media/byte-source.js";
import type { ByteReader } from "../media/byte-reader.js";
import type { Fragment } from "../media/inspection.js";
import { NON_SYNC_SAMPLE } from "../media/moof.js";
import { readSampleRuns, type SampleRun } from "../media/sample-runs.js";
import { ticksToUs } from "../media/ticks.js";
import type { ClipRequest } from "./clip-request.js";
import type { ClipSegment } from "./clip-segments.js";
import type { PlaybackDeps } from "./playback-deps.js";

export interface ClipStart {
  /** Index of the recording. */
  readonly segment: number;
  /** Decode time of the sample in its recording, by the main track. */
  readonly ticks: number;
  /** From its decode to its presentation. */
  readonly presentationTicks: number;
}

interface Wanted {
  readonly request: ClipRequest;
  readonly segments: readonly ClipSegment[];
  readonly signal: AbortSignal;
}

/** Undefined: no sync sample in the range, nor before it in a recording that reaches into it. */
export async function findClipStart(deps: PlaybackDeps, wanted: Wanted): Promise<ClipStart | undefined> {
  const { request, segments, signal } = wanted;
  const place = placeOf(request, segments);
  if (place === undefined) return undefined;
  const { segment, number, fragment } = place;
  const reader = await deps.openReader(segment.recording, signal);
  try {
    const runs = await readRuns(reader, segment, fragment);
    const atUs = Math.max(
      request.fromUs - segment.startUs,
      ticksToUs(fragment.syncTicks ?? 0, segment.index.timescale),
    );
    const sync = lastSync(runs, segment, { fragment, atUs });
    return { segment: number, ...sync };
  } finally {
    await reader.close();
  }
}

interface Place {
  readonly segment: ClipSegment;
  readonly number: number;
  readonly fragment: Fragment;
}

function placeOf({ fromUs, toUs }: ClipRequest, segments: readonly ClipSegment[]): Place | undefined {
  const at = segments.findLastIndex(({ startUs, endUs }) => startUs <= fromUs && fromUs < endUs);
  for (const [number, segment] of segments.entries()) {
    if (number < at || segment.endUs <= fromUs) continue;
    const { fragments, timescale } = segment.index;
    const syncUs = ({ syncTicks }: Fragment): number =>
      syncTicks === null ? NaN : segment.startUs + ticksToUs(syncTicks, timescale);
    const fragment =
      fragments.findLast((candidate) => syncUs(candidate) <= fromUs) ??
      fragments.find((candidate) => syncUs(candidate) > fromUs);
    if (fragment !== undefined && syncUs(fragment) < toUs) return { segment, number, fragment };
  }
  return undefined;
}

/** The samples of one fragment. */
async function readRuns(reader: ByteReader, { index }: ClipSegment, fragment: Fragment): Promise<SampleRun[]> {
  const init = readInit(new MemoryByteSource(await reader.read(0, index.initBytes)));
  const tracks = new Map(init.tracks.map((entry) => [entry.track.id, entry]));
  let head = readFragmentHead(
    await reader.read(fragment.offsetBytes, Math.min(HEAD_BYTES, fragment.sizeBytes)),
    fragment,
  );
  while (typeof head === "number") head = readFragmentHead(await reader.read(fragment.offsetBytes, head), fragment);
  return readSampleRuns(head, tracks);
}

/** The index knows the first sync sample of a fragment; with short GOPs there are more. */
function lastSync(
  runs: readonly SampleRun[],
  { index }: ClipSegment,
  { fragment, atUs }: { readonly fragment: Fragment; readonly atUs: number },
): Pick<ClipStart, "ticks" | "presentationTicks"> {
  let ticks = fragment.startTicks ?? 0;
  let sync = { ticks: fragment.syncTicks ?? 0, presentationTicks: 0 };
  for (const run of runs) {
    if (run.trackId !== index.mainTrackId) continue;
    for (const [sample, durationTicks] of run.durationsTicks.entries()) {
      const isSync = ((run.flags[sample] ?? 0) & NON_SYNC_SAMPLE) === 0;
      if (isSync && ticksToUs(ticks, index.timescale) <= atUs) {
        sync = { ticks, presentationTicks: run.compositionTicks[sample] ?? 0 };
      }
      ticks += durationTicks;
    }
  }
  return sync;
}
