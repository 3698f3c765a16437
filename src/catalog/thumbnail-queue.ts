/**
 * Recordings that wait for their periodic pictures. A row is written in the transaction in which its recording was
 * inspected, and goes when all its pictures are there or given up, so a restart loses none. One loop per node works on it.
 */
import type { Knex } from "knex";

import type { RecordingId } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { storable } from "./recording-row.js";

export interface WaitingForThumbnails {
  readonly recordingId: RecordingId;
  /** That failed, for whatever reason. */
  readonly attempts: number;
  /** Of those: ffmpeg's own. */
  readonly ffmpegFailures: number;
}

const FRESH = { attempts: 0, ffmpeg_failures: 0, error: null };

export interface QueuedRecording {
  readonly id: RecordingId;
  readonly nodeId: string;
  readonly dueAtUs: number;
}

/** Different recordings, by one statement. */
export async function queueThumbnails(trx: Knex, recordings: readonly QueuedRecording[]): Promise<void> {
  if (recordings.length === 0) return;
  const rows = recordings.map(({ id, nodeId, dueAtUs }) => ({
    ...{ recording_id: id, node_id: nodeId, due_at_us: dueAtUs },
    ...FRESH,
  }));
  await trx("thumbnail_queue").insert(rows).onConflict("recording_id").merge();
}

/** The one that is due first, or when it is; undefined: none waits. */
export function nextForThumbnails(
  catalog: Catalog,
): Promise<{ readonly waiting: WaitingForThumbnails; readonly dueAtUs: number } | undefined> {
  return translating("look for a recording that waits for pictures", async () => {
    const [row] = (await catalog
      .db("thumbnail_queue")
      .where({ node_id: catalog.nodeId })
      .orderBy("due_at_us")
      .limit(1)) as {
      recording_id: RecordingId;
      attempts: number;
      ffmpeg_failures: number;
      due_at_us: number | string;
    }[];
    if (row === undefined) return undefined;
    const { recording_id: recordingId, attempts, ffmpeg_failures: ffmpegFailures, due_at_us: dueAtUs } = row;
    return { waiting: { recordingId, attempts, ffmpegFailures }, dueAtUs: Number(dueAtUs) };
  });
}

export function postponeThumbnails(
  catalog: Catalog,
  { recordingId, attempts, ffmpegFailures }: WaitingForThumbnails,
  { dueAtUs, error }: { readonly dueAtUs: number; readonly error: string },
): Promise<void> {
  return translating("postpone pictures", async () => {
    const why = storable(error.slice(0, 1_000));
    const changes = { due_at_us: dueAtUs, attempts, ffmpeg_failures: ffmpegFailures, error: why };
    await catalog.db("thumbnail_queue").where({ recording_id: recordingId }).update(changes);
  });
}

export function leaveThumbnailQueue(catalog: Catalog, id: RecordingId): Promise<void> {
  return translating("end the wait for pictures", async () => {
    await catalog.db("thumbnail_queue").where({ recording_id: id }).delete();
  });
}

/** For the metrics. */
export function countWaitingForThumbnails(catalog: Catalog): Promise<number> {
  return translating("count who waits for pictures", async () => {
    const rows = (await catalog.db("thumbnail_queue").where({ node_id: catalog.nodeId }).count({ total: "*" })) as {
      total: number | string;
    }[];
    return Number(rows[0]?.total ?? 0);
  });
}
