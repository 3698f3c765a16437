import knex, { type Knex } from "knex";
import { describe, expect, it, onTestFinished } from "vitest";

import { type DatabaseTarget, openDatabase } from "../../../src/catalog/database.js";
import { type Dialect, dialectOf } from "../../../src/catalog/dialect.js";
import { migrate, MIGRATIONS } from "../../../src/catalog/migrate.js";
import type { Migration } from "../../../src/catalog/migration.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { openOn, type TestedDialect } from "./dialects.js";

const clock = createFakeClock();
const first: Migration = {
  name: "0001-first",
  up: async (trx) => {
    await trx.raw("create table things (id integer primary key, label text)");
  },
};
const second: Migration = {
  name: "0002-second",
  up: async (trx) => {
    await trx.raw("alter table things add column weight integer");
    await trx.raw("insert into things (id, label, weight) values (1, 'made by the second', 5)");
  },
};

export function describeMigrations(dialect: TestedDialect): void {
  describe("migrations", () => {
    it("bring an empty database to the newest schema", async () => {
      const catalog = await openOn(await dialect.freshTarget());
      expect(await appliedTo(catalog.db)).toEqual(MIGRATIONS.map(({ name }) => name));
      expect(await tablesOf(catalog.db)).toEqual(
        expect.arrayContaining([
          "paths",
          "recordings",
          "fragment_indexes",
          "removals",
          "rejected_files",
          "path_events",
          "recording_conditions",
          "exports",
        ]),
      );
    });

    it("bring a database of the release before forward, and do nothing the second time", async () => {
      const db = await emptyDatabase(dialect);
      await migrate(db, clock, [first]);
      await db("things").insert({ id: 7, label: "old row" });
      await migrate(db, clock, [first, second]);
      await migrate(db, clock, [first, second]);
      expect(await db("things").orderBy("id")).toEqual([
        { id: 1, label: "made by the second", weight: 5 },
        { id: 7, label: "old row", weight: null },
      ]);
      expect(await appliedTo(db)).toEqual([first.name, second.name]);
    });

    it("end in the same schema from an empty and from every previous state", async () => {
      const fresh = await emptyDatabase(dialect);
      await migrate(fresh, clock);
      for (let known = 0; known < MIGRATIONS.length; known += 1) {
        const upgraded = await emptyDatabase(dialect);
        await migrate(upgraded, clock, MIGRATIONS.slice(0, known));
        await migrate(upgraded, clock);
        expect(await schemaOf(upgraded)).toEqual(await schemaOf(fresh));
      }
      expect(await schemaOf(fresh)).not.toEqual([]);
    });

    it("leave neither schema nor row of one that ends half-way (F62)", async () => {
      const db = await emptyDatabase(dialect);
      await migrate(db, clock, [first]);
      const before = await schemaOf(db);
      const broken: Migration = {
        name: second.name,
        up: async (trx, name) => {
          await second.up(trx, name);
          throw new Error("killed here");
        },
      };
      await expect(migrate(db, clock, [first, broken])).rejects.toThrow("killed here");
      expect(await schemaOf(db)).toEqual(before);
      expect(await appliedTo(db)).toEqual([first.name]);
      await migrate(db, clock, [first, second]);
      expect(await appliedTo(db)).toEqual([first.name, second.name]);
    });

    it("say which database they run on", async () => {
      const seen: Dialect[] = [];
      const db = await emptyDatabase(dialect);
      const asking: Migration = { name: "0001-asking", up: (_trx, name) => Promise.resolve(void seen.push(name)) };
      await migrate(db, clock, [asking]);
      expect(seen).toEqual([dialect.name === "SQLite" ? "sqlite" : "postgres"]);
    });

    it("run once when several processes open a new database at the same time", async () => {
      // SQLite switches to its log in an instant; a clash of two that do so at once is rare.
      for (let round = 0; round < 10; round += 1) {
        const target = await dialect.freshTarget();
        const catalogs = await Promise.all(Array.from({ length: 4 }, () => openOn(target)));
        expect(await appliedTo(catalogs[0]!.db)).toEqual(MIGRATIONS.map(({ name }) => name));
        for (const { db } of catalogs) expect(await db("recordings")).toEqual([]);
      }
    });

    it("run once when several connections are ready at the same instant", async () => {
      const target = await dialect.freshTarget();
      // Waiting connections of SQLite each hold one of Node's four threads; whoever they wait for needs one too.
      const ready = Array.from({ length: dialect.name === "SQLite" ? 3 : 8 }, () => connect(target));
      onTestFinished(async () => {
        await Promise.all(ready.map((db) => db.destroy()));
      });
      // As the product opens them: the next writer waits.
      for (const db of ready) await db.raw(isSqlite(db) ? "pragma busy_timeout=20000" : "select 1");
      await Promise.all(ready.map((db) => migrate(db, clock, [first, second])));
      expect(await ready[0]!("things")).toHaveLength(1);
    });

    it("refuse a database of a newer release and change nothing in it", async () => {
      const target = await dialect.freshTarget();
      const { db } = await openOn(target);
      await db("migrations").insert({ name: "9999-from-the-future", applied_at_us: 1 });
      const before = await schemaOf(db);
      await expect(openDatabase(target, clock)).rejects.toMatchObject({
        kind: "failed-precondition",
        message: expect.stringContaining("9999-from-the-future") as string,
        hint: expect.any(String) as string,
      });
      expect(await schemaOf(db)).toEqual(before);
    });
  });
}

async function emptyDatabase(dialect: TestedDialect): Promise<Knex> {
  const db = connect(await dialect.freshTarget());
  onTestFinished(() => db.destroy());
  return db;
}

function connect(target: DatabaseTarget): Knex {
  if (target.kind === "postgres") return knex({ client: "pg", connection: target.url, pool: { min: 0, max: 2 } });
  return knex({ client: "sqlite3", connection: { filename: target.file }, useNullAsDefault: true });
}

async function appliedTo(db: Knex): Promise<string[]> {
  return ((await db("migrations").orderBy("name")) as { name: string }[]).map(({ name }) => name);
}

async function tablesOf(db: Knex): Promise<string[]> {
  if (isSqlite(db)) return db<{ name: string; type: string }>("sqlite_master").where({ type: "table" }).pluck("name");
  return db<{ tablename: string; schemaname: string }>("pg_tables").where({ schemaname: "public" }).pluck("tablename");
}

function isSqlite(db: Knex): boolean {
  return dialectOf(db) === "sqlite";
}

/** Everything that the database says of its tables, columns, constraints and indexes. */
async function schemaOf(db: Knex): Promise<unknown[]> {
  if (isSqlite(db))
    return (await db("sqlite_master").select("type", "name", "sql").orderBy(["type", "name"])) as unknown[];
  const answers = (await Promise.all([
    db("information_schema.columns")
      .where({ table_schema: "public" })
      .orderBy(["table_name", "ordinal_position"])
      .select("table_name", "column_name", "data_type", "is_nullable", "collation_name", "column_default"),
    db("pg_indexes").where({ schemaname: "public" }).orderBy("indexname").select("indexname", "indexdef"),
    db.select(db.raw("conname, pg_get_constraintdef(oid) as def from pg_constraint")).orderBy(["conname", "def"]),
  ])) as unknown[][];
  return answers[0]?.length === 0 ? [] : answers;
}
