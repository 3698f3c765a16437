import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import type { Migration } from "../migration.js";

/**
 * What the timeline of a month needs without reading a month of rows: where runs begin, where what has become of the
 * copies changes, and why nothing was recorded.
 *
 * The expression of `recordings_copy_state` is `COPY_STATE` of catalog/timeline.ts as it was when this was released.
 */
export const timeline: Migration = {
  name: "0005-timeline",
  up: async (trx, dialect) => {
    await trx.raw(
      `create index recordings_run_starts on recordings (path, start_us)
         where gap_before_us is null or gap_before_us > 0`,
    );
    await trx.raw(`create index recordings_copy_state on recordings (path, (case
        when local = 'quarantined' or (local = 'missing' and archive = 'none' and file_identity is null) then null
        when local = 'open' then 0
        when local = 'present' and step = 'inspect' and end_us = start_us then 1
        when local = 'present' and archive = 'verified' then 2
        when local = 'present' then 3
        when archive = 'verified' then 4
        when archive = 'expired' then 5
        when local = 'deleted' or local = 'trashed' or archive = 'deleted' then 6
        else 7 end), start_us)`);
    // Of one path, or of the machine (path is null): from then on it holds, or no longer does.
    const name = dialect === "postgres" ? 'text collate "C"' : "text";
    await trx.raw(`create table recording_conditions (
      id text primary key,
      node_id text not null,
      path ${name},
      at_us bigint not null,
      condition text not null check (condition in ('disabled', 'recording-off', 'server-down', 'disk-full')),
      holds boolean not null
    )`);
    await trx.raw(`create index recording_conditions_path on recording_conditions (path, at_us)`);
    await noteWhatHolds(trx);
  },
};

/** A path that is switched off has been so at least since its row was last changed. */
async function noteWhatHolds(trx: Knex.Transaction): Promise<void> {
  const paths = (await trx("paths").select("name", "enabled", "settings", "updated_at_us")) as {
    name: string;
    enabled: boolean | number;
    settings: string;
    updated_at_us: number;
  }[];
  for (const { name, enabled, settings, updated_at_us: atUs } of paths) {
    const isRecordingOff = (JSON.parse(settings) as { record?: unknown }).record === false;
    const conditions = [...(enabled ? [] : ["disabled"]), ...(isRecordingOff ? ["recording-off"] : [])];
    for (const condition of conditions) {
      await trx("recording_conditions").insert({
        id: uuidv7(),
        node_id: "",
        path: name,
        at_us: atUs,
        condition,
        holds: true,
      });
    }
  }
}
