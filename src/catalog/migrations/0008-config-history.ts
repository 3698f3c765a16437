import type { Migration } from "../migration.js";

/** Each configuration that was meant to be applied, and by whom. */
export const configHistory: Migration = {
  name: "0008-config-history",
  up: async (trx, dialect) => {
    const counted =
      dialect === "postgres" ? "bigint generated always as identity primary key" : "integer primary key autoincrement";
    await trx.raw(`create table config_versions (
      version ${counted},
      at_us bigint not null,
      actor_id text not null,
      actor_name text not null,
      reason text not null check (reason in ('edit', 'rollback', 'adopt', 'import', 'start')),
      summary text not null,
      sha256 text not null,                  -- of the rendered YAML, hex
      sealed text not null                   -- YAML, base and rows: they hold passwords
    )`);
  },
};
