import type { Knex } from "knex";

/**
 * A transaction that fails with its own error. After a full disk SQLite has rolled back by itself; the driver's
 * rollback then fails, and knex would tell that instead.
 */
export async function inTransaction<T>(db: Knex, work: (trx: Knex.Transaction) => Promise<T>): Promise<T> {
  const failures: unknown[] = [];
  try {
    return await db.transaction(async (trx) => {
      // Its begin failed, and knex goes on all the same; it tells that error when we are back.
      if (trx.isCompleted()) return undefined as never;
      try {
        return await work(trx);
      } catch (error) {
        failures.push(error);
        throw error;
      }
    });
  } catch (error) {
    throw failures[0] ?? error;
  }
}
