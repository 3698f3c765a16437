/**
 * Recordings that were inspected before there were periodic pictures, or fragment indexes of MPEG-TS: all rows are
 * walked, once, the newest first, those on disk before those that only the store has. What has not one picture joins the
 * queue, in the transaction that writes down how far the walk has come, so it may die anywhere and goes on there.
 */
import { z } from "zod";

import type { RecordingId } from "../core/recording.js";
import { pictureInstants } from "../core/thumbnail.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import type { PlayableRow } from "./playable-recordings.js";
import { createTracksParser, positionOf } from "./recording-row.js";
import { forget, recall, remember } from "./remembered.js";
import { countWaitingForThumbnails, queueThumbnails } from "./thumbnail-queue.js";
import { inWriteTransaction } from "./write-transaction.js";

/** Behind which row the walk stands, and which copies it looks for; "done": there is no other row of before. */
const placeSchema = z.union([
  z.object({ pass: z.enum(["local", "archived"]), startUs: z.number(), id: z.string() }),
  z.object({ pass: z.literal("done") }),
]);
type Place = z.infer<typeof placeSchema>;
type WalkedPlace = Exclude<Place, { readonly pass: "done" }>;

/** Rows of one look: some milliseconds. */
const PAGE = 250;
/** In the queue when we add to it: a fresh recording waits for no more than these, and a store that is away for few. */
const MOST_QUEUED = 20;
/** At once, where files are read whole for their index. */
const MOST_READ_WHOLE = 2;
/** What waits has its place in the queue, and what it has failed already counts. */
const PICTURES = ["thumbnails", "thumbnail_queue"];
const COLUMNS = [
  ...["recordings.id", "node_id", "start_us", "end_us", "format", "tracks", "stream_id", "segment_number"],
  ...["local", "recordings.archive", "step", "paths.archive as wanted"],
];

type Row = Pick<
  PlayableRow,
  "id" | "start_us" | "end_us" | "format" | "tracks" | "stream_id" | "segment_number" | "local" | "archive" | "step"
> & { readonly node_id: string; readonly wanted: "all" | "none" | null };

export interface CatchUp {
  /** They join the queue when this is noted. */
  readonly withoutPictures: readonly RecordingId[];
  /** MPEG-TS on disk without a fragment index: from before there were any, or it cannot be cut. */
  readonly uncut: readonly RecordingId[];
  readonly next: Place;
}

/** Of the next page of rows; "full": enough wait already; "done": all were walked. `intervalUs`: of the pictures, not 0. */
export async function findToCatchUp(catalog: Catalog, intervalUs: number): Promise<CatchUp | "full" | "done"> {
  const place = await placeOf(catalog);
  if (place.pass === "done") return "done";
  const room = MOST_QUEUED - (await countWaitingForThumbnails(catalog));
  if (room <= 0) return "full";
  return translating("look for recordings without pictures", async () => {
    const rows = await olderThan(catalog, place);
    const own = rows.filter((row) => isOfPass(catalog, place, row));
    const pictureless = new Set(await without(catalog, PICTURES, own.filter(hasPicturesIn(intervalUs))));
    const uncut = new Set(await without(catalog, ["fragment_indexes"], own.filter(isUncutFormat)));
    const due = own.filter((row) => pictureless.has(row) || uncut.has(row));
    const most = Math.min(room, uncut.size > 0 ? MOST_READ_WHOLE : room);
    const chosen = due.slice(0, most);
    const last = due.length > most ? chosen.at(-1) : rows.length < PAGE ? undefined : rows.at(-1);
    return {
      withoutPictures: chosen.filter((row) => pictureless.has(row)).map(({ id }) => id),
      uncut: chosen.filter((row) => uncut.has(row)).map(({ id }) => id),
      next: following(place, last),
    };
  });
}

export function noteCaughtUp(catalog: Catalog, { withoutPictures, next }: CatchUp): Promise<void> {
  return translating("queue recordings without pictures", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const queue = { nodeId: catalog.nodeId, dueAtUs: catalog.clock.nowUs() };
      const queued = withoutPictures.map((id) => ({ id, ...queue }));
      await queueThumbnails(trx, queued);
      await remember({ ...catalog, db: trx }, { picturedTo: JSON.stringify(next) });
    }),
  );
}

/** No pictures are made now: what is recorded meanwhile is caught up when they are made again. */
export function restartThumbnailCatchUp(catalog: Catalog): Promise<void> {
  return forget(catalog, "picturedTo");
}

async function placeOf(catalog: Catalog): Promise<Place> {
  const { picturedTo } = await recall(catalog);
  return picturedTo === undefined ? beginOf("local") : placeSchema.parse(JSON.parse(picturedTo));
}

function beginOf(pass: WalkedPlace["pass"]): WalkedPlace {
  return { pass, startUs: Number.MAX_SAFE_INTEGER, id: "" };
}

function following({ pass }: WalkedPlace, last: Row | undefined): Place {
  if (last !== undefined) return { pass, startUs: Number(last.start_us), id: last.id };
  return pass === "local" ? beginOf("archived") : { pass: "done" };
}

async function olderThan({ db }: Catalog, { startUs, id }: WalkedPlace): Promise<Row[]> {
  // The plain bound on start_us lets both databases walk the index; the row value settles equal starts.
  const rows: unknown = await db("recordings")
    .leftJoin("paths", "paths.name", "recordings.path")
    .where("start_us", "<=", startUs)
    .andWhereRaw("(start_us, recordings.id) < (?, ?)", [startUs, id])
    .orderBy([
      { column: "start_us", order: "desc" },
      { column: "recordings.id", order: "desc" },
    ])
    .limit(PAGE)
    .select(COLUMNS);
  return rows as Row[];
}

/** What is not inspected yet is looked into then. */
function isOfPass({ nodeId }: Catalog, { pass }: WalkedPlace, { node_id, local, archive, step }: Row): boolean {
  if (node_id !== nodeId || step === "settle" || step === "inspect" || step === "delete") return false;
  return pass === "local" ? local === "present" : local !== "present" && archive === "verified";
}

/** Where nothing goes to the store, no picture does either. */
function hasPicturesIn(intervalUs: number): (row: Row) => boolean {
  const tracksOf = createTracksParser();
  return (row) => {
    const facts = { format: row.format, startUs: Number(row.start_us), endUs: Number(row.end_us) };
    const pictured = { ...facts, tracks: tracksOf(row.tracks), position: positionOf(row) };
    return row.wanted !== "none" && pictureInstants(pictured, intervalUs).length > 0;
  };
}

function isUncutFormat({ format, local }: Row): boolean {
  return format === "mpegts" && local === "present";
}

/** Those of which none of the tables knows anything. */
async function without({ db }: Catalog, tables: readonly string[], rows: readonly Row[]): Promise<Row[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const known = new Set<string>();
  for (const table of tables) {
    const found = (await db(table).whereIn("recording_id", ids).distinct("recording_id")) as { recording_id: string }[];
    for (const { recording_id: id } of found) known.add(id);
  }
  return rows.filter(({ id }) => !known.has(id));
}
