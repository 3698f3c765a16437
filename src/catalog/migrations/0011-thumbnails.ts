import type { Migration } from "../migration.js";

/** Periodic pictures in the store, and the recordings that wait for theirs. */
export const thumbnails: Migration = {
  name: "0011-thumbnails",
  up: async (trx, dialect) => {
    const name = dialect === "postgres" ? 'text collate "C"' : "text";
    const clustered = dialect === "postgres" ? "" : "without rowid";
    await trx.raw(`create table thumbnails (
      path ${name} not null,
      at_us bigint not null,                 -- of the sync sample; MPEG-TS: of what was asked for
      recording_id ${name} not null,
      node_id text not null,
      object_key text not null,
      state text not null check (state in ('making', 'stored', 'removing')),
      created_at_us bigint not null,
      primary key (path, at_us, recording_id)
    ) ${clustered}`);
    await trx.raw(`create index thumbnails_recording on thumbnails (recording_id)`);
    await trx.raw(`create index thumbnails_removing on thumbnails (node_id) where state = 'removing'`);
    await trx.raw(`create table thumbnail_queue (
      recording_id ${name} primary key,
      node_id text not null,
      due_at_us bigint not null,
      attempts integer not null,
      ffmpeg_failures integer not null,
      error text
    )`);
    await trx.raw(`create index thumbnail_queue_due on thumbnail_queue (node_id, due_at_us)`);
  },
};
