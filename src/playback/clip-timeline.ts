/**
 * Where the samples of each track stand on the clip's time, and which of them belong to it. Every recording begins its
 * media time anew and cuts each `tfdt` to a whole tick; here tracks go on where they ended, and never go back.
 */
import type { KeptSamples } from "../media/fragment-writer.js";
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
  hasBegun: boolean;
  endTicks: number;
  /** Of the recording that is read now. */
  zeroTicks: number;
  untilTicks: number;
}

export class ClipTimeline {
  readonly #plan: TimelinePlan;
  readonly #tracks: ReadonlyMap<number, TrackState>;

  constructor(plan: TimelinePlan) {
    this.#plan = plan;
    this.#tracks = new Map(
      plan.splice.tracks.map(({ track }) => [
        track.id,
        {
          timescale: track.timescale,
          isVideo: track.kind === "video",
          fromTicks:
            track.id === plan.mainTrackId
              ? 0
              : Math.max(0, rescaleTicks(plan.presentationTicks, plan.timescale, track.timescale)),
          hasBegun: false,
          endTicks: 0,
          zeroTicks: 0,
          untilTicks: Infinity,
        },
      ]),
    );
  }

  enter({ zeroTicks, untilUs }: Pick<ClipPart, "zeroTicks" | "untilUs">): void {
    for (const track of this.#tracks.values()) {
      track.zeroTicks = rescaleTicks(zeroTicks, this.#plan.timescale, track.timescale);
      track.untilTicks = untilUs === Infinity ? Infinity : firstTickAtUs(untilUs, track.timescale);
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

function keepOf(run: SampleRun, track: TrackState): KeptSamples | undefined {
  const ownTicks = run.startTicks === null ? track.endTicks : run.startTicks + track.zeroTicks;
  let ticks = track.hasBegun ? Math.max(ownTicks, track.endTicks) : ownTicks;
  let first: number | undefined;
  let startTicks = 0;
  let offsetBytes = run.offsetBytes;
  let sizeBytes = 0;
  let last = 0;
  for (; last < run.sizesBytes.length && ticks - track.zeroTicks < track.untilTicks; last += 1) {
    if (first === undefined && mayBegin(run, last, { track, ticks })) {
      first = last;
      startTicks = ticks;
    }
    const size = run.sizesBytes[last] ?? 0;
    if (first === undefined) offsetBytes += size;
    else sizeBytes += size;
    ticks += run.durationsTicks[last] ?? 0;
  }
  track.endTicks = ticks;
  if (first === undefined) return undefined;
  track.hasBegun = true;
  return { run, first, last, startTicks, durationTicks: ticks - startTicks, offsetBytes, sizeBytes };
}

function mayBegin(
  { flags }: SampleRun,
  sample: number,
  { track, ticks }: { readonly track: TrackState; readonly ticks: number },
): boolean {
  if (track.hasBegun) return true;
  const isSync = ((flags[sample] ?? 0) & NON_SYNC_SAMPLE) === 0;
  return ticks >= track.fromTicks && (isSync || !track.isVideo);
}
