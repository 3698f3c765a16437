/** What there is of a path and what is missing, for a timeline and for a calendar. */
import { listPathEvents, type PathEvent } from "../../catalog/path-events.js";
import type { PathRange } from "../../catalog/timeline-marks.js";
import {
  daysQuerySchema,
  daysSchema,
  MOST_EVENTS,
  timelineQuerySchema,
  timelineSchema,
} from "../../contract/timeline.js";
import { partsOfRange } from "../../core/coverage.js";
import { formatRfc3339, US_PER_SEC } from "../../core/instant.js";
import type { Span, TimeRange } from "../../core/span.js";
import { readCodecs, readCoverage, readDays, readTimeline } from "../../playback/timeline.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Route } from "../route.js";

export function timelineRoutes(deps: HttpDeps): Route[] {
  return [timelineRoute(deps), daysRoute(deps)];
}

function timelineRoute({ catalog, transcoder }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/timeline",
    access: "viewer",
    scope: ({ query: { path: paths, from: fromUs, to: toUs } }) =>
      paths.map((path) => ({ path, range: { fromUs, toUs } })),
    tag: "playback",
    summary: "Footage and gaps of paths, each gap with its cause",
    description:
      "From rows alone, never from files. Recordings that join and whose copies are in the same places are one span; " +
      "400 when a range holds more than 20000 of them. With resolution: how much of each bucket is there, no spans.",
    query: timelineQuerySchema,
    responses: { 200: { description: "The timeline", schema: timelineSchema } },
    handler: async ({ query: { path: names, from: fromUs, to: toUs, resolution } }) => {
      const paths = [];
      for (const path of new Set(names)) {
        const request: PathRange = { path, fromUs, toUs };
        const codecs = await readCodecs(catalog, request);
        const content =
          resolution === undefined
            ? { spans: (await readTimeline(catalog, request)).map(spanView) }
            : { spans: [], buckets: await bucketsOf(catalog, request, resolution) };
        const events = await listPathEvents(catalog, { ...request, limit: MOST_EVENTS });
        paths.push({ path, codecs, ...content, holds: [], events: events.map(eventView) });
      }
      const transcoding = transcoder === null ? [] : ["h264"];
      return json({ ...rangeView({ fromUs, toUs }), transcoding, paths });
    },
  });
}

async function bucketsOf(catalog: HttpDeps["catalog"], request: PathRange, resolutionSec: number) {
  const coverage = await readCoverage(catalog, request, partsOfRange(request, resolutionSec * US_PER_SEC));
  return coverage.map(({ footageUs, cause, fromUs, toUs }) => ({
    ...rangeView({ fromUs, toUs }),
    coverage: footageUs / (toUs - fromUs),
    cause,
  }));
}

function daysRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/days",
    access: "viewer",
    scope: ({ query: { path } }) => [{ path }],
    tag: "playback",
    summary: "The days of a month on which a path has footage",
    description: "Days begin and end as the zone says, so one may have 23 or 25 hours. From rows alone.",
    query: daysQuerySchema,
    responses: { 200: { description: "Days with footage, in order", schema: daysSchema } },
    handler: async ({ query }) => json({ ...query, days: await readDays(catalog, query) }),
  });
}

function eventView({ atUs, kind, sourceType }: PathEvent) {
  return { at: formatRfc3339(atUs), kind, source: sourceType };
}

function rangeView({ fromUs, toUs }: TimeRange) {
  return { from: formatRfc3339(fromUs), to: formatRfc3339(toUs) };
}

function spanView(span: Span) {
  return span.kind === "footage"
    ? { ...rangeView(span), kind: span.kind, where: span.where }
    : { ...rangeView(span), kind: span.kind, cause: span.cause };
}
