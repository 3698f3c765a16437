/** Rows by their object key, byte by byte in the order in which a store lists, and what takes a false proof back. */
import type { Knex } from "knex";

import type { Recording } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { dialectOf } from "./dialect.js";
import { columnsOf, recordingFromRow, type RecordingPatch } from "./recording-row.js";

const PAGE = 500;
const COUNTED_AT_ONCE = 10_000;

/** All machines' rows that name an object, from the key after `after`; a page in memory at a time. */
export async function* listByObjectKey(catalog: Catalog, after = ""): AsyncGenerator<Recording> {
  let last = after;
  for (;;) {
    const page = await pageAfter(catalog, last, PAGE);
    yield* page;
    const end = page.at(-1)?.objectKey ?? null;
    if (end === null || page.length < PAGE) return;
    last = end;
  }
}

/** The next row whose object is proven; undefined after the last. */
export function findVerifiedAfter(catalog: Catalog, after: string): Promise<Recording | undefined> {
  return translating("find the next archived recording", async () => {
    const rows = (await inKeyOrder(catalog, after).where({ archive: "verified" }).limit(1)) as unknown[];
    return rows.map(recordingFromRow)[0];
  });
}

/** Rows that name an object, proven or not: a page of the index at a time, for who waits for the connection meanwhile. */
export function countObjectKeys(catalog: Catalog, atOnce = COUNTED_AT_ONCE): Promise<number> {
  return translating("count archived recordings", async () => {
    let counted = 0;
    for (let last = ""; ;) {
      const rows = (await inKeyOrder(catalog, last)
        .offset(atOnce - 1)
        .limit(1)
        .select("object_key")) as { object_key: string }[];
      const end = rows[0]?.object_key;
      if (end === undefined) return counted + (await countAfter(catalog, last));
      counted += atOnce;
      last = end;
    }
  });
}

async function countAfter(catalog: Catalog, after: string): Promise<number> {
  const rows = (await inKeyOrder(catalog, after).clearOrder().count({ objects: "*" })) as {
    objects: number | string;
  }[];
  return Number(rows[0]?.objects ?? 0);
}

/** More than one when two rows name one object. */
export function findByObjectKey(catalog: Catalog, key: string): Promise<Recording[]> {
  return translating("find the recording of an object", async () => {
    const rows: unknown[] = await catalog.db("recordings").where({ object_key: key });
    return rows.map(recordingFromRow);
  });
}

/** Only while the row is as it was seen: archived, and not to be deleted or on its way to the trash. */
export function takeProofBack(catalog: Catalog, row: Recording, patch: RecordingPatch): Promise<boolean> {
  return translating("take a proof back", async () => {
    const nowUs = catalog.clock.nowUs();
    const changed = await catalog
      .db("recordings")
      .where({ id: row.id, archive: "verified", object_key: row.objectKey, local: row.local })
      .andWhereRaw("(step is null or step not in ('delete', 'unlink'))")
      .update({
        ...columnsOf(patch),
        attempts: 0,
        next_attempt_at_us: nowUs,
        lease_owner: null,
        lease_until_us: null,
        updated_at_us: nowUs,
      });
    return changed > 0;
  });
}

async function pageAfter(catalog: Catalog, after: string, limit: number): Promise<Recording[]> {
  return translating("list recordings by object", async () => {
    const rows = (await inKeyOrder(catalog, after).limit(limit)) as unknown[];
    return rows.map(recordingFromRow);
  });
}

function inKeyOrder({ db }: Catalog, after: string): Knex.QueryBuilder {
  const key = dialectOf(db) === "postgres" ? `object_key collate "C"` : "object_key";
  return db("recordings").whereNotNull("object_key").whereRaw(`${key} > ?`, [after]).orderByRaw(key);
}
