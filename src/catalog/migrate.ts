/**
 * Forward-only migrations, listed by hand, one transaction each. The migration's row is inserted first: a rival process
 * waits there, and then sees that the row is taken. A crash rolls row and schema back together (F62).
 */
import type { Knex } from "knex";

import { AppError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import { faultPoint } from "../platform/fault-point.js";
import { dialectOf } from "./dialect.js";
import type { Migration } from "./migration.js";
import { initial } from "./migrations/0001-initial.js";
import { deletionStops } from "./migrations/0002-deletion-stops.js";
import { objectKeyIndex } from "./migrations/0003-object-key-index.js";
import { backlogIndex } from "./migrations/0004-backlog-index.js";
import { timeline } from "./migrations/0005-timeline.js";
import { exportsTable } from "./migrations/0006-exports.js";
import { access } from "./migrations/0007-access.js";
import { configHistory } from "./migrations/0008-config-history.js";
import { pathGroups } from "./migrations/0009-path-groups.js";
import { publishCredentials } from "./migrations/0010-publish-credentials.js";
import { thumbnails } from "./migrations/0011-thumbnails.js";
import { sealedSettings } from "./migrations/0012-sealed-settings.js";
import { inTransaction } from "./transaction.js";

export const MIGRATIONS: readonly Migration[] = [
  initial,
  deletionStops,
  objectKeyIndex,
  backlogIndex,
  timeline,
  exportsTable,
  access,
  configHistory,
  pathGroups,
  publishCredentials,
  thumbnails,
  sealedSettings,
];

export async function migrate(db: Knex, clock: Clock, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await createMigrationsTable(db);
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
    await faultPoint("migrate.before");
    await inTransaction(db, async (trx) => {
      const claimed = (await trx("migrations")
        .insert({ name: migration.name, applied_at_us: clock.nowUs() })
        .onConflict("name")
        .ignore()
        .returning("name")) as unknown[];
      await faultPoint("migrate.in-begun");
      if (claimed.length > 0) await migration.up(trx, dialectOf(db));
      await faultPoint("migrate.in-done");
    });
    await faultPoint("migrate.after");
  }
}

/** Any number that nobody else locks. */
const MIGRATIONS_LOCK = 7_205_759_403;

async function createMigrationsTable(db: Knex): Promise<void> {
  await inTransaction(db, async (trx) => {
    // PostgreSQL's `if not exists` clashes when two create at once.
    if (dialectOf(db) === "postgres") await trx.raw("select pg_advisory_xact_lock(?)", [MIGRATIONS_LOCK]);
    await trx.raw("create table if not exists migrations (name text primary key, applied_at_us bigint not null)");
  });
}
