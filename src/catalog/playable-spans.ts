/** The little that says which recordings can be played when, a page of rows at a time: a camera of a year has half a million. */
import type { Knex } from "knex";

import type { Segment } from "../core/continuity.js";
import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId, Track } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { createTracksParser, positionOf } from "./recording-row.js";

export type PlayableSpan = Segment &
  Pick<Recording, "id" | "format" | "filePath" | "local"> & { readonly tracks: readonly Track[] };

export interface SpanRange {
  readonly path: PathName;
  /** From the last recording that begins at or before it, wherever that ends. */
  readonly fromUs: number;
  /** Recordings that begin before it. */
  readonly toUs: number;
}

interface Row {
  readonly start_us: number | string;
  readonly end_us: number | string;
  readonly id: RecordingId;
  readonly file_path: string;
  readonly local: Recording["local"];
  readonly format: Recording["format"];
  readonly stream_id: string | null;
  readonly segment_number: number | string | null;
  readonly tracks: string;
}

const PAGE = 5_000;

/** Oldest first; without closed ones of which no length is known. An open one may end where it starts. */
export async function* listPlayableSpans(catalog: Catalog, range: SpanRange): AsyncGenerator<PlayableSpan> {
  const tracksOf = createTracksParser();
  const firstUs = (await lastStartUntil(catalog, range)) ?? range.fromUs;
  let after: Row | undefined;
  for (;;) {
    const rows = await pageAfter(catalog, { ...range, fromUs: firstUs }, after);
    for (const row of rows) yield toSpan(row, tracksOf);
    after = rows.at(-1);
    if (rows.length < PAGE) return;
  }
}

function pageAfter({ readDb: db }: Catalog, { path, fromUs, toUs }: SpanRange, after: Row | undefined): Promise<Row[]> {
  return translating("list what can be played", async () => {
    const query = playable(db, path)
      .andWhere("start_us", ">=", after?.start_us ?? fromUs)
      .andWhere("start_us", "<", toUs)
      .orderBy([{ column: "start_us" }, { column: "id" }])
      .limit(PAGE)
      .select(["start_us", "end_us", "id", "file_path", "local", "format", "stream_id", "segment_number", "tracks"]);
    if (after !== undefined) void query.andWhereRaw("(start_us, id) > (?, ?)", [after.start_us, after.id]);
    return (await query) as Row[];
  });
}

function lastStartUntil({ readDb: db }: Catalog, { path, fromUs }: SpanRange): Promise<number | undefined> {
  return translating("find the last that can be played before an instant", async () => {
    const query = playable(db, path).andWhere("start_us", "<=", fromUs).orderBy("start_us", "desc").limit(1);
    const [row] = (await query.select("start_us")) as Pick<Row, "start_us">[];
    return row === undefined ? undefined : Number(row.start_us);
  });
}

function playable(db: Knex, path: PathName): Knex.QueryBuilder {
  return (db("recordings") as Knex.QueryBuilder)
    .where({ path })
    .andWhereRaw("(end_us > start_us or local = 'open')")
    .andWhereRaw("(local in ('open', 'present') or archive = 'verified')");
}

function toSpan(row: Row, tracksOf: (text: string) => readonly Track[]): PlayableSpan {
  return {
    startUs: Number(row.start_us),
    endUs: Number(row.end_us),
    id: row.id,
    filePath: row.file_path,
    local: row.local,
    format: row.format,
    position: positionOf(row),
    tracks: tracksOf(row.tracks),
  };
}
