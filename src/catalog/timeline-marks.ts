/**
 * The marks of a timeline: recordings that do not join the one before, and recordings whose copies stand otherwise than
 * those of the one before. Both come from indexes that hold little else, so that a month costs a few rows and not its
 * forty thousand.
 */
import type { Knex } from "knex";

import { COPY_STATES, type CopyState } from "../core/copy-state.js";
import type { PathName } from "../core/path-name.js";
import type { TimeRange } from "../core/span.js";
import type { Mark, TimelineFacts } from "../core/timeline.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { type Dialect, dialectOf, type RawRows, rowsOf } from "./dialect.js";

export interface PathRange extends TimeRange {
  readonly path: PathName;
}

export interface MarksRequest extends PathRange {
  /** More marks than this are not read. */
  readonly limit: number;
}

export interface FoundMarks extends Pick<TimelineFacts, "marks" | "last"> {
  /** There are more than the limit; what was found ends somewhere. */
  readonly isCut: boolean;
  /** The machine that recorded last; undefined when nothing was. */
  readonly nodeId: string | undefined;
}

/** Word for word the expression of the index `recordings_copy_state`; null for what counts as no recording. */
const COPY_STATE = `(case
  when local = 'quarantined' or (local = 'missing' and archive = 'none' and file_identity is null) then null
  when local = 'open' then 0
  when local = 'present' and step = 'inspect' and end_us = start_us then 1
  when local = 'present' and archive = 'verified' then 2
  when local = 'present' then 3
  when archive = 'verified' then 4
  when archive = 'expired' then 5
  when local = 'deleted' or local = 'trashed' or archive = 'deleted' then 6
  else 7 end)`;
/** In other words, so that the walk by start is not taken for one by state. */
const COUNTS = `local <> 'quarantined' and not (local = 'missing' and archive = 'none' and file_identity is null)`;
/** Word for word the condition of the index `recordings_run_starts`. */
const BEGINS_A_RUN = "(gap_before_us is null or gap_before_us > 0)";
const COLUMNS = `start_us, end_us, gap_before_us, updated_at_us, node_id, ${COPY_STATE} as copy_state`;
/** So many rows at a time, so that others get their turn. */
const PAGE = 5_000;
/** Whoever begins so often does not change its tracks each time. */
const MOST_RUNS = 20_000;
/** A state of no recording: whatever comes first is another one. */
const NO_STATE = COPY_STATES.length;
const UNFINISHED: readonly CopyState[] = ["open", "pending"];

interface Row {
  readonly start_us: number;
  readonly end_us: number;
  readonly gap_before_us: number | null;
  readonly updated_at_us: number;
  readonly node_id: string;
  readonly copy_state: number;
}

export function findMarks(catalog: Catalog, request: MarksRequest): Promise<FoundMarks> {
  return translating("find the marks of a timeline", async () => {
    const { path, fromUs, toUs, limit } = request;
    const { readDb: db } = catalog;
    const [before] = await nearest(db, path, { order: "desc", bound: ["<=", fromUs] });
    const [last] = await nearest(db, path, { order: "desc", bound: ["<", toUs] });
    const [after] = await nearest(db, path, { order: "asc", bound: [">=", toUs] });
    const afterUs = before?.start_us ?? Math.max(0, fromUs - 1);
    const runStarts = await findRunStarts(db, { ...request, fromUs: afterUs });
    const changes = await findStateChanges(db, { ...request, fromUs: afterUs }, before?.copy_state ?? NO_STATE);
    const unfinished = await findUnfinished(db, { ...request, fromUs: afterUs });
    const inside = oneForEachStart([...runStarts, ...changes, ...unfinished]);
    return {
      marks: [before, ...inside.slice(0, limit), after].filter((row) => row !== undefined).map(toMark),
      last: last === undefined ? undefined : { endUs: last.end_us, seenAtUs: last.updated_at_us },
      isCut: inside.length > limit,
      nodeId: last?.node_id,
    };
  });
}

/** Codecs by the recordings that begin runs: MediaMTX begins a new one when the tracks change. */
export function findTracksOfRuns(catalog: Catalog, { path, fromUs, toUs }: PathRange): Promise<string[]> {
  return translating("find the tracks of a timeline", async () => {
    const { readDb: db } = catalog;
    const [before] = await nearest(db, path, { order: "desc", bound: ["<=", fromUs] });
    const first = db("recordings")
      .where({ path, start_us: before?.start_us ?? fromUs })
      .select("tracks");
    const runs = runStarts(db, { path, fromUs, toUs }).orderBy("start_us").limit(MOST_RUNS).select("tracks");
    const rows = [
      ...((await first) as { tracks: string }[]),
      ...((await db(runs.as("runs")).distinct("tracks")) as { tracks: string }[]),
    ];
    return [...new Set(rows.map(({ tracks }) => tracks))];
  });
}

interface Nearest {
  readonly order: "asc" | "desc";
  readonly bound: readonly ["<" | "<=" | ">=", number];
}

