/** The timeline of paths and the days with footage, as the API shows them. */
import { z } from "zod";

import { isMonth, isTimeZone } from "../core/calendar.js";
import { GAP_CAUSES } from "../core/span.js";
import { instantOut, instantUs, integer, listOf, pathName } from "./scalars.js";

/** A wall of nine, and room for more. */
const MOST_PATHS = 16;
const MOST_BUCKETS = 10_000;
/** Of one path in one answer. */
export const MOST_EVENTS = 1_000;

const cause = z.enum(GAP_CAUSES);

const spanSchema = z
  .discriminatedUnion("kind", [
    z.object({
      from: instantOut,
      to: instantOut,
      kind: z.literal("footage"),
      where: z.enum(["open", "local", "both", "archived"]).meta({
        description: "open: MediaMTX may still write it; local: on disk only; archived: in the store only",
      }),
    }),
    z.object({
      from: instantOut,
      to: instantOut,
      kind: z.literal("gap"),
      cause: cause.meta({
        description:
          "not-indexed: a file is there or was open, and its end is not known yet; unknown: nothing was written down",
      }),
    }),
  ])
  .meta({ id: "TimelineSpan" });

const bucketSchema = z
  .object({
    from: instantOut,
    to: instantOut,
    coverage: z.number().min(0).max(1).meta({ description: "How much of it is footage" }),
    cause: cause
      .nullable()
      .meta({ description: "Of most of what is missing; null: nothing is, or it is still to come" }),
  })
  .meta({ id: "TimelineBucket" });

const eventSchema = z
  .object({
    at: instantOut,
    kind: z.enum(["ready", "not-ready"]).meta({ description: "The source came, or left, as MediaMTX's hooks told it" }),
    source: z
      .string()
      .nullable()
      .meta({ description: "MediaMTX's MTX_SOURCE_TYPE", examples: ["rtspSession"] }),
  })
  .meta({ id: "TimelineEvent" });

export const timelineSchema = z
  .object({
    from: instantOut,
    to: instantOut,
    transcoding: z
      .array(z.enum(["h264"]))
      .meta({ description: "What playlists may ask for by `transcode`; empty: nothing, see TRANSCODING" }),
    paths: z.array(
      z.object({
        path: z.string(),
        codecs: z
          .array(z.string())
          .meta({ description: "RFC 6381 where there is such a string, of all runs of the range; sorted" }),
        spans: z.array(spanSchema).meta({
          description: "In order, without holes, from `from` to `to` or the present; empty with resolution",
        }),
        buckets: z.array(bucketSchema).optional().meta({ description: "Only with resolution" }),
        holds: z.array(z.never()).meta({ description: "Reserved" }),
        events: z.array(eventSchema).meta({
          description: `Of the range, in order; of more than ${String(MOST_EVENTS)} the latest`,
        }),
      }),
    ),
  })
  .meta({ id: "Timeline" });

export const timelineQuerySchema = z
  .strictObject({
    path: listOf(pathName)
      .refine((paths) => paths.length <= MOST_PATHS, { error: `expected at most ${String(MOST_PATHS)} paths` })
      .meta({ description: `Repeat it, or separate by commas; at most ${String(MOST_PATHS)}` }),
    from: instantUs.meta({ description: "Where the timeline begins" }),
    to: instantUs.meta({ description: "Where it ends; what is later than now is no gap" }),
    resolution: integer("seconds of a bucket, 1 to 31622400", [1, 31_622_400]).optional(),
  })
  .superRefine(({ from, to, resolution }, context) => {
    if (from >= to) {
      context.addIssue({ code: "custom", path: ["to"], message: "expected an instant after from" });
      return;
    }
    if (resolution === undefined || (to - from) / (resolution * 1_000_000) <= MOST_BUCKETS) return;
    const message = `expected at most ${String(MOST_BUCKETS)} buckets: a longer resolution or a shorter range`;
    context.addIssue({ code: "custom", path: ["resolution"], message });
  });

export const daysSchema = z
  .object({
    path: z.string(),
    month: z.string(),
    zone: z.string(),
    days: z.array(
      z.object({
        date: z.string().meta({ description: "YYYY-MM-DD in the zone" }),
        footageSec: z.number().meta({ description: "seconds of footage on that day" }),
      }),
    ),
  })
  .meta({ id: "Days" });

export const daysQuerySchema = z.strictObject({
  path: pathName,
  month: z
    .string()
    .max(16)
    .refine(isMonth, { error: "expected a month as YYYY-MM, from 1970-01 on" })
    .meta({ examples: ["2026-11"] }),
  zone: z
    .string()
    .max(64)
    .refine(isTimeZone, { error: "expected an IANA time zone such as Europe/Berlin" })
    .default("UTC")
    .meta({ description: "IANA time zone in which days begin", examples: ["Europe/Berlin"] }),
});
