/** The two databases differ in locking and in a few words of the schema; everything else is common SQL. */
import type { Knex } from "knex";

export type Dialect = "sqlite" | "postgres";

export function dialectOf(db: Knex): Dialect {
  return (db.client as { config: { client: string } }).config.client === "pg" ? "postgres" : "sqlite";
}
