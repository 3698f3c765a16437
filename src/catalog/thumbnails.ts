/**
 * The `thumbnails` table: periodic pictures in the store. A row is there before its object, and goes after it. What
 * belongs to a recording whose copies are gone is not shown, even before it is removed.
 */
import type { Knex } from "knex";

import type { PathName } from "../core/path-name.js";
import type { RecordingId } from "../core/recording.js";
import type { TimeRange } from "../core/span.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { inWriteTransaction } from "./write-transaction.js";

export interface Thumbnail {
  readonly path: PathName;
  /** When it was taken; MPEG-TS: near that. */
  readonly atUs: number;
  readonly recordingId: RecordingId;
  readonly objectKey: string;
}

interface Row {
  readonly path: PathName;
  readonly at_us: number | string;
  readonly recording_id: RecordingId;
  readonly object_key: string;
}

const PAGE = 200;
const SWEPT_PAGE = 1_000;
const IS_PLAYABLE = "(recordings.local in ('open', 'present') or recordings.archive = 'verified')";
const COLUMNS = ["thumbnails.path", "thumbnails.at_us", "thumbnails.recording_id", "thumbnails.object_key"] as const;

/** `known`: it is in the store · `gone`: its recording has no copy any more, or is to be deleted. */
export function beginThumbnail(catalog: Catalog, thumbnail: Thumbnail): Promise<"begun" | "known" | "gone"> {
  return translating("begin a picture", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const key = keyOf(thumbnail);
      const [known] = (await trx("thumbnails").where(key).select("state")) as { state: string }[];
      if (known !== undefined) return known.state === "stored" ? "known" : known.state === "making" ? "begun" : "gone";
      const alive: unknown[] = await trx("recordings")
        .where({ id: thumbnail.recordingId })
        .andWhereRaw(IS_PLAYABLE)
        .andWhereRaw("(step is null or step <> 'delete')")
        .select("id");
      if (alive.length === 0) return "gone";
      const { nodeId: node_id } = catalog;
      const created_at_us = catalog.clock.nowUs();
      await trx("thumbnails").insert({
        ...{ ...key, node_id, created_at_us },
        ...{ object_key: thumbnail.objectKey, state: "making" },
      });
      return "begun";
    }),
  );
}

/** False: it is to be removed already. */
export function noteThumbnailStored(catalog: Catalog, thumbnail: Thumbnail): Promise<boolean> {
  return translating("note a picture", async () => {
    const changed = await catalog
      .db("thumbnails")
      .where({ ...keyOf(thumbnail), state: "making" })
      .update({ state: "stored" });
    return changed > 0;
  });
}

/** The one of this very sync sample. */
export function findThumbnail(
  catalog: Catalog,
  recordingId: RecordingId,
  atUs: number,
): Promise<Thumbnail | undefined> {
  return translating("find a picture", async () => {
    const query = catalog.readDb("thumbnails").where({ recording_id: recordingId, at_us: atUs, state: "stored" });
    return ((await query.select(...COLUMNS)) as Row[]).map(toThumbnail)[0];
  });
}

/** The last of [fromUs, toUs) whose recording can be played. */
export function findLastThumbnail(catalog: Catalog, path: PathName, range: TimeRange): Promise<Thumbnail | undefined> {
  return translating("find the last picture before an instant", async () => {
    const rows = (await shown(catalog, path, range).orderBy("thumbnails.at_us", "desc").limit(1)) as Row[];
    return rows.map(toThumbnail)[0];
  });
}

/** Of [fromUs, toUs), in order, whose recordings can be played. */
export function listThumbnails(catalog: Catalog, path: PathName, range: TimeRange): Promise<Thumbnail[]> {
  return translating("list pictures", async () => {
    const order = ["thumbnails.at_us", "thumbnails.recording_id"];
    return ((await shown(catalog, path, range).orderBy(order)) as Row[]).map(toThumbnail);
  });
}

/** Whether there is one of the path, of whatever recording, in [fromUs, toUs). */
export function hasThumbnailIn(catalog: Catalog, path: PathName, { fromUs, toUs }: TimeRange): Promise<boolean> {
  return translating("look for a picture", async () => {
    const rows: unknown[] = await catalog
      .db("thumbnails")
      .where({ path })
      .andWhere("at_us", ">=", fromUs)
      .andWhere("at_us", "<", toUs)
      .limit(1)
      .select("at_us");
    return rows.length > 0;
  });
}

