import type { Knex } from "knex";

import type { Migration } from "../migration.js";

/** Users and what they may, how they are known again, what they gave to others, and who did what. */
export const access: Migration = {
  name: "0007-access",
  up: async (trx, dialect) => {
    const isPostgres = dialect === "postgres";
    const name = isPostgres ? 'text collate "C"' : "text";
    await createUsers(trx, name);
    await createWhatUsersGive(trx, name);
    await createAudit(
      trx,
      name,
      isPostgres ? "bigint generated always as identity primary key" : "integer primary key autoincrement",
    );
  },
};

async function createUsers(trx: Knex.Transaction, name: string): Promise<void> {
  await trx.raw(`create table users (
    id text primary key,
    name ${name} not null unique,          -- lowercase
    role text not null check (role in ('admin', 'operator', 'viewer')),
    password_hash text,                    -- argon2id; null: logs in elsewhere
    oidc_identity text unique,             -- issuer and subject
    disabled integer not null,
    created_at_us bigint not null,
    updated_at_us bigint not null,
    last_login_at_us bigint
  )`);
  await trx.raw(`create table user_grants (
    user_id text not null references users (id) on delete cascade,
    pattern ${name} not null,
    primary key (user_id, pattern)
  )`);
  await trx.raw(`create table sessions (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    refresh_hash text not null unique,     -- SHA-256, hex
    previous_refresh_hash text,            -- seen again: stolen
    rotated_at_us bigint not null,
    created_at_us bigint not null,
    last_used_at_us bigint not null,
    expires_at_us bigint not null,
    revoked_at_us bigint,
    address text,
    user_agent text
  )`);
  await trx.raw(`create index sessions_user on sessions (user_id, created_at_us)`);
  await trx.raw(`create index sessions_previous on sessions (previous_refresh_hash)`);
}

async function createWhatUsersGive(trx: Knex.Transaction, name: string): Promise<void> {
  await trx.raw(`create table api_tokens (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    token_hash text not null unique,       -- SHA-256, hex
    role text not null check (role in ('admin', 'operator', 'viewer')),
    patterns text not null,                -- JSON
    created_at_us bigint not null,
    expires_at_us bigint,
    last_used_at_us bigint,
    revoked_at_us bigint
  )`);
  await trx.raw(`create index api_tokens_user on api_tokens (user_id, created_at_us)`);
  await trx.raw(`create table shares (
    id text primary key,
    token_hash text not null unique,       -- SHA-256, hex
    path ${name} not null,
    from_us bigint not null,
    to_us bigint not null,
    label text not null,
    created_by text not null,              -- of a user; stays when the user goes
    created_at_us bigint not null,
    expires_at_us bigint not null,
    revoked_at_us bigint,
    opened bigint not null,
    last_opened_at_us bigint
  )`);
  await trx.raw(`create index shares_created on shares (created_at_us, id)`);
}

async function createAudit(trx: Knex.Transaction, name: string, counted: string): Promise<void> {
  await trx.raw(`create table audit (
    id ${counted},
    at_us bigint not null,
    actor_kind text not null,
    actor_id text not null,
    actor_name text not null,
    address text,
    action text not null,
    target ${name} not null,
    before_json text,
    after_json text
  )`);
  await trx.raw(`create index audit_at on audit (at_us)`);
  await trx.raw(`create index audit_target on audit (target, at_us)`);
  await trx.raw(`create index audit_actor on audit (actor_name, at_us)`);
  await trx.raw(`create index audit_action on audit (action, at_us)`);
}
