/**
 * knex's client for SQLite, with prepared statements that are kept. The driver would prepare, run and finalize each
 * statement anew, three trips to another thread; here it is one, and SQLite parses and plans each text once.
 */
import type { Knex } from "knex";
import SqliteTransaction from "knex/lib/dialects/sqlite3/execution/sqlite-transaction.js";
import SqliteClient from "knex/lib/dialects/sqlite3/index.js";

/** As the driver has them. */
interface Connection {
  prepare(sql: string, done: (error: Error | null) => void): Statement;
}

interface Statement {
  run(bindings: readonly unknown[], done: Done): void;
  all(bindings: readonly unknown[], done: Done): void;
  finalize(done?: () => void): void;
}

type Done = (this: { lastID: number; changes: number }, error: Error | null, rows?: readonly unknown[]) => void;

/** What knex hands over, and takes back. */
interface Query {
  readonly sql: string;
  readonly bindings: readonly unknown[];
  readonly method?: string;
  readonly returning?: unknown;
  response?: readonly unknown[] | undefined;
  context?: { readonly lastID: number; readonly changes: number };
}

/** Texts with lists of any length have many forms; the least used go. */
const MOST_KEPT = 200;
/** knex's own mapping: what answers with a count, not with rows. */
const WITHOUT_ROWS = new Set(["insert", "update", "counter", "del"]);

/** By text, the least used first. Beside the class: knex makes the client of a transaction without its constructor. */
const keptBy = new WeakMap<Connection, Map<string, Statement>>();

export class CachingSqliteClient extends SqliteClient {
  override _query(connection: Connection, query: Query): Promise<Query> {
    return new Promise((resolve, reject) => {
      const kept = keptOf(connection);
      const statement = take(connection, query.sql, reject);
      const done: Done = function (error, rows) {
        if (error !== null) {
          // What failed is not used again: it may hold on to where it stood.
          if (kept.get(query.sql) === statement) kept.delete(query.sql);
          statement.finalize();
          reject(error);
          return;
        }
        query.response = rows;
        query.context = { lastID: this.lastID, changes: this.changes };
        resolve(query);
      };
      const isCount = WITHOUT_ROWS.has(query.method ?? "") && (query.returning === undefined || query.method === "del");
      statement[isCount ? "run" : "all"](query.bindings, done);
    });
  }

  /** A promise of the whole transaction, which knex's types take for the transaction itself. */
  override transaction(...args: unknown[]): Knex.Transaction {
    return new ImmediateTransaction(this, ...args) as unknown as Knex.Transaction;
  }

  /** SQLite does not close a connection that has statements. */
  override async destroyRawConnection(connection: Connection): Promise<void> {
    const statements = [...keptOf(connection).values()];
    keptBy.delete(connection);
    await Promise.all(statements.map((statement) => new Promise<void>((resolve) => statement.finalize(resolve))));
    await super.destroyRawConnection(connection);
  }
}

/** Takes the write lock at once, and waits for it by busy_timeout. */
class ImmediateTransaction extends SqliteTransaction {
  override begin(connection: unknown): Promise<unknown> {
    return this.query(connection, "BEGIN IMMEDIATE;");
  }
}

function keptOf(connection: Connection): Map<string, Statement> {
  const known = keptBy.get(connection);
  if (known !== undefined) return known;
  const created = new Map<string, Statement>();
  keptBy.set(connection, created);
  return created;
}

function take(connection: Connection, sql: string, refused: (error: Error) => void): Statement {
  const kept = keptOf(connection);
  const known = kept.get(sql);
  kept.delete(sql);
  const statement =
    known ??
    connection.prepare(sql, (error) => {
      if (error === null) return;
      if (kept.get(sql) === statement) kept.delete(sql);
      refused(error);
    });
  kept.set(sql, statement);
  const [oldest] = kept;
  if (kept.size > MOST_KEPT && oldest !== undefined) {
    kept.delete(oldest[0]);
    oldest[1].finalize();
  }
  return statement;
}
