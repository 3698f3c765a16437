/** How much of each part of a range holds footage, from the spans of its timeline. Pure. */
import type { GapCause, Span, TimeRange } from "./span.js";

export interface Coverage extends TimeRange {
  readonly footageUs: number;
  /** Of most of what is missing; null when nothing is, also in the future. */
  readonly cause: GapCause | null;
}

/** Parts of equal length; the last one ends with the range. */
export function* partsOfRange({ fromUs, toUs }: TimeRange, lengthUs: number): Generator<TimeRange> {
  for (let startUs = fromUs; startUs < toUs; startUs += lengthUs) {
    yield { fromUs: startUs, toUs: Math.min(startUs + lengthUs, toUs) };
  }
}

/** Spans and parts are both in order; each is walked once. */
export function coverageOf(spans: readonly Span[], parts: Iterable<TimeRange>): Coverage[] {
  let first = 0;
  const result: Coverage[] = [];
  for (const part of parts) {
    while ((spans[first]?.toUs ?? Infinity) <= part.fromUs) first += 1;
    let footageUs = 0;
    const missingUs = new Map<GapCause, number>();
    for (let index = first; index < spans.length; index += 1) {
      const span = spans[index];
      if (span === undefined || span.fromUs >= part.toUs) break;
      const commonUs = Math.min(span.toUs, part.toUs) - Math.max(span.fromUs, part.fromUs);
      if (span.kind === "footage") footageUs += commonUs;
      else missingUs.set(span.cause, (missingUs.get(span.cause) ?? 0) + commonUs);
    }
    const [most] = [...missingUs].sort(([, left], [, right]) => right - left);
    result.push({ ...part, footageUs, cause: most?.[0] ?? null });
  }
  return result;
}
