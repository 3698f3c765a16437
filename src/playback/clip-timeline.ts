/**
 * Where the samples of each track stand on the clip's time, and which of them belong to it. Every recording begins its
 * media time anew and cuts each `tfdt` to a whole tick; here tracks go on where they ended, and never go back.
 *
 * The clip holds what is shown before its end, by the clock that shows its first picture at the clip's beginning, and
 * whatever that needs: pictures that are decoded before the last of them, though shown later (B-frames). A GOP that begins
 * at the end or later is left out whole, with pictures of H.265 that are shown before its sync sample, as a clip that
 * begins there has none of them.
 */
import type { KeptSamples } from "../media/fragment-writer.js";
import type { InitTrack } from "../media/init.js";
import { NON_SYNC_SAMPLE } from "../media/moof.js";
import type { SampleRun } from "../media/sample-runs.js";
import { firstTickAtUs, rescaleTicks } from "../media/ticks.js";
import type { ClipPart, ClipPlan } from "./clip-plan.js";

export type TimelinePlan = Pick<ClipPlan, "splice" | "mainTrackId" | "timescale" | "presentationTicks">;

interface TrackState {
  readonly timescale: number;
  readonly isVideo: boolean;
  /** Samples before this are not of the clip. */
  readonly fromTicks: number;
  /** From the decoding of the clip's first picture to its presentation. */
  readonly delayTicks: number;
  hasBegun: boolean;
  endTicks: number;
  /** Of the recording that is read now. */
  zeroTicks: number;
  /** On the clip's time: GOPs from here on are not of the clip, nor what is shown `delayTicks` later. */
  untilTicks: number;
  hasEnded: boolean;
}

export class ClipTimeline {
  readonly #plan: TimelinePlan;
  readonly #tracks: ReadonlyMap<number, TrackState>;

  constructor(plan: TimelinePlan) {
    this.#plan = plan;
    this.#tracks = new Map(plan.splice.tracks.map(({ track }) => [track.id, stateOf(track, plan)]));
  }

  enter({ zeroTicks, untilUs }: Pick<ClipPart, "zeroTicks" | "untilUs">): void {
    for (const track of this.#tracks.values()) {
      track.zeroTicks = rescaleTicks(zeroTicks, this.#plan.timescale, track.timescale);
      track.untilTicks = track.zeroTicks + (untilUs === Infinity ? Infinity : firstTickAtUs(untilUs, track.timescale));
      track.hasEnded = false;
    }
  }

  /** Those samples of a fragment that belong to the clip, in the order of their bytes. */
  keep(runs: readonly SampleRun[]): KeptSamples[] {
    const kept: KeptSamples[] = [];
    for (const run of runs) {
      const track = this.#tracks.get(run.trackId);
      const samples = track === undefined ? undefined : keepOf(run, track);
      if (samples !== undefined) kept.push(samples);
    }
    return kept.sort((a, b) => a.offsetBytes - b.offsetBytes);
  }
}

function stateOf({ id, kind, timescale }: InitTrack["track"], plan: TimelinePlan): TrackState {
  const delayTicks = Math.max(0, rescaleTicks(plan.presentationTicks, plan.timescale, timescale));
  return {
    timescale,
    isVideo: kind === "video",
    fromTicks: id === plan.mainTrackId ? 0 : delayTicks,
    delayTicks,
    hasBegun: false,
    endTicks: 0,
    zeroTicks: 0,
    untilTicks: Infinity,
    hasEnded: false,
  };
}

function keepOf(run: SampleRun, track: TrackState): KeptSamples | undefined {
  const ownTicks = run.startTicks === null ? track.endTicks : run.startTicks + track.zeroTicks;
  const shownUntilTicks = track.untilTicks + track.delayTicks;
  let ticks = track.hasBegun ? Math.max(ownTicks, track.endTicks) : ownTicks;
  let first: number | undefined;
  let startTicks = 0;
  let offsetBytes = run.offsetBytes;
  let sizeBytes = 0;
  let at = 0;
  for (; at < run.sizesBytes.length && !endsAt(run, at, { track, ticks }); at += 1) {
    if (first === undefined && mayBegin(run, at, { track, ticks })) {
      first = at;
      startTicks = ticks;
    }
    const size = run.sizesBytes[at] ?? 0;
    if (first === undefined) offsetBytes += size;
    else sizeBytes += size;
    ticks += run.durationsTicks[at] ?? 0;
  }
  track.hasEnded ||= at < run.sizesBytes.length;
  // Pictures that only later ones would have needed.
  while (
    track.hasEnded &&
    first !== undefined &&
    at > first &&
    !isShownBefore(run, at - 1, { ticks, shownUntilTicks })
  ) {
    at -= 1;
    sizeBytes -= run.sizesBytes[at] ?? 0;
    ticks -= run.durationsTicks[at] ?? 0;
  }
  track.endTicks = ticks;
  if (first === undefined || at === first) return undefined;
  track.hasBegun = true;
  const durationTicks = ticks - startTicks;
  return { run, first, last: at, startTicks, durationTicks, shownUntilTicks, offsetBytes, sizeBytes };
}

interface At {
  readonly track: TrackState;
  readonly ticks: number;
}

/** Nothing that is decoded from here on is shown before the end: no sample is shown before it is decoded. */
function endsAt(run: SampleRun, sample: number, { track, ticks }: At): boolean {
  const { hasEnded, isVideo, untilTicks, delayTicks } = track;
  return hasEnded || ticks >= untilTicks + delayTicks || (isVideo && ticks >= untilTicks && isSync(run, sample));
}

/** `ticks`: where the sample ends. */
function isShownBefore(
  { compositionTicks, durationsTicks }: SampleRun,
  sample: number,
  { ticks, shownUntilTicks }: { readonly ticks: number; readonly shownUntilTicks: number },
): boolean {
  return ticks - (durationsTicks[sample] ?? 0) + (compositionTicks[sample] ?? 0) < shownUntilTicks;
}

function mayBegin(run: SampleRun, sample: number, { track, ticks }: At): boolean {
  if (track.hasBegun) return true;
  return ticks >= track.fromTicks && (!track.isVideo || isSync(run, sample));
}

function isSync({ flags }: SampleRun, sample: number): boolean {
  return ((flags[sample] ?? 0) & NON_SYNC_SAMPLE) === 0;
}
