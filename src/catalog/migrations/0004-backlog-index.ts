import type { Migration } from "../migration.js";

/**
 * What the page of the archive asks all day, answered from an index alone however many rows wait: counts, bytes and
 * the oldest of the backlog, and the latest failures.
 */
export const backlogIndex: Migration = {
  name: "0004-backlog-index",
  up: async (trx) => {
    await trx.raw(
      `create index recordings_backlog on recordings (node_id, step, start_us, bytes)
         where step in ('inspect', 'archive')`,
    );
    await trx.raw(
      `create index recordings_failed on recordings (node_id, updated_at_us)
         where step is not null and error is not null`,
    );
  },
};
