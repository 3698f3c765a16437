import type { Migration } from "../migration.js";

/** Clips that are made in the background and kept in the store for a while. */
export const exportsTable: Migration = {
  name: "0006-exports",
  up: async (trx, dialect) => {
    const name = dialect === "postgres" ? 'text collate "C"' : "text";
    await trx.raw(`create table exports (
      id text primary key,
      node_id text not null,
      path ${name} not null,
      from_us bigint not null,
      to_us bigint not null,
      format text not null,
      gaps text not null,
      keep_us bigint not null,
      state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled', 'deleted', 'expired')),
      written_bytes bigint not null,
      estimated_bytes bigint,
      attempts integer not null,
      next_attempt_at_us bigint not null,
      error text,
      object_key text,                       -- written before the object is
      bytes bigint,
      sha256 text,
      start_us bigint,
      end_us bigint,
      expires_at_us bigint,
      created_at_us bigint not null,
      updated_at_us bigint not null
    )`);
    await trx.raw(`create index exports_state on exports (node_id, state, next_attempt_at_us)`);
    await trx.raw(`create index exports_created on exports (created_at_us, id)`);
  },
};
