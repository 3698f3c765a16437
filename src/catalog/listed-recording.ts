/**
 * What a list shows of a row, read as one JSON text per row: the drivers spend more on tens of thousands of small values
 * than the database on finding them (half of the time for a day of one path).
 */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId } from "../core/recording.js";
import { dialectOf } from "./dialect.js";
import { createTracksParser, positionOf } from "./recording-row.js";

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

/** As the table's own constraints let them be; checking thousands of rows again would take longer than reading them. */
interface Facts {
  readonly id: RecordingId;
  readonly path: PathName;
  readonly format: Recording["format"];
  readonly start_us: number;
  readonly end_us: number;
  readonly media_duration_us: number | null;
  readonly file_path: string;
  readonly bytes: number;
  readonly tracks: string;
  readonly stream_id: string | null;
  readonly segment_number: number | null;
  readonly partial: boolean | number;
  readonly gap_before_us: number | null;
  readonly missing_before: number;
  readonly local: Recording["local"];
  readonly archive: Recording["archive"];
  readonly object_key: string | null;
  readonly sha256: string | null;
  readonly verified_at_us: number | null;
  readonly error: string | null;
}

const COLUMNS: readonly (keyof Facts)[] = [
  ...(["id", "path", "format", "start_us", "end_us", "media_duration_us", "file_path", "bytes", "tracks"] as const),
  ...(["stream_id", "segment_number", "partial", "gap_before_us", "missing_before", "local", "archive"] as const),
  ...(["object_key", "sha256", "verified_at_us", "error"] as const),
];

/** The two columns that pages are ordered by, and `facts`. */
export function listedColumns(db: Knex): (string | Knex.Raw)[] {
  const pairs = COLUMNS.map((column) => `'${column}', ${column}`);
  const facts =
    dialectOf(db) === "sqlite" ? `json_object(${pairs.join(", ")})` : `json_build_object(${pairs.join(", ")})::text`;
  return ["start_us", "id", db.raw(`${facts} as facts`)];
}

export function listedFromRows(rows: readonly { readonly facts: string }[]): ListedRecording[] {
  const tracksOf = createTracksParser();
  return rows.map(({ facts }) => {
    const row = JSON.parse(facts) as Facts;
    return {
      id: row.id,
      path: row.path,
      format: row.format,
      startUs: row.start_us,
      endUs: row.end_us,
      mediaDurationUs: row.media_duration_us,
      filePath: row.file_path,
      bytes: row.bytes,
      tracks: tracksOf(row.tracks),
      position: positionOf(row),
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
