import type { Migration } from "../migration.js";

/** Rows in the order in which a store lists its objects, however many there are: for verify and the scrub. */
export const objectKeyIndex: Migration = {
  name: "0003-object-key-index",
  up: async (trx, dialect) => {
    const key = dialect === "postgres" ? `object_key collate "C"` : "object_key";
    await trx.raw(`create index recordings_object_key on recordings (${key}) where object_key is not null`);
  },
};
