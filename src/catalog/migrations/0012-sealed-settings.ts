import type { Migration } from "../migration.js";

/** Secrets of paths lie sealed beside their other settings. What is there in plain is sealed by the start (seal-rows). */
export const sealedSettings: Migration = {
  name: "0012-sealed-settings",
  up: async (trx) => {
    await trx.raw("alter table paths add column secrets text");
    await trx.raw(`create table sealing (
      only_row integer primary key check (only_row = 1),
      proof text not null,                   -- sealed by the newest key, so that a wrong one is known at once
      traces integer not null                -- 1: pages of the file may still hold what was plain once
    )`);
  },
};
