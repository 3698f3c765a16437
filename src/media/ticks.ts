/** Media time in ticks of a timescale to microseconds and back: the only conversions of the two. */
import { US_PER_SEC } from "../core/instant.js";
import { damaged } from "./box.js";

/**
 * Nearest microsecond, exact for any 32-bit timescale; half a microsecond goes down, because MediaMTX cuts to the
 * nanosecond below before it counts. Throws `data-loss` when no instant in µs can hold it.
 */
export function ticksToUs(ticks: number, timescale: number): number {
  const wholeSec = Math.floor(ticks / timescale);
  const us = wholeSec * US_PER_SEC + Math.ceil(((ticks % timescale) * US_PER_SEC) / timescale - 0.5);
  if (Number.isSafeInteger(us)) return us;
  throw damaged(`read time of ${String(ticks)} ticks of ${String(timescale)} per second: expected less than 2^53 µs`);
}

/** The first tick that `ticksToUs` puts at or after `us`, which may be before 0. */
export function firstTickAtUs(us: number, timescale: number): number {
  const wholeSec = Math.floor(us / US_PER_SEC);
  let ticks = wholeSec * timescale + Math.floor(((us - wholeSec * US_PER_SEC) * timescale) / US_PER_SEC);
  while (ticksToUs(ticks, timescale) >= us) ticks -= 1;
  while (ticksToUs(ticks, timescale) < us) ticks += 1;
  return ticks;
}

/** Ticks of one timescale in another, to the nearest. */
export function rescaleTicks(ticks: number, from: number, to: number): number {
  if (from === to) return ticks;
  const wholeSec = Math.floor(ticks / from);
  return wholeSec * to + Math.round(((ticks - wholeSec * from) * to) / from);
}
