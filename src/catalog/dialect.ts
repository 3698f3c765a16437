/** The two databases differ in locking and in a few words of the schema; everything else is common SQL. */
import type { Knex } from "knex";

export type Dialect = "sqlite" | "postgres";

export function dialectOf(db: Knex): Dialect {
  return (db.client as { config: { client: string } }).config.client === "pg" ? "postgres" : "sqlite";
}

/** The drivers answer raw statements each in its own way. */
export type RawRows<T> = readonly T[] | { readonly rows: readonly T[] };

export function rowsOf<T>(answer: RawRows<T>): readonly T[] {
  return "rows" in answer ? answer.rows : answer;
}
