/**
 * Transactions that read before they write. Left alone, SQLite would begin such a one as a reader and fail at its
 * first write, without waiting, when another process wrote in between; PostgreSQL would let two of them each miss what
 * the other inserts. So the write lock is taken at once (see sqlite-client.ts), in PostgreSQL one lock for each path whose
 * timeline changes.
 */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { Catalog } from "./catalog.js";
import { type Database, SQLITE_ACQUIRE_TIMEOUT_MS } from "./database.js";
import { dialectOf } from "./dialect.js";
import { inTransaction } from "./transaction.js";
import { type Urgency, WriteLine } from "./write-line.js";

type Work<T> = (trx: Knex.Transaction) => Promise<T>;

/** Throws `unavailable` when the lock does not come in time. */
export function inWriteTransaction<T>(catalog: Catalog, paths: readonly PathName[], work: Work<T>): Promise<T> {
  return begin(catalog, { paths, urgency: "other" }, work);
}

/** The same for what a hook waits for: it is the next one. */
export function inHookTransaction<T>(catalog: Catalog, paths: readonly PathName[], work: Work<T>): Promise<T> {
  return begin(catalog, { paths, urgency: "hook" }, work);
}

function begin<T>(
  { db }: Catalog,
  { paths, urgency }: { readonly paths: readonly PathName[]; readonly urgency: Urgency },
  work: Work<T>,
): Promise<T> {
  if (dialectOf(db) === "sqlite") return lineOf(db).run(urgency, () => inTransaction(db, work));
  return inTransaction(db, async (trx) => {
    // In one order for all, so that two transactions never wait for each other.
    for (const path of [...new Set(paths)].sort()) {
      await trx.raw("select pg_advisory_xact_lock(hashtextextended(?, 0))", [path]);
    }
    return work(trx);
  });
}

const lines = new WeakMap<Database, WriteLine>();

/** SQLite has one connection that writes. */
function lineOf(db: Database): WriteLine {
  const known = lines.get(db);
  if (known !== undefined) return known;
  const created = new WriteLine(SQLITE_ACQUIRE_TIMEOUT_MS);
  lines.set(db, created);
  return created;
}
