/** knex's own client, which it lets others extend; it has no types of its own. */
declare module "knex/lib/dialects/sqlite3/index.js" {
  import type { Knex } from "knex";

  class SqliteClient extends Knex.Client {
    _query(connection: unknown, query: unknown): Promise<unknown>;
    destroyRawConnection(connection: unknown): Promise<void>;
    transaction(...args: unknown[]): Knex.Transaction;
  }
  export = SqliteClient;
}

declare module "knex/lib/dialects/sqlite3/execution/sqlite-transaction.js" {
  class SqliteTransaction {
    constructor(client: unknown, ...args: unknown[]);
    begin(connection: unknown): Promise<unknown>;
    query(connection: unknown, sql: string): Promise<unknown>;
  }
  export = SqliteTransaction;
}
