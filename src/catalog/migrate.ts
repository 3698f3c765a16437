/**
 * Forward-only migrations, listed by hand, one transaction each. The migration's row is inserted first, so that a
 * rival process is detected by the key clash, and a crash rolls row and schema back together (F62).
 */
import type { Knex } from "knex";

import { AppError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import { initial } from "./migrations/0001-initial.js";

export interface Migration {
  readonly name: string;
  up(trx: Knex.Transaction, dialect: "sqlite" | "postgres"): Promise<void>;
}

export const MIGRATIONS: readonly Migration[] = [initial];

export async function migrate(db: Knex, clock: Clock, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const dialect = (db.client as { config: { client: string } }).config.client === "pg" ? "postgres" : "sqlite";
  await db.raw("create table if not exists migrations (name text primary key, applied_at_us bigint not null)");
  const applied = new Set((await db<{ name: string }>("migrations").select("name")).map((row) => row.name));
  const unknown = [...applied].filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new AppError({
      kind: "failed-precondition",
      message: `the database was written by a newer Reelkeeper (it has ${unknown.join(", ")}), this one knows ${String(migrations.length)} migrations`,
      hint: "start the newer Reelkeeper, or restore the database of this version",
    });
  }
  for (const migration of migrations.filter(({ name }) => !applied.has(name))) {
    await db.transaction(async (trx) => {
      await trx("migrations").insert({ name: migration.name, applied_at_us: clock.nowUs() });
      await migration.up(trx, dialect);
    });
  }
}
