/**
 * What a list shows of a row, read as one JSON text per row: the drivers spend more on tens of thousands of small values
 * than the database on finding them (half of the time for a day of one path).
 */
import type { Knex } from "knex";
import { z } from "zod";

import type { PathName } from "../core/path-name.js";
import { ARCHIVE_STATES, LOCAL_STATES, type Recording, type RecordingId, type Track } from "../core/recording.js";
import { dialectOf } from "./dialect.js";
import { parseTracks } from "./recording-row.js";

/** Without what concerns only the queue and the proof. */
export type ListedRecording = Omit<
  Recording,
  | "nodeId"
  | "fileIdentity"
  | "md5"
  | "uploadId"
  | "step"
  | "priority"
  | "attempts"
  | "nextAttemptAtUs"
  | "leaseOwner"
  | "origin"
  | "createdAtUs"
  | "updatedAtUs"
>;

const integer = z.number().int();

const schema = z.object({
  id: z.string(),
  path: z.string(),
  format: z.enum(["fmp4", "mpegts"]),
  start_us: integer,
  end_us: integer,
  media_duration_us: integer.nullable(),
  file_path: z.string(),
  bytes: integer,
  tracks: z.string(),
  stream_id: z.string().nullable(),
  segment_number: integer.nullable(),
  partial: z.union([z.boolean(), z.number()]),
  gap_before_us: integer.nullable(),
  missing_before: integer,
  local: z.enum(LOCAL_STATES),
  archive: z.enum(ARCHIVE_STATES),
  object_key: z.string().nullable(),
  sha256: z.string().nullable(),
  verified_at_us: integer.nullable(),
  error: z.string().nullable(),
});

/** The two columns that pages are ordered by, and `facts`. */
export function listedColumns(db: Knex): (string | Knex.Raw)[] {
  const pairs = Object.keys(schema.shape).map((column) => `'${column}', ${column}`);
  const facts =
    dialectOf(db) === "sqlite" ? `json_object(${pairs.join(", ")})` : `json_build_object(${pairs.join(", ")})::text`;
  return ["start_us", "id", db.raw(`${facts} as facts`)];
}

export function listedFromRows(rows: readonly { readonly facts: string }[]): ListedRecording[] {
  // Cameras seldom change what they send: on one page the same text comes again and again.
  const tracksByText = new Map<string, readonly Track[]>();
  const tracksOf = (text: string): readonly Track[] => {
    const tracks = tracksByText.get(text) ?? parseTracks(text);
    tracksByText.set(text, tracks);
    return tracks;
  };
  return rows.map(({ facts }) => {
    const row = schema.parse(JSON.parse(facts));
    const { stream_id: streamId, segment_number: segmentNumber } = row;
    return {
      id: row.id as RecordingId,
      path: row.path as PathName,
      format: row.format,
      startUs: row.start_us,
      endUs: row.end_us,
      mediaDurationUs: row.media_duration_us,
      filePath: row.file_path,
      bytes: row.bytes,
      tracks: tracksOf(row.tracks),
      position: streamId === null || segmentNumber === null ? null : { streamId, segmentNumber },
      partial: Boolean(row.partial),
      gapBeforeUs: row.gap_before_us,
      missingBefore: row.missing_before,
      local: row.local,
      archive: row.archive,
      objectKey: row.object_key,
      sha256: row.sha256,
      verifiedAtUs: row.verified_at_us,
      error: row.error,
    };
  });
}
