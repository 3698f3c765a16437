/**
 * What playback reads of a range: rows whose bytes are somewhere, in order, with their fragment indexes. Without zod, as
 * the lists: a day of 10 s segments has 8,640 rows.
 */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId, Track } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { dialectOf } from "./dialect.js";
import { LONGEST_RECORDING_US } from "./recording-lists.js";
import { createTracksParser, positionOf } from "./recording-row.js";

/** What a playlist says of a recording. */
export type ListableRecording = Pick<
  Recording,
  | "id"
  | "path"
  | "format"
  | "startUs"
  | "endUs"
  | "mediaDurationUs"
  | "filePath"
  | "bytes"
  | "tracks"
  | "local"
  | "step"
> & {
  /** Another one after each inspection and each move; only an index that was missing may come without. */
  readonly updatedAtUs: number;
  /** For media/fragment-index-codec.ts; null for what is not inspected yet, and for MPEG-TS that cannot be cut. */
  readonly fragmentIndex: Uint8Array | null;
};

export type PlayableRecording = ListableRecording &
  Pick<Recording, "fileIdentity" | "position" | "partial" | "archive" | "objectKey" | "sha256">;

export interface PlayableRange {
  readonly path: PathName;
  /** Recordings that overlap [fromUs, toUs). */
  readonly fromUs: number;
  readonly toUs: number;
}

const LISTABLE_COLUMNS = [
  ...["id", "format", "start_us", "end_us", "media_duration_us", "file_path"],
  ...["bytes", "tracks", "local", "step", "updated_at_us"],
] as const;
export const PLAYABLE_COLUMNS = [
  ...LISTABLE_COLUMNS,
  ...["file_identity", "stream_id", "segment_number", "partial", "archive", "object_key", "sha256"],
] as const;

/** PostgreSQL's bigint may come as text. */
type Bigint = number | string;

/** In the order of LISTABLE_COLUMNS. */
type ListableFacts = [
  ...[RecordingId, Recording["format"], number, number, number | null, string, number, string],
  ...[Recording["local"], Recording["step"], number],
];

interface ListableRow {
  readonly id: RecordingId;
  readonly format: Recording["format"];
  readonly start_us: Bigint;
  readonly end_us: Bigint;
  readonly media_duration_us: Bigint | null;
  readonly file_path: string;
  readonly bytes: Bigint;
  readonly tracks: string;
  readonly local: Recording["local"];
  readonly step: Recording["step"];
  readonly updated_at_us: Bigint;
  readonly data: Uint8Array | null;
}

export interface PlayableRow extends ListableRow {
  readonly file_identity: string | null;
  readonly stream_id: string | null;
  readonly segment_number: Bigint | null;
  readonly partial: boolean | number;
  readonly archive: Recording["archive"];
  readonly object_key: string | null;
  readonly sha256: string | null;
}

/** Oldest first; also the file that is still being written. */
export function findPlayable(catalog: Catalog, range: PlayableRange): Promise<PlayableRecording[]> {
  return translating("find what can be played", async () => {
    const rows = (await playableIn(catalog, range).select([...PLAYABLE_COLUMNS, "data"])) as PlayableRow[];
    const tracksOf = createTracksParser();
    return rows.map((row) => toPlayable(range.path, row, tracksOf));
  });
}

/**
 * The same, and of each no more than a playlist says, but for the index as one text: of a day the values are what costs
 * (see listed-recording.ts).
 */
export function findListable(catalog: Catalog, range: PlayableRange): Promise<ListableRecording[]> {
  return translating("find what a playlist can name", async () => {
    const facts = catalog.readDb.raw(`${jsonArray(catalog, LISTABLE_COLUMNS)} as facts`);
    const rows = (await playableIn(catalog, range).select(facts, "data")) as {
      facts: string;
      data: Uint8Array | null;
    }[];
    const tracksOf = createTracksParser();
    return rows.map(({ facts: text, data }) => {
      const [id, format, startUs, endUs, mediaDurationUs, filePath, bytes, tracks, local, step, updatedAtUs] =
        JSON.parse(text) as ListableFacts;
      // Written out: of thousands of rows, copies by spreading are what costs then.
      return {
        id,
        path: range.path,
        format,
        startUs,
        endUs,
        mediaDurationUs,
        filePath,
        bytes,
        tracks: tracksOf(tracks),
        local,
        step,
        updatedAtUs,
        fragmentIndex: data,
      };
    });
  });
}

function jsonArray({ readDb }: Catalog, columns: readonly string[]): string {
  const values = columns.join(", ");
  return dialectOf(readDb) === "sqlite" ? `json_array(${values})` : `json_build_array(${values})::text`;
}

/** Of each that `findListable` would find no more than says whether it is as it was. */
export type ListedRow = Pick<ListableRecording, "id" | "startUs" | "updatedAtUs">;

/** In their order. */
export function listListable(catalog: Catalog, range: PlayableRange): Promise<ListedRow[]> {
  return translating("list what a playlist can name", async () => {
    const facts = catalog.readDb.raw(`${jsonArray(catalog, ["id", "start_us", "updated_at_us"])} as facts`);
    const rows = (await rowsIn(catalog, range).select(facts)) as { facts: string }[];
    return rows.map(({ facts: text }) => {
      const [id, startUs, updatedAtUs] = JSON.parse(text) as [RecordingId, number, number];
      return { id, startUs, updatedAtUs };
    });
  });
}

function playableIn(catalog: Catalog, range: PlayableRange): Knex.QueryBuilder {
  return rowsIn(catalog, range).leftJoin("fragment_indexes", "fragment_indexes.recording_id", "recordings.id");
}

function rowsIn({ readDb: db }: Catalog, { path, fromUs, toUs }: PlayableRange): Knex.QueryBuilder {
  return (
    (db("recordings") as Knex.QueryBuilder)
      .where("path", path)
      .andWhere("start_us", ">=", fromUs - LONGEST_RECORDING_US)
      .andWhere("start_us", "<", toUs)
      // Until it was looked into, a recording has no end that could be compared.
      .andWhereRaw("(end_us > ? or start_us >= ? or local = 'open' or media_duration_us is null)", [fromUs, fromUs])
      .andWhereRaw("(local in ('open', 'present') or archive = 'verified')")
      .orderBy([{ column: "start_us" }, { column: "id" }])
  );
}

function toListable(path: PathName, row: ListableRow, tracksOf: (text: string) => readonly Track[]): ListableRecording {
  return {
    id: row.id,
    path,
    format: row.format,
    startUs: Number(row.start_us),
    endUs: Number(row.end_us),
    mediaDurationUs: row.media_duration_us === null ? null : Number(row.media_duration_us),
    filePath: row.file_path,
    bytes: Number(row.bytes),
    tracks: tracksOf(row.tracks),
    local: row.local,
    step: row.step,
    updatedAtUs: Number(row.updated_at_us),
    fragmentIndex: row.data,
  };
}

export function toPlayable(
  path: PathName,
  row: PlayableRow,
  tracksOf: (text: string) => readonly Track[],
): PlayableRecording {
  return {
    ...toListable(path, row, tracksOf),
    fileIdentity: row.file_identity,
    position: positionOf(row),
    partial: Boolean(row.partial),
    archive: row.archive,
    objectKey: row.object_key,
    sha256: row.sha256,
  };
}
