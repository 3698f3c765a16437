/**
 * Where a track ends, from its spans in file order. Two quirks of MediaMTX are undone here:
 * - it cuts each `tfdt` to a whole tick, so a span may start one tick before the end of the last one although nothing
 *   is missing; undone, the end equals MTX_SEGMENT_DURATION to the microsecond;
 * - an RTP timestamp jump inflates the last sample of a fragment, up to hours (MediaMTX PR #5984).
 */
import type { TrackSpan } from "./moof.js";

const ROUNDING_TICKS = 1;
/** A sample is not believed when it is longer than 10 s (see moof.ts) and than this many usual ones. */
const IMPLAUSIBLE_RATIO = 10;
const MAX_TYPICAL_SAMPLES = 4_096;

export interface TimelineEnd {
  readonly endTicks: number;
  /** Without what implausible samples are longer than usual ones. */
  readonly plausibleEndTicks: number;
}

export class TrackTimeline {
  readonly #startsTicks: number[] = [];
  readonly #durationsTicks: number[] = [];
  /** Long samples by index of their span. */
  readonly #long = new Map<number, readonly number[]>();
  readonly #typicalTicks: number[] = [];
  #sampleCount = 0;
  #lastEndTicks = 0;

  /** The usual duration of a sample is not known well enough yet. */
  get isLearning(): boolean {
    return this.#typicalTicks.length < MAX_TYPICAL_SAMPLES;
  }

  /** Returns the start of the span, which is `tfdt` where there is one. */
  add(span: TrackSpan): number {
    const startTicks = span.startTicks ?? this.#lastEndTicks;
    if (span.longSamplesTicks.length > 0) this.#long.set(this.#startsTicks.length, span.longSamplesTicks);
    this.#startsTicks.push(startTicks);
    this.#durationsTicks.push(span.durationTicks);
    this.#sampleCount += span.sampleCount;
    this.#lastEndTicks = startTicks + span.durationTicks;
    const room = MAX_TYPICAL_SAMPLES - this.#typicalTicks.length;
    if (room > 0) this.#typicalTicks.push(...span.typicalSamplesTicks.slice(0, room));
    return startTicks;
  }

  end(): TimelineEnd {
    const usualTicks = this.#usualTicks();
    let endTicks = 0;
    let plausibleEndTicks = 0;
    let previousEnd = 0;
    let shift = 0;
    let pendingExcess = 0;
    for (const [index, rawStart] of this.#startsTicks.entries()) {
      const isJoined = index > 0 && Math.abs(rawStart - previousEnd) <= ROUNDING_TICKS;
      const start = isJoined ? Math.max(rawStart, previousEnd) : rawStart;
      // What follows an inflated sample is shifted by it, unless the clock went back (MediaMTX ≤1.15.3 wrapped that).
      if (rawStart >= previousEnd - ROUNDING_TICKS) shift += pendingExcess;
      previousEnd = start + (this.#durationsTicks[index] ?? 0);
      pendingExcess = this.#excessTicks(index, usualTicks);
      endTicks = Math.max(endTicks, previousEnd);
      plausibleEndTicks = Math.max(plausibleEndTicks, previousEnd - shift - pendingExcess);
    }
    return { endTicks, plausibleEndTicks };
  }

  /** Samples per second, to a thousandth; null when fewer than two samples. */
  frameRate(timescale: number): number | null {
    const usualTicks = this.#usualTicks();
    let totalTicks = 0;
    for (const [index, duration] of this.#durationsTicks.entries()) {
      totalTicks += duration - this.#excessTicks(index, usualTicks);
    }
    if (this.#sampleCount < 2 || totalTicks === 0) return null;
    return Math.round(((this.#sampleCount * timescale) / totalTicks) * 1_000) / 1_000;
  }

  /** Median of the first samples. */
  #usualTicks(): number {
    const sorted = this.#typicalTicks.toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }

  #excessTicks(index: number, usualTicks: number): number {
    const long = this.#long.get(index);
    if (long === undefined) return 0;
    return long
      .filter((ticks) => ticks > IMPLAUSIBLE_RATIO * usualTicks)
      .reduce((sum, ticks) => sum + ticks - usualTicks, 0);
  }
}
