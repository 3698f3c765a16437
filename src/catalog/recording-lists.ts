/** Recordings as viewers ask for them: by time range, a page at a time, by key and never by offset. */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { ArchiveState, LocalState, RecordingId } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { listedColumns, listedFromRows, type ListedRecording } from "./listed-recording.js";

export interface RecordingFilter {
  /** Any of these; undefined or empty: all. */
  readonly paths?: readonly PathName[];
  /** Recordings that overlap [fromUs, toUs). */
  readonly fromUs?: number;
  readonly toUs?: number;
  readonly local?: readonly LocalState[];
  readonly archive?: readonly ArchiveState[];
}

/** Where a page ended: the next one begins after it. */
export interface PageKey {
  readonly startUs: number;
  readonly id: RecordingId;
}

export interface PageRequest {
  readonly order: "newest" | "oldest";
  /** 1 to 2000. */
  readonly limit: number;
  readonly after?: PageKey;
}

export interface RecordingPage {
  readonly items: readonly ListedRecording[];
  /** Undefined: this was the last page. */
  readonly next: PageKey | undefined;
}

/**
 * MediaMTX lets a segment last 24 h (`mvhd` holds 32-bit milliseconds), plus one GOP: a recording that overlaps an
 * instant began at most this much before it. It bounds the range scan.
 */
export const LONGEST_RECORDING_US = 25 * 3_600 * 1_000_000;
/** SQLite merges at most 500 queries. */
const MOST_MERGED_PATHS = 100;

export function listRecordings(catalog: Catalog, filter: RecordingFilter, page: PageRequest): Promise<RecordingPage> {
  return translating("list recordings", async () => {
    const direction = page.order === "newest" ? "desc" : "asc";
    const query = onePathAfterTheOther(catalog, filter, page)
      .orderBy([
        { column: "start_us", order: direction },
        { column: "id", order: direction },
      ])
      .limit(page.limit + 1);
    const recordings = listedFromRows((await query) as { facts: string }[]);
    const items = recordings.slice(0, page.limit);
    const last = recordings.length > page.limit ? items.at(-1) : undefined;
    return { items, next: last === undefined ? undefined : { startUs: last.startUs, id: last.id } };
  });
}

/** Several paths are several walks of the index, merged; one walk over all of them would have to sort what it finds. */
function onePathAfterTheOther(catalog: Catalog, filter: RecordingFilter, page: PageRequest): Knex.QueryBuilder {
  const paths = [...new Set(filter.paths)];
  const filters = paths.length > MOST_MERGED_PATHS ? [filter] : paths.map((path) => ({ ...filter, paths: [path] }));
  const columns = listedColumns(catalog.readDb);
  const [first = afterKey(filtered(catalog, filter), page).select(columns), ...others] = filters.map((part) =>
    afterKey(filtered(catalog, part), page).select(columns),
  );
  return others.length === 0 ? first : first.unionAll(others);
}

function afterKey(query: Knex.QueryBuilder, { order, after }: PageRequest): Knex.QueryBuilder {
  if (after === undefined) return query;
  const comparison = order === "newest" ? "<" : ">";
  // The plain bound on start_us lets both databases walk the index; the row value settles equal starts.
  return query
    .andWhere("start_us", `${comparison}=`, after.startUs)
    .andWhereRaw(`(start_us, id) ${comparison} (?, ?)`, [after.startUs, after.id]);
}

/** Counts by reading every row in range: for small ranges and on request only. */
export function countRecordings(catalog: Catalog, filter: RecordingFilter): Promise<number> {
  return translating("count recordings", async () => {
    const rows = (await filtered(catalog, filter).count({ total: "*" })) as { total: number | string }[];
    return Number(rows[0]?.total ?? 0);
  });
}

function filtered(catalog: Catalog, filter: RecordingFilter): Knex.QueryBuilder {
  const query = catalog.readDb("recordings") as Knex.QueryBuilder;
  const [only, ...others] = filter.paths ?? [];
  if (others.length < MOST_MERGED_PATHS) {
    if (only !== undefined) query.whereIn("path", [only, ...others]);
  } else if (only !== undefined) {
    // Of so many, the walk in the order of the answer soon finds enough; an index on names would have all of it sorted.
    query.whereRaw(`path || '' in (${["?", ...others.map(() => "?")].join(", ")})`, [only, ...others]);
  }
  if (filter.toUs !== undefined) query.andWhere("start_us", "<", filter.toUs);
  if (filter.fromUs !== undefined) {
    query.andWhere("start_us", ">=", filter.fromUs - LONGEST_RECORDING_US);
    // A recording of unknown length has end = start; it counts where it starts.
    query.andWhereRaw("(end_us > ? or start_us >= ?)", [filter.fromUs, filter.fromUs]);
  }
  const { local = [], archive = [] } = filter;
  if (local.length > 0 || archive.length > 0) {
    query.andWhere((any) => {
      void any.whereIn("local", local).orWhereIn("archive", archive);
    });
  }
  return query;
}
