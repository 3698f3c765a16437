/**
 * Transactions that read before they write. Left alone, SQLite would begin such a one as a reader and fail at its
 * first write, without waiting, when another process wrote in between; PostgreSQL would let two of them each miss what
 * the other inserts. So the write lock is taken at once, in PostgreSQL one lock for each path whose timeline changes.
 */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { Catalog } from "./catalog.js";
import { dialectOf } from "./dialect.js";
import { inTransaction } from "./transaction.js";

export function inWriteTransaction<T>(
  catalog: Catalog,
  paths: readonly PathName[],
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return inTransaction(catalog.db, async (trx) => {
    // SQLite's begin so; see sqlite-client.ts.
    if (dialectOf(catalog.db) === "postgres") {
      // In one order for all, so that two transactions never wait for each other.
      for (const path of [...new Set(paths)].sort()) {
        await trx.raw("select pg_advisory_xact_lock(hashtextextended(?, 0))", [path]);
      }
    }
    return work(trx);
  });
}
