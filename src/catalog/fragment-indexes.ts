/** The fragment index of each recording that can be cut, encoded by media/fragment-index-codec.ts, kept beside the row. */
import type { Knex } from "knex";

import type { RecordingId } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

export interface IndexedRecording {
  readonly id: RecordingId;
  readonly fragmentIndex: Uint8Array;
}

/** Of different recordings, by one statement. */
export async function storeFragmentIndexes(trx: Knex, recordings: readonly IndexedRecording[]): Promise<void> {
  if (recordings.length === 0) return;
  const rows = recordings.map(({ id, fragmentIndex }) => ({ recording_id: id, data: Buffer.from(fragmentIndex) }));
  await trx("fragment_indexes").insert(rows).onConflict("recording_id").merge();
}

/** One that an inspection has stored meanwhile stays. */
export function addMissingFragmentIndex(catalog: Catalog, id: RecordingId, data: Uint8Array): Promise<void> {
  return translating("add a fragment index", async () => {
    const row = { recording_id: id, data: Buffer.from(data) };
    await catalog.db("fragment_indexes").insert(row).onConflict("recording_id").ignore();
  });
}

export function findFragmentIndex(catalog: Catalog, id: RecordingId): Promise<Uint8Array | undefined> {
  return translating("find a fragment index", async () => {
    const row = await catalog
      .readDb<{ recording_id: string; data: Buffer }>("fragment_indexes")
      .where({ recording_id: id })
      .first();
    return row?.data;
  });
}
