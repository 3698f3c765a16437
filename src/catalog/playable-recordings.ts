/**
 * What playback reads of a range: rows whose bytes are somewhere, in order, with their fragment indexes. Without zod, as
 * the lists: a day of 10 s segments has 8,640 rows.
 */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId, Track } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { LONGEST_RECORDING_US } from "./recording-lists.js";
import { createTracksParser } from "./recording-row.js";

export type PlayableRecording = Pick<
  Recording,
  | "id"
  | "path"
  | "format"
  | "startUs"
  | "endUs"
  | "mediaDurationUs"
  | "filePath"
  | "fileIdentity"
  | "bytes"
  | "tracks"
  | "position"
  | "partial"
  | "local"
  | "archive"
  | "objectKey"
  | "sha256"
  | "step"
> & {
  /** For media/fragment-index-codec.ts; null for MPEG-TS, and for what is not inspected yet. */
  readonly fragmentIndex: Uint8Array | null;
};

export interface PlayableRange {
  readonly path: PathName;
  /** Recordings that overlap [fromUs, toUs). */
  readonly fromUs: number;
  readonly toUs: number;
}

export const PLAYABLE_COLUMNS = [
  ...["id", "format", "start_us", "end_us", "media_duration_us", "file_path", "file_identity", "bytes", "tracks"],
  ...["stream_id", "segment_number", "partial", "local", "archive", "object_key", "sha256", "step"],
] as const;

/** PostgreSQL's bigint may come as text. */
type Bigint = number | string;

export interface PlayableRow {
  readonly id: RecordingId;
  readonly format: Recording["format"];
  readonly start_us: Bigint;
  readonly end_us: Bigint;
  readonly media_duration_us: Bigint | null;
  readonly file_path: string;
  readonly file_identity: string | null;
  readonly bytes: Bigint;
  readonly tracks: string;
  readonly stream_id: string | null;
  readonly segment_number: Bigint | null;
  readonly partial: boolean | number;
  readonly local: Recording["local"];
  readonly archive: Recording["archive"];
  readonly object_key: string | null;
  readonly sha256: string | null;
  readonly step: Recording["step"];
  readonly data: Uint8Array | null;
}

/** Oldest first; also the file that is still being written. */
export function findPlayable(catalog: Catalog, { path, fromUs, toUs }: PlayableRange): Promise<PlayableRecording[]> {
  return translating("find what can be played", async () => {
    const query = catalog.db("recordings") as Knex.QueryBuilder;
    const rows = (await query
      .leftJoin("fragment_indexes", "fragment_indexes.recording_id", "recordings.id")
      .where("path", path)
      .andWhere("start_us", ">=", fromUs - LONGEST_RECORDING_US)
      .andWhere("start_us", "<", toUs)
      // Until it was looked into, a recording has no end that could be compared.
      .andWhereRaw("(end_us > ? or start_us >= ? or local = 'open' or media_duration_us is null)", [fromUs, fromUs])
      .andWhereRaw("(local in ('open', 'present') or archive = 'verified')")
      .orderBy([{ column: "start_us" }, { column: "id" }])
      .select([...PLAYABLE_COLUMNS, "data"])) as PlayableRow[];
    const tracksOf = createTracksParser();
    return rows.map((row) => toPlayable(path, row, tracksOf));
  });
}

export function toPlayable(
  path: PathName,
  row: PlayableRow,
  tracksOf: (text: string) => readonly Track[],
): PlayableRecording {
  const { stream_id: streamId, segment_number: segmentNumber } = row;
  return {
    id: row.id,
    path,
    format: row.format,
    startUs: Number(row.start_us),
    endUs: Number(row.end_us),
    mediaDurationUs: row.media_duration_us === null ? null : Number(row.media_duration_us),
    filePath: row.file_path,
    fileIdentity: row.file_identity,
    bytes: Number(row.bytes),
    tracks: tracksOf(row.tracks),
    position: streamId === null || segmentNumber === null ? null : { streamId, segmentNumber: Number(segmentNumber) },
    partial: Boolean(row.partial),
    local: row.local,
    archive: row.archive,
    objectKey: row.object_key,
    sha256: row.sha256,
    step: row.step,
    fragmentIndex: row.data,
  };
}
