import type { Migration } from "../migration.js";

/** What stops deletions until a person releases it, and what this machine remembers to tell that by. */
export const deletionStops: Migration = {
  name: "0002-deletion-stops",
  up: async (trx) => {
    await trx.raw(`create table deletion_stops (
      node_id text not null,
      doubt text not null check (doubt in ('volume', 'clock', 'database', 'store', 'mass-missing')),
      since_us bigint not null,
      message text not null,
      evidence bigint,
      primary key (node_id, doubt)
    )`);
    await trx.raw(`create table remembered (
      node_id text not null,
      name text not null,
      value text not null,
      primary key (node_id, name)
    )`);
  },
};
