/** Where N and P go: the beginnings of footage after a gap, and the events of a path. */
import type { TimelinePath } from "./api-types.js";

/** In order, each once. */
function stopsOf({ spans, events }: Pick<TimelinePath, "spans" | "events">): number[] {
  const begins = spans.flatMap((span, index) =>
    span.kind === "footage" && index > 0 && spans[index - 1]?.kind === "gap" ? [Date.parse(span.from)] : [],
  );
  return [...new Set([...begins, ...events.map(({ at }) => Date.parse(at))])].sort((a, b) => a - b);
}

/** Back to what is before it and not to what is shown now: the playhead goes on meanwhile. */
const NEAR_BEFORE_MS = 2_000;
/** The picture that is shown of an instant is up to a frame older. */
const NEAR_AFTER_MS = 200;

/** The next one, or the one before; undefined: none in this timeline. */
export function stopFrom(path: Pick<TimelinePath, "spans" | "events">, atMs: number, step: 1 | -1): number | undefined {
  const stops = stopsOf(path);
  return step === 1
    ? stops.find((stop) => stop > atMs + NEAR_AFTER_MS)
    : stops.findLast((stop) => stop < atMs - NEAR_BEFORE_MS);
}
