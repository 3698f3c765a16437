import type { Knex } from "knex";

import type { Dialect } from "./dialect.js";

/** One step forward of the schema. Never edited once released. */
export interface Migration {
  readonly name: string;
  up(trx: Knex.Transaction, dialect: Dialect): Promise<void>;
}