async function nearest(db: Knex, path: PathName, { order, bound: [comparison, us] }: Nearest): Promise<Row[]> {
  const query = db("recordings")
    .where({ path })
    .andWhere("start_us", comparison, us)
    .whereRaw(COUNTS)
    .orderBy([
      { column: "start_us", order },
      { column: "id", order },
    ])
    .limit(1)
    .select(db.raw(COLUMNS));
  return (await query) as Row[];
}

async function findRunStarts(db: Knex, { path, fromUs, toUs, limit }: MarksRequest): Promise<Row[]> {
  const found: Row[] = [];
  for (let doneUs = fromUs; found.length <= limit;) {
    const page = (await runStarts(db, { path, fromUs: doneUs + 1, toUs })
      .orderBy("start_us")
      .limit(PAGE)
      .select(db.raw(COLUMNS))) as (Omit<Row, "copy_state"> & { readonly copy_state: number | null })[];
    // What is no media, and what only a hook spoke of, has no state.
    found.push(...page.filter((row): row is Row => row.copy_state !== null));
    doneUs = page.at(-1)?.start_us ?? doneUs;
    if (page.length < PAGE) break;
  }
  return found;
}

function runStarts(db: Knex, { path, fromUs, toUs }: PathRange): Knex.QueryBuilder {
  return from(db, "recordings_run_starts")
    .where({ path })
    .andWhere("start_us", ">=", fromUs)
    .andWhere("start_us", "<", toUs)
    .whereRaw(BEGINS_A_RUN);
}

function from(db: Knex, index: string): Knex.QueryBuilder {
  return db(db.raw(tableBy(index, dialectOf(db))) as unknown as string);
}

/** SQLite has to be told that the index of few rows is better than the one that all rows lie in. */
function tableBy(index: string, dialect: Dialect): string {
  return dialect === "sqlite" ? `recordings indexed by ${index}` : "recordings";
}

/** Open and pending ones: each has an end of its own that no row knows yet. */
async function findUnfinished(db: Knex, { path, fromUs, toUs, limit }: MarksRequest): Promise<Row[]> {
  const found: Row[] = [];
  for (const state of UNFINISHED) {
    const query = from(db, "recordings_copy_state")
      .where({ path })
      .whereRaw(`${COPY_STATE} = ${String(COPY_STATES.indexOf(state))}`)
      .andWhere("start_us", ">", fromUs)
      .andWhere("start_us", "<", toUs)
      .limit(limit + 1)
      .select(db.raw(COLUMNS));
    found.push(...((await query) as Row[]));
  }
  return found;
}

/** From state to state: each step asks the index for the first recording of any other state. */
async function findStateChanges(
  db: Knex,
  { path, fromUs, toUs, limit }: MarksRequest,
  stateBefore: number,
): Promise<Row[]> {
  const found: Row[] = [];
  let [atUs, state] = [fromUs, stateBefore];
  while (found.length <= limit) {
    const bindings = [atUs, state, ...COPY_STATES.flatMap(() => [path, toUs]), PAGE, path];
    const answer = rowsOf((await db.raw(stateChanges(dialectOf(db)), bindings)) as RawRows<Row>);
    const page = [...answer].sort((left, right) => left.start_us - right.start_us);
    found.push(...page);
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE) break;
    [atUs, state] = [end.start_us, end.copy_state];
  }
  return found;
}

/**
 * A mark is one number, start and state together: the least of several is the first in time. Only 16 fits above 8
 * states and "none".
 */
const stateChanges = (dialect: Dialect) => `with recursive mark(place, steps) as (
    select cast(? as bigint) * 16 + cast(? as bigint), 0
    union all
    select (select min(place) from (
        ${COPY_STATES.map(
          (
            _,
            code,
          ) => `select min(start_us) * 16 + ${String(code)} as place from ${tableBy("recordings_copy_state", dialect)}
            where path = ? and ${COPY_STATE} = ${String(code)} and start_us > mark.place / 16 and start_us < ?
              and mark.place % 16 <> ${String(code)}`,
        ).join(" union all ")}
      ) as others), mark.steps + 1
    from mark where mark.place is not null and mark.steps < ?
  )
  select ${COLUMNS} from mark cross join recordings
    where mark.steps > 0 and recordings.path = ? and recordings.start_us = mark.place / 16
      and ${COPY_STATE} = mark.place % 16`;

/** Of several recordings that begin at one instant, that in the first state stands for all. */
function oneForEachStart(rows: readonly Row[]): Row[] {
  const first = new Map<number, Row>();
  for (const row of rows) {
    const known = first.get(row.start_us);
    if (known === undefined || row.copy_state < known.copy_state) first.set(row.start_us, row);
  }
  return [...first.values()].sort((left, right) => left.start_us - right.start_us);
}

function toMark(row: Row): Mark {
  return {
    startUs: row.start_us,
    gapBeforeUs: row.gap_before_us,
    state: stateOf(row.copy_state),
    seenAtUs: row.updated_at_us,
  };
}

function stateOf(code: number): CopyState {
  return COPY_STATES[code] ?? "gone";
}
