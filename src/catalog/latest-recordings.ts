/** The last recording of each path, by skipping from path to path through the clustered key, never by a full scan. */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { PathScopes } from "../core/principal.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { type RawRows, rowsOf } from "./dialect.js";
import { inScopes } from "./path-scope.js";

export interface LatestRecording {
  readonly path: PathName;
  readonly startUs: number;
  readonly endUs: number;
}

/** A "loose index scan": each name is looked up from the one before. One statement for hundreds of paths. */
const STATEMENT = `with recursive
  names (path) as (
    select min(path) from recordings
    union all
    select (select min(recordings.path) from recordings where recordings.path > names.path) from names
      where names.path is not null
  ),
  latest (path, start_us) as (
    select path, (select max(start_us) from recordings where recordings.path = names.path) from names
      where path is not null
  )
  select path, start_us, (
      select max(end_us) from recordings where recordings.path = latest.path and recordings.start_us = latest.start_us
    ) as end_us
    from latest`;

const NAMES = `with recursive
  names (path) as (
    select min(path) from recordings
    union all
    select (select min(recordings.path) from recordings where recordings.path > names.path) from names
      where names.path is not null
  )
  select path from names where path is not null`;

/** All paths that have recordings and are open to these scopes, in order of their names. */
export function listRecordedPaths({ readDb: db }: Catalog, scopes: PathScopes): Promise<PathName[]> {
  return translating("list the paths that have recordings", async () => {
    const query = db.select("path").from(db.raw(`(${NAMES}) as named`)) as Knex.QueryBuilder;
    const rows = (await inScopes(query, "path", scopes)) as { path: PathName }[];
    return rows.map(({ path }) => path).sort();
  });
}

/** In order of their names. */
export function listLatestRecordings(catalog: Catalog): Promise<LatestRecording[]> {
  return translating("list the last recording of each path", async () => {
    const rows = rowsOf((await catalog.readDb.raw(STATEMENT)) as RawRows<Row>);
    return rows.map(({ path, start_us: startUs, end_us: endUs }) => ({
      path,
      startUs: Number(startUs),
      endUs: Number(endUs),
    }));
  });
}

interface Row {
  readonly path: PathName;
  readonly start_us: number | string;
  readonly end_us: number | string;
}
