/** Recordings as the API shows them. */
import { z } from "zod";

import { ARCHIVE_STATES, LOCAL_STATES } from "../core/recording.js";
import { flag, instantOut, instantUs, integer, listOf, pathName, uuid } from "./scalars.js";

const recordingStates = [...new Set([...LOCAL_STATES, ...ARCHIVE_STATES])] as const;

const trackSchema = z.object({
  kind: z.enum(["video", "audio", "other"]),
  codec: z.string().meta({ description: "RFC 6381 where there is such a string" }),
  width: z.number().optional().meta({ description: "pixels" }),
  height: z.number().optional().meta({ description: "pixels" }),
  frameRate: z.number().nullable().optional().meta({ description: "frames per second, mean; null when unknown" }),
  sampleRate: z.number().optional().meta({ description: "hertz" }),
  channels: z.number().optional(),
});

export const recordingSchema = z
  .object({
    id: uuid,
    path: z.string(),
    startAt: instantOut.meta({ description: "Wall clock of the first sample: mtxi box, else file name" }),
    endAt: instantOut,
    durationSec: z.number().meta({ description: "Wall clock length in seconds; 0 while unknown" }),
    mediaDurationSec: z.number().nullable().meta({ description: "By the sample tables; null while unknown" }),
    bytes: z.number(),
    format: z.enum(["fmp4", "mpegts"]),
    tracks: z.array(trackSchema),
    partial: z.boolean().meta({ description: "Torn or never finalised: only whole fragments count" }),
    gapBeforeSec: z
      .number()
      .nullable()
      .meta({ description: "Missing before it; 0 continuous, null nothing known before" }),
    missingBefore: z.number().meta({ description: "Segments that MediaMTX numbered and nobody has" }),
    streamId: z.string().nullable(),
    segmentNumber: z.number().nullable(),
    local: z.enum(LOCAL_STATES),
    archive: z.enum(ARCHIVE_STATES),
    filePath: z.string().meta({ description: "Below the record directory" }),
    objectKey: z.string().nullable(),
    publicUrl: z.string().nullable().meta({ description: "Of a proven copy in a bucket that has a public address" }),
    sha256: z.string().nullable().meta({ description: "hex" }),
    verifiedAt: instantOut.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "Recording" });

export const recordingPageSchema = z
  .object({
    items: z.array(recordingSchema),
    nextCursor: z.string().nullable().meta({ description: "Give it as cursor for the next page; null: the last page" }),
    total: z.number().optional().meta({ description: "Only with total=true" }),
  })
  .meta({ id: "RecordingPage" });

export const recordingQuerySchema = z.strictObject({
  path: listOf(pathName).optional().meta({ description: "Repeat it, or separate by commas" }),
  from: instantUs.optional().meta({ description: "Recordings that end after it" }),
  to: instantUs.optional().meta({ description: "Recordings that begin before it" }),
  state: listOf(z.enum(recordingStates))
    .optional()
    .meta({ description: "Any state of the local or the archived copy" }),
  order: z.enum(["newest", "oldest"]).default("newest"),
  limit: integer("1 to 2000", [1, 2_000]).default(100),
  cursor: z.string().max(200).optional(),
  total: flag.default(false).meta({ description: "Count all that match; reads every row in range" }),
});

export type RecordingView = z.infer<typeof recordingSchema>;