/** The recording is deleted: so are its pictures, also those that it waits for. */
export function removeThumbnailsOf(catalog: Catalog, id: RecordingId): Promise<void> {
  return translating("let pictures go with their recording", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      await trx("thumbnail_queue").where({ recording_id: id }).delete();
      await trx("thumbnails").where({ recording_id: id }).update({ state: "removing" });
    }),
  );
}

/** Its object is not there, or not a picture: it is removed, and made again when somebody asks. */
export function giveThumbnailUp(catalog: Catalog, thumbnail: Thumbnail): Promise<void> {
  return translating("give a picture up", async () => {
    await catalog.db("thumbnails").where(keyOf(thumbnail)).update({ state: "removing" });
  });
}

export function listThumbnailsToRemove(catalog: Catalog): Promise<Thumbnail[]> {
  return translating("list pictures to remove", async () => {
    const query = catalog.db("thumbnails").where({ node_id: catalog.nodeId, state: "removing" });
    return ((await query.limit(PAGE).select(...COLUMNS)) as Row[]).map(toThumbnail);
  });
}

export function forgetThumbnail(catalog: Catalog, thumbnail: Thumbnail): Promise<void> {
  return translating("forget a picture", async () => {
    await catalog
      .db("thumbnails")
      .where({ ...keyOf(thumbnail), state: "removing" })
      .delete();
  });
}

/** Where a sweep stands: behind this picture. */
export type SweepPlace = Pick<Thumbnail, "path" | "atUs"> | null;

/**
 * A page of all pictures, in order: those whose recording has expired or was deleted, and is not on disk either, are to
 * be removed from now on. A file that is missing is no reason: it may come back. Null: that was the last page.
 */
export function sweepThumbnails(catalog: Catalog, after: SweepPlace): Promise<SweepPlace> {
  return translating("look for pictures of recordings that are gone", async () => {
    const { db } = catalog;
    const query = db("thumbnails").where({ "thumbnails.node_id": catalog.nodeId }) as Knex.QueryBuilder;
    if (after !== null)
      void query.andWhereRaw("(thumbnails.path, thumbnails.at_us) > (?, ?)", [after.path, after.atUs]);
    const rows = (await query
      .leftJoin("recordings", "recordings.id", "thumbnails.recording_id")
      .orderBy(["thumbnails.path", "thumbnails.at_us"])
      .limit(SWEPT_PAGE)
      .select(...COLUMNS, db.raw(`${IS_GONE} as gone`))) as (Row & { gone: boolean | number })[];
    const gone = [...new Set(rows.filter((row) => Boolean(row.gone)).map((row) => row.recording_id))];
    if (gone.length > 0) {
      await db("thumbnails").whereIn("recording_id", gone).update({ state: "removing" });
    }
    const last = rows.length < SWEPT_PAGE ? undefined : rows.at(-1);
    return last === undefined ? null : { path: last.path, atUs: Number(last.at_us) };
  });
}

const IS_GONE = `(recordings.archive in ('expired', 'deleted')
  and recordings.local not in ('open', 'present', 'quarantined', 'trashed'))`;

function shown({ readDb: db }: Catalog, path: PathName, { fromUs, toUs }: TimeRange): Knex.QueryBuilder {
  const query = db("thumbnails") as Knex.QueryBuilder;
  return query
    .join("recordings", "recordings.id", "thumbnails.recording_id")
    .where({ "thumbnails.path": path, "thumbnails.state": "stored" })
    .andWhere("thumbnails.at_us", ">=", fromUs)
    .andWhere("thumbnails.at_us", "<", toUs)
    .andWhereRaw(IS_PLAYABLE)
    .select(...COLUMNS);
}

function keyOf({ path, atUs, recordingId }: Thumbnail) {
  return { path, at_us: atUs, recording_id: recordingId };
}

function toThumbnail(row: Row): Thumbnail {
  return { path: row.path, atUs: Number(row.at_us), recordingId: row.recording_id, objectKey: row.object_key };
}
