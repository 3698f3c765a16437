/**
 * Opens the catalog's database: SQLite (WAL, synchronous=FULL, one connection that writes) or PostgreSQL, through knex.
 * Foreign errors become AppErrors here, so that nobody outside this folder knows a driver's codes.
 */
import { mkdir } from "node:fs/promises";
import { Socket } from "node:net";
import path from "node:path";

import knex, { type Knex } from "knex";
import pg from "pg";
import { ZodError } from "zod";

import { AppError, errnoOf } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import { migrate } from "./migrate.js";
import { CachingSqliteClient } from "./sqlite-client.js";

export type DatabaseTarget =
  /** A file: what lies in memory would be another database for each connection. */
  | { readonly kind: "sqlite"; readonly file: string }
  /** `silenceMs`: how long a server may say nothing before it counts as gone; default 30 s. */
  | { readonly kind: "postgres"; readonly url: string; readonly silenceMs?: number };

export type Database = Knex;

/**
 * How long a statement waits for another process that holds SQLite's lock, and how long for the one connection while
 * another statement waits there: together below the 5 s in which a hook must have its answer (F36).
 */
const BUSY_TIMEOUT_MS = 1_500;
export const SQLITE_ACQUIRE_TIMEOUT_MS = 3_000;
/** Whoever opens has nobody waiting for an answer: other processes may migrate first. */
const OPENING_TIMEOUT_MS = 20_000;
const OPENING_TRIES = 20;
const PG_POOL_MAX = 8;
/** Far longer than any statement takes, migrations apart. */
const PG_SILENCE_MS = 30_000;
const INT8_OID = 20;

export async function openDatabase(target: DatabaseTarget, clock: Clock): Promise<Database> {
  return translating("open the database", async () => {
    if (target.kind === "sqlite") return usedBy(await openSqlite(target.file), (db) => migrateSqlite(db, clock));
    // A migration of many rows is silent for long.
    const migrating = await usedBy(openPostgres(target.url, 0), (db) => migrate(db, clock));
    await migrating.destroy();
    return openPostgres(target.url, target.silenceMs ?? PG_SILENCE_MS);
  });
}

async function usedBy(db: Database, work: (db: Database) => Promise<void>): Promise<Database> {
  try {
    await work(db);
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function openSqlite(file: string): Promise<Database> {
  await mkdir(path.dirname(file), { recursive: true });
  return sqliteConnection(file, "pragma synchronous=full; pragma foreign_keys=on;");
}

/** Of a file that is open already, and migrated. Opened at the first question. */
export function openSqliteReader(file: string): Database {
  return sqliteConnection(file, "pragma query_only=on;");
}

function sqliteConnection(file: string, settings: string): Database {
  return knex({
    client: CachingSqliteClient,
    connection: { filename: file },
    useNullAsDefault: true,
    log: SILENT,
    acquireConnectionTimeout: SQLITE_ACQUIRE_TIMEOUT_MS,
    pool: {
      min: 0,
      max: 1,
      // The one connection is never given up: reopening would lose nothing but the warm page cache.
      idleTimeoutMillis: 2_000_000_000,
      // Settings of the connection only: nothing here waits for another process.
      afterCreate: (connection: SqliteConnection, done: (error: Error | null, connection: unknown) => void) => {
        connection.exec(`pragma busy_timeout=${String(BUSY_TIMEOUT_MS)}; ${settings}`, (error) =>
          done(error, connection),
        );
      },
    },
  });
}

async function migrateSqlite(db: Database, clock: Clock): Promise<void> {
  await db.raw(`pragma busy_timeout=${String(OPENING_TIMEOUT_MS)}`);
  await switchToWal(db);
  await migrate(db, clock);
  await db.raw(`pragma busy_timeout=${String(BUSY_TIMEOUT_MS)}`);
}

/**
 * SQLite does not always wait by busy_timeout when another process switches at the same instant; it does wait for the
 * lock, which whoever won that race gives back.
 */
async function switchToWal(db: Database): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    try {
      await db.raw("pragma journal_mode=wal");
      return;
    } catch (error) {
      if (errnoOf(error) !== "SQLITE_BUSY" || failures >= OPENING_TRIES) throw error;
      await db.raw("begin exclusive");
      await db.raw("rollback");
    }
  }
}

