/** What can be played around one instant: what covers it, else what is nearest on either side. */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { RecordingId } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { PLAYABLE_COLUMNS, type PlayableRecording, type PlayableRow, toPlayable } from "./playable-recordings.js";
import { createTracksParser } from "./recording-row.js";

export interface PlayableNeighbours {
  /** Those that begin at or before the instant, the latest first; at most four. */
  readonly before: readonly PlayableRecording[];
  /** The first that begins after it. */
  readonly after: PlayableRecording | undefined;
}

/** Rows of one instant may overlap, when a clock stepped or two servers recorded one path. */
const LOOKED_AT = 4;

/** `atUs` null: the end of time. */
export function findPlayableAround(catalog: Catalog, path: PathName, atUs: number | null): Promise<PlayableNeighbours> {
  return translating("find what can be played around an instant", async () => {
    const latest = playableOf(catalog, { path }).orderBy("start_us", "desc").limit(LOOKED_AT);
    if (atUs !== null) void latest.andWhere("start_us", "<=", atUs);
    const tracksOf = createTracksParser();
    const before = ((await latest) as PlayableRow[]).map((row) => toPlayable(path, row, tracksOf));
    if (atUs === null) return { before, after: undefined };
    const next = playableOf(catalog, { path }).andWhere("start_us", ">", atUs).orderBy("start_us").limit(1);
    const [after] = ((await next) as PlayableRow[]).map((row) => toPlayable(path, row, tracksOf));
    return { before, after };
  });
}

/** Undefined: there is none of this id, or nothing of it can be played. */
export function findPlayableById(catalog: Catalog, id: RecordingId): Promise<PlayableRecording | undefined> {
  return translating("find what can be played of a recording", async () => {
    const rows = (await playableOf(catalog, { id }).select("path")) as (PlayableRow & { path: PathName })[];
    return rows.map((row) => toPlayable(row.path, row, createTracksParser()))[0];
  });
}

function playableOf({ readDb: db }: Catalog, which: { readonly path: PathName } | { readonly id: RecordingId }) {
  const query = db("recordings") as Knex.QueryBuilder;
  return query
    .leftJoin("fragment_indexes", "fragment_indexes.recording_id", "recordings.id")
    .where(which)
    .andWhereRaw("(local in ('open', 'present') or archive = 'verified')")
    .select([...PLAYABLE_COLUMNS, "data"]);
}
