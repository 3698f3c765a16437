/** What every query of this folder takes first: the open database, and who is asking. */
import type { Clock } from "../platform/clock.js";
import { type Database, type DatabaseTarget, openDatabase, openSqliteReader } from "./database.js";
import type { Sealing } from "./sealing.js";

export interface Catalog {
  readonly db: Database;
  /**
   * For what viewers ask: SQLite answers it beside the connection that writes, which hooks would else share with all of
   * them. Sees what is committed, so never within a transaction. PostgreSQL has one pool for both.
   */
  readonly readDb: Database;
  readonly clock: Clock;
  /** The machine whose files a row speaks of. */
  readonly nodeId: string;
  /** What is secret in rows, and how it is kept. */
  readonly sealing: Sealing;
}

export interface OpenCatalogOptions {
  readonly target: DatabaseTarget;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly sealing: Sealing;
}

/** Opens and migrates. Throws `failed-precondition` for a database of a newer Reelkeeper. */
export async function openCatalog({ target, ...rest }: OpenCatalogOptions): Promise<Catalog> {
  const db = await openDatabase(target, rest.clock);
  return { db, readDb: target.kind === "sqlite" ? openSqliteReader(target.file) : db, ...rest };
}

export async function closeCatalog(catalog: Catalog): Promise<void> {
  if (catalog.readDb !== catalog.db) await catalog.readDb.destroy();
  await catalog.db.destroy();
}

/** For /ready: one round trip. Throws when the database does not answer. */
export async function pingCatalog(catalog: Catalog): Promise<void> {
  await catalog.db.raw("select 1");
}
