/** Rows that learn from the store what a lost or an older database no longer says (F38, F39). */
import { isOnDisk, type Recording } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { storeFragmentIndexes } from "./fragment-indexes.js";
import { refreshGaps } from "./gaps.js";
import { columnsOf, recordingFromRow, rowOf } from "./recording-row.js";
import { completeRecording, isSameSegment, NAME_TOLERANCE_US, type NewRecording } from "./recordings.js";
import { queueThumbnails } from "./thumbnail-queue.js";
import { inWriteTransaction } from "./write-transaction.js";

/** What an object tells of the recording that it is the copy of. */
export interface ArchivedRecording {
  readonly facts: NewRecording;
  /** Encoded; undefined where the format has none or the row has it already. */
  readonly fragmentIndex: Uint8Array | undefined;
  /** It waits for its periodic pictures, which are in the store already or are made. */
  readonly thumbnailsDue?: boolean;
}

/** The row of the same segment, whatever its state and id: rows of a lost database were born again with other ids. */
export function findSameSegment(catalog: Catalog, facts: NewRecording): Promise<Recording | undefined> {
  return translating("find the row of a segment", async () => {
    const rows: unknown[] = await catalog
      .db("recordings")
      .where({ path: facts.path, format: facts.format })
      .andWhereBetween("start_us", [facts.startUs - NAME_TOLERANCE_US, facts.startUs + NAME_TOLERANCE_US]);
    return rows.map(recordingFromRow).find((row) => isSameSegment(row, facts));
  });
}

export function insertArchivedRecording(catalog: Catalog, archived: ArchivedRecording): Promise<void> {
  return translating("insert an archived recording", async () => {
    const recording = completeRecording(catalog, archived.facts);
    await inWriteTransaction(catalog, [recording.path], async (trx) => {
      await trx("recordings").insert(rowOf(recording));
      if (archived.fragmentIndex !== undefined)
        await storeFragmentIndexes(trx, [{ id: recording.id, fragmentIndex: archived.fragmentIndex }]);
      if (archived.thumbnailsDue === true) {
        await queueThumbnails(trx, [{ id: recording.id, nodeId: catalog.nodeId, dueAtUs: catalog.clock.nowUs() }]);
      }
      await refreshGaps(trx, [recording]);
    });
  });
}

/**
 * The store holds a copy that the row knows nothing of: the database is older than the copy. What is on disk is
 * inspected again and compared with it. False when the row has as good a copy already, or is to be deleted.
 */
export function adoptArchivedCopy(catalog: Catalog, row: Recording, archived: ArchivedRecording): Promise<boolean> {
  const { facts, fragmentIndex } = archived;
  if (row.archive !== "none" && row.archive !== "uploading" && !isLaterVersion(row, facts)) {
    return Promise.resolve(false);
  }
  return translating("adopt an archived copy", () =>
    inWriteTransaction(catalog, [row.path], async (trx) => {
      const { startUs, endUs, mediaDurationUs, tracks, position, partial, objectKey, md5, sha256, verifiedAtUs } =
        facts;
      const known = { startUs, endUs, mediaDurationUs, tracks, position, partial };
      const nowUs = catalog.clock.nowUs();
      const changed = await trx("recordings")
        .where({ id: row.id, archive: row.archive, object_key: row.objectKey })
        .whereNot({ local: "deleted" })
        .andWhereRaw("(step is null or step <> 'delete')")
        .update({
          ...columnsOf({ ...known, archive: "verified", objectKey, md5, sha256, verifiedAtUs, uploadId: null }),
          ...(isOnDisk(row) ? {} : { bytes: facts.bytes }),
          ...(row.local === "present" ? { step: "inspect", attempts: 0, next_attempt_at_us: nowUs } : {}),
          lease_owner: null,
          lease_until_us: null,
          updated_at_us: nowUs,
        });
      if (changed === 0) return false;
      if (fragmentIndex !== undefined) await storeFragmentIndexes(trx, [{ id: row.id, fragmentIndex }]);
      await refreshGaps(trx, [row, { path: row.path, startUs }]);
      return true;
    }),
  );
}

/** A closed file that changed is archived again beside its first copy; it only ever grows. */
function isLaterVersion(row: Recording, facts: NewRecording): boolean {
  return (
    row.archive === "verified" && row.id === facts.id && row.objectKey !== facts.objectKey && facts.bytes > row.bytes
  );
}

/** For a row that was rebuilt without its fragment index. */
export function addFragmentIndex(catalog: Catalog, row: Recording, fragmentIndex: Uint8Array): Promise<void> {
  return translating("add a fragment index", () => storeFragmentIndexes(catalog.db, [{ id: row.id, fragmentIndex }]));
}
