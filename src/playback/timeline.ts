/** The timeline of a path, its coverage and its calendar: from rows alone, whatever disk and store are doing. */
import type { Catalog } from "../catalog/catalog.js";
import { listConditionChanges } from "../catalog/recording-conditions.js";
import { createTracksParser } from "../catalog/recording-row.js";
import { findMarks, findTracksOfRuns, type PathRange } from "../catalog/timeline-marks.js";
import { daysOfMonth } from "../core/calendar.js";
import { type Coverage, coverageOf } from "../core/coverage.js";
import { AppError } from "../core/errors.js";
import { US_PER_SEC } from "../core/instant.js";
import type { PathName } from "../core/path-name.js";
import type { Span, TimeRange } from "../core/span.js";
import { timelineOf } from "../core/timeline.js";

/** What one answer can hold; and what may be read for one that says less. */
const MOST_SPANS = 20_000;
const MOST_MARKS = 300_000;

export interface DayFootage {
  /** YYYY-MM-DD in the zone that was asked for. */
  readonly date: string;
  readonly footageSec: number;
}

/** Throws `invalid-argument` for a range with more spans than an answer can hold. */
export function readTimeline(catalog: Catalog, request: PathRange): Promise<Span[]> {
  return readSpans(catalog, request, MOST_SPANS);
}

/** Of each part, which follow one another in order. */
export async function readCoverage(
  catalog: Catalog,
  request: PathRange,
  parts: Iterable<TimeRange>,
): Promise<Coverage[]> {
  return coverageOf(await readSpans(catalog, request, MOST_MARKS), parts);
}

/** RFC 6381, of all recordings of the range together; in the order in which they came. */
export async function readCodecs(catalog: Catalog, request: PathRange): Promise<string[]> {
  const tracksOf = createTracksParser();
  const texts = await findTracksOfRuns(catalog, request);
  return [...new Set(texts.flatMap((text) => tracksOf(text).map(({ codec }) => codec)))].sort();
}

/** The days of a month (YYYY-MM) on which the path has footage. */
export async function readDays(
  catalog: Catalog,
  { path, month, zone }: { readonly path: PathName; readonly month: string; readonly zone: string },
): Promise<DayFootage[]> {
  const days = daysOfMonth(month, zone);
  const fromUs = days[0]?.fromUs ?? 0;
  const toUs = days.at(-1)?.toUs ?? fromUs;
  const coverage = await readCoverage(catalog, { path, fromUs, toUs }, days);
  return days.flatMap(({ date }, index) => {
    const footageUs = coverage[index]?.footageUs ?? 0;
    return footageUs > 0 ? [{ date, footageSec: footageUs / US_PER_SEC }] : [];
  });
}

async function readSpans(catalog: Catalog, request: PathRange, limit: number): Promise<Span[]> {
  const nowUs = catalog.clock.nowUs();
  const { path, fromUs } = request;
  const toUs = Math.min(request.toUs, nowUs);
  if (fromUs >= toUs) return [];
  const { marks, last, isCut, nodeId } = await findMarks(catalog, { path, fromUs, toUs, limit });
  if (isCut) throw tooManySpans(path, limit);
  const changes = await listConditionChanges(catalog, { path, nodeId: nodeId ?? catalog.nodeId, fromUs, toUs });
  return timelineOf({ fromUs, toUs, nowUs }, { marks, last, changes });
}

function tooManySpans(path: PathName, limit: number): AppError {
  const message = `the range holds more than ${String(limit)} changes of path "${path}"`;
  return new AppError({
    kind: "invalid-argument",
    message,
    hint: "ask for a shorter range, or with resolution for how much of each part is there",
    fields: [{ field: "to", message: `is too late: ${message}` }],
  });
}
