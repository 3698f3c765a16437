/**
 * MediaMTX's `/list` (playback server, ≥1.15.5) from the index: timespans, not files. Where it merges, we merge; what it
 * cannot read (archived footage) is there, and what it would fail on (one bad file) is left out. See src/README.md for
 * where the two differ on purpose.
 */
import { listPlayableSpans, type PlayableSpan, type SpanRange } from "../catalog/playable-spans.js";
import type { Catalog } from "../catalog/catalog.js";
import { joins } from "../core/continuity.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import { ticksToUs } from "../media/ticks.js";
import type { GrowingFiles } from "./growing-files.js";

export interface Timespan {
  readonly startUs: number;
  readonly endUs: number;
}

export interface TimespanDeps {
  readonly catalog: Catalog;
  readonly growing: Pick<GrowingFiles, "lookFrom">;
}

export interface TimespansRequest {
  readonly path: PathName;
  /** Null: no bound. */
  readonly startUs: number | null;
  readonly endUs: number | null;
}

/** Throws `not-found` when there is nothing. */
export async function listTimespans(
  deps: TimespanDeps,
  { path, startUs, endUs }: TimespansRequest,
): Promise<Timespan[]> {
  const fromUs = startUs ?? Number.MIN_SAFE_INTEGER / 2;
  const toUs = endUs ?? Number.MAX_SAFE_INTEGER;
  const spans = await findTimespans(deps, { path, fromUs, toUs });
  const overlapping = spans.filter((span) => span.endUs > fromUs);
  if (overlapping.length === 0) throw nothingFound();
  return overlapping.map((span) => ({ startUs: Math.max(span.startUs, fromUs), endUs: Math.min(span.endUs, toUs) }));
}

/** Where what begins at an instant ends: MediaMTX plays until the first break. Throws as `listTimespans`. */
export async function findPlayableEnd(deps: TimespanDeps, range: SpanRange): Promise<number> {
  const [first] = await findTimespans(deps, range);
  // In a gap there is nothing to play, also where footage follows in the range.
  if (first === undefined || first.endUs <= range.fromUs) throw nothingFound();
  return Math.min(first.endUs, range.toUs);
}

async function findTimespans({ catalog, growing }: TimespanDeps, range: SpanRange): Promise<Timespan[]> {
  return merge(withGrown(growing, listPlayableSpans(catalog, range)));
}

/** The file that is being written counts as far as its fragments are whole. */
async function* withGrown(
  growing: TimespanDeps["growing"],
  spans: AsyncIterable<PlayableSpan>,
): AsyncGenerator<PlayableSpan> {
  let held: PlayableSpan | undefined;
  for await (const span of spans) {
    if (held !== undefined) yield* grownSpan(growing, held, { isNewest: false });
    held = undefined;
    if (span.local === "open") held = span;
    else yield span;
  }
  if (held !== undefined) yield* grownSpan(growing, held, { isNewest: true });
}

/** MediaMTX closes a file before it creates the next one, also where nobody has noticed yet. */
async function* grownSpan(
  growing: TimespanDeps["growing"],
  span: PlayableSpan,
  { isNewest }: { readonly isNewest: boolean },
): AsyncGenerator<PlayableSpan> {
  // Its end is all that is asked for.
  const grown = await growing.lookFrom(span, Infinity);
  if (grown === null) return;
  const { fragments, timescale } = isNewest ? grown.index : grown.endedIndex;
  const last = fragments.findLast(({ startTicks }) => startTicks !== null);
  if (last === undefined) return;
  const startUs = grown.startUs ?? span.startUs;
  const mediaUs = ticksToUs((last.startTicks ?? 0) + last.durationTicks, timescale);
  yield { ...span, startUs, endUs: startUs + mediaUs, position: grown.position, tracks: grown.tracks };
}

async function merge(segments: AsyncIterable<PlayableSpan>): Promise<Timespan[]> {
  const spans: Timespan[] = [];
  let previous: PlayableSpan | undefined;
  for await (const segment of segments) {
    const last = spans.at(-1);
    if (last !== undefined && previous !== undefined && isOneSpan(previous, segment)) {
      spans[spans.length - 1] = { startUs: last.startUs, endUs: Math.max(last.endUs, segment.endUs) };
    } else {
      spans.push({ startUs: segment.startUs, endUs: segment.endUs });
    }
    previous = segment;
  }
  return spans;
}

function nothingFound(): AppError {
  return new AppError({ kind: "not-found", message: "no recording segments found" });
}

/** Without `mtxi` the tracks have to be the same too: number, ids, timescales and kinds of codec. */
function isOneSpan(previous: PlayableSpan, next: PlayableSpan): boolean {
  if (previous.format !== next.format || !joins(previous, next)) return false;
  return next.position !== null || previous.tracks === next.tracks || shapeOf(previous) === shapeOf(next);
}

function shapeOf({ tracks }: PlayableSpan): string {
  return tracks
    .map(({ id, timescale, codec }) => `${String(id)} ${String(timescale)} ${codec.split(".", 1)[0] ?? ""}`)
    .join();
}