/** knex prints what it also throws. */
const SILENT = { warn: ignore, error: ignore, deprecate: ignore, debug: ignore };

function ignore(): void {
  // Whoever catches the error tells it.
}

interface SqliteConnection {
  exec(sql: string, done: (error: Error | null) => void): void;
}

/**
 * A server that vanished without a word leaves connections that look open (F40), on which TCP waits for a quarter of an
 * hour. `silenceMs`, 0 for ever: who says nothing for so long is given up, and an idle connection is opened anew. The
 * server, which may be there all the same, does so too: else the transaction of a lost connection would hold its locks,
 * and whoever comes after it would wait until there are no connections left.
 */
function openPostgres(url: string, silenceMs: number): Database {
  const stream = (): Socket => {
    const socket = new Socket();
    return socket.setTimeout(silenceMs, () =>
      socket.destroy(new Error(`the database said nothing for ${String(silenceMs)} ms`)),
    );
  };
  // The declared parameter is an enum of known types, the server's is any number.
  const standardParser = pg.types.getTypeParser as (oid: number, format?: string) => unknown;
  const types = {
    // Microseconds and byte counts stay below 2^53.
    getTypeParser: (oid: number, format?: "text" | "binary") =>
      oid === INT8_OID ? Number : standardParser(oid, format),
  };
  return knex({
    client: "pg",
    log: SILENT,
    connection: {
      ...{ connectionString: url, types, stream },
      ...{ statement_timeout: silenceMs, lock_timeout: silenceMs, idle_in_transaction_session_timeout: silenceMs },
    } as Knex.PgConnectionConfig,
    pool: { min: 0, max: PG_POOL_MAX },
    acquireConnectionTimeout: 10_000,
  });
}

const BUSY_CODES = new Set(["SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "40001", "40P01"]);
const FULL_CODES = new Set(["SQLITE_FULL", "53100", "ENOSPC"]);
const DAMAGED_CODES = new Set(["SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002"]);
/** The database is there but cannot work now: connection, resources, operator, system. */
const PASSING_CODES =
  /^(?:08|53|57|58)...$|^25P03$|^SQLITE_(?:IOERR|CANTOPEN|READONLY|PROTOCOL|NOMEM|INTERRUPT|SCHEMA)$/;
/** A SQLSTATE, or one of SQLite's codes. */
const DATABASE_CODE = /^[0-9A-Z]{5}$|^SQLITE_/;

/** Runs a piece of database work; driver errors leave as AppErrors with their cause. */
export async function translating<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AppError ? error : translate(operation, error);
  }
}

function translate(operation: string, error: unknown): AppError {
  const code = errnoOf(error) ?? "";
  if (DAMAGED_CODES.has(code)) {
    return new AppError({
      kind: "data-loss",
      message: `${operation}: the database is damaged`,
      hint: "nothing is deleted; move the database file away and run: reelkeeper rebuild",
      cause: error,
    });
  }
  if (FULL_CODES.has(code)) {
    return new AppError({
      kind: "resource-exhausted",
      message: `${operation}: the database disk is full`,
      hint: "free space there; recordings stay where they are, and work goes on by itself",
      cause: error,
    });
  }
  if (BUSY_CODES.has(code)) {
    return new AppError({ kind: "unavailable", message: `${operation}: the database is locked`, cause: error });
  }
  return new AppError({
    kind: isOurMistake(error, code) ? "internal" : "unavailable",
    message: operation,
    cause: error,
  });
}

/** A statement, a value or a row that is wrong stays wrong; asking again would never end. */
function isOurMistake(error: unknown, code: string): boolean {
  if (DATABASE_CODE.test(code) && !isSystemErrno(code)) return !PASSING_CODES.test(code);
  return [ZodError, TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind);
}

/** `EPIPE` and `EBUSY` have the form of a SQLSTATE. */
function isSystemErrno(code: string): boolean {
  return code.startsWith("E") && !/\d/.test(code);
}
