import type { Migration } from "../migration.js";

/** Who may publish to a path, where MediaMTX asks us. */
export const publishCredentials: Migration = {
  name: "0010-publish-credentials",
  up: async (trx, dialect) => {
    const name = dialect === "postgres" ? 'text collate "C"' : "text";
    await trx.raw(`create table publish_credentials (
      path ${name} primary key,
      id text not null,                      -- another one with each new password
      user_name text not null,
      password_hash text not null,           -- SHA-256 of one that was made here, Argon2id of one that was given
      set_at_us bigint not null
    )`);
  },
};
