/** Where the ruler of the timeline has its marks: round times of the viewer's own zone. */
import { type TimeView, DAY_MS, HOUR_MS, lengthMs, MINUTE_MS } from "./time-scale.js";

export interface Tick {
  readonly atMs: number;
  /** seconds: the view is so near that minutes are not enough */
  readonly kind: "day" | "minutes" | "seconds";
}

const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
];
const LEAST_PX = 88;

function tickStepMs(view: TimeView, widthPx: number): number {
  const leastMs = (lengthMs(view) / Math.max(1, widthPx)) * LEAST_PX;
  return STEPS_MS.find((stepMs) => stepMs >= leastMs) ?? DAY_MS;
}

/** `offsetMs` says how far the zone's clock is ahead of UTC at an instant. */
export function ticksOf(view: TimeView, widthPx: number, offsetMs: (atMs: number) => number): Tick[] {
  const stepMs = tickStepMs(view, widthPx);
  const offset = offsetMs(view.fromMs);
  const ticks: Tick[] = [];
  for (let localMs = Math.ceil((view.fromMs + offset) / stepMs) * stepMs; ; localMs += stepMs) {
    const atMs = localMs - offset;
    if (atMs >= view.toMs) return ticks;
    const isMidnight = (atMs + offsetMs(atMs)) % DAY_MS === 0;
    ticks.push({ atMs, kind: isMidnight ? "day" : stepMs < MINUTE_MS ? "seconds" : "minutes" });
  }
}
