import type { Migration } from "../migration.js";

/**
 * `*_us` are microseconds since 1970 UTC. `recordings` is clustered by (path, start): a day of one path is one run of
 * pages (SQLite: WITHOUT ROWID; half the size and a sixth of the cold read of a rowid table).
 */
export const initial: Migration = {
  name: "0001-initial",
  up: async (trx, dialect) => {
    for (const statement of schema(dialect)) await trx.raw(statement);
  },
};

/* eslint-disable max-lines-per-function -- one schema, read from top to bottom */
function schema(dialect: "sqlite" | "postgres"): string[] {
  const [blob, clustered] = dialect === "postgres" ? ["bytea", ""] : ["blob", "without rowid"];
  // Names compare byte by byte, as SQLite does anyway: ranges of file paths and keyset pages depend on it.
  const name = dialect === "postgres" ? 'text collate "C"' : "text";
  return [
    `create table paths (
        name ${name} primary key,
        settings text not null,                -- JSON: MediaMTX's own settings of this path
        enabled boolean not null,
        archive text not null check (archive in ('all', 'none')),
        local_retention text,                  -- duration; null: LOCAL_RETENTION
        archive_retention text,                -- duration; null: for ever
        labels text not null,                  -- JSON array of text
        created_at_us bigint not null,
        updated_at_us bigint not null
      )`,
    `create table recordings (
        path ${name} not null,
        start_us bigint not null,
        id ${name} not null,
        end_us bigint not null check (end_us >= start_us),
        media_duration_us bigint,
        node_id text not null,
        format text not null check (format in ('fmp4', 'mpegts')),
        file_path ${name} not null,               -- below the record directory, forward slashes
        file_identity text,                    -- dev:ino:size:mtimeNs that was last looked at
        bytes bigint not null,
        tracks text not null,                  -- JSON array
        stream_id text,
        segment_number bigint,
        partial boolean not null,
        gap_before_us bigint,
        missing_before bigint not null,
        local text not null check (local in ('open', 'present', 'trashed', 'released', 'missing', 'quarantined', 'deleted')),
        archive text not null check (archive in ('none', 'uploading', 'verified', 'expired', 'conflict', 'deleted')),
        object_key text,
        md5 text,
        sha256 text,
        upload_id text,
        verified_at_us bigint,
        step text check (step in ('settle', 'inspect', 'archive', 'release', 'unlink', 'delete')),
        priority integer not null,
        attempts integer not null,
        next_attempt_at_us bigint not null,
        lease_owner text,
        lease_until_us bigint,
        error text,
        origin text not null,
        created_at_us bigint not null,
        updated_at_us bigint not null,
        primary key (path, start_us, id)
      ) ${clustered}`,
    `create unique index recordings_id on recordings (id)`,
    `create index recordings_start on recordings (start_us, id)`,
    `create unique index recordings_live_file on recordings (node_id, file_path)
        where local in ('open', 'present', 'quarantined')`,
    `create index recordings_due on recordings (node_id, step, priority, next_attempt_at_us) where step is not null`,
    `create table fragment_indexes (recording_id text primary key, data ${blob} not null)`,
    // Written before the effect: what was removed, of which bytes, and the proof that made it right.
    `create table removals (
        id text primary key,
        at_us bigint not null,
        recording_id text not null,
        what text not null check (what in ('local', 'object')),
        name text not null,
        file_identity text,
        bytes bigint not null,
        sha256 text,
        reason text not null,
        proof text
      )`,
    `create index removals_recording on removals (recording_id)`,
    // Files below the record directory that are no segments of MediaMTX: seen, told, never touched.
    `create table rejected_files (
        node_id text not null,
        file_path ${name} not null,               -- bytes that are no UTF-8 as \\xNN
        reason text not null,
        bytes bigint not null,
        first_seen_at_us bigint not null,
        last_seen_at_us bigint not null,
        primary key (node_id, file_path)
      )`,
    `create table path_events (
        id text primary key,
        path text not null,
        at_us bigint not null,
        kind text not null check (kind in ('ready', 'not-ready')),
        source_type text,
        source_id text
      )`,
    `create index path_events_path on path_events (path, at_us)`,
  ];
}
