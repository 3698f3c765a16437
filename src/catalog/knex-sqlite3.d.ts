/** knex's own client, which it lets others extend; it has no types of its own. */
declare module "knex/lib/dialects/sqlite3/index.js" {
  import type { Knex } from "knex";

  class SqliteClient extends Knex.Client {
    _query(connection: unknown, query: unknown): Promise<unknown>;
    destroyRawConnection(connection: unknown): Promise<void>;
  }
  export = SqliteClient;
}
