import type { Migration } from "../migration.js";

/** What paths are listed under. */
export const pathGroups: Migration = {
  name: "0009-path-groups",
  up: async (trx) => {
    await trx.raw("alter table paths add column path_group text");
  },
};
