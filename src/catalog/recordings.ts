/**
 * The `recordings` table row by row. What files that were found do to it: found-files.ts; the steps: recording-queue.ts;
 * lists: files-on-disk.ts, for viewers recording-lists.ts.
 */
import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import { AppError } from "../core/errors.js";
import type { FoundFile } from "../core/found-file.js";
import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { ON_DISK } from "./files-on-disk.js";
import { refreshGaps } from "./gaps.js";
import { recordingFromRow, rowOf } from "./recording-row.js";
import { inWriteTransaction } from "./write-transaction.js";

/** All that a row needs to be born. */
export type NewRecording = Omit<Recording, "id" | "nodeId" | "leaseOwner" | "createdAtUs" | "updatedAtUs"> & {
  readonly id?: RecordingId;
};

interface NamedFile {
  readonly path: PathName;
  readonly filePath: string;
  readonly aroundUs: number;
}

/** A name and the `mtxi` box of its file differ by less than MediaMTX's clock estimate may be off (5 s). */
export const NAME_TOLERANCE_US = 10_000_000;

export function findRecording(catalog: Catalog, id: RecordingId): Promise<Recording | undefined> {
  return translating("find a recording", async () =>
    firstOf(await catalog.readDb("recordings").where({ id }).limit(1)),
  );
}

/** The row of the file that is on disk under this name now. */
export function findRecordingOnDisk(catalog: Catalog, filePath: string): Promise<Recording | undefined> {
  return translating("find a recording by file", async () =>
    firstOf(
      await catalog.db("recordings").where({ node_id: catalog.nodeId, file_path: filePath }).whereRaw(ON_DISK).limit(1),
    ),
  );
}

/** The row of a file whatever its state, found by path and about when it began. */
export function findRecordingOfFile(catalog: Catalog, file: NamedFile): Promise<Recording | undefined> {
  return translating("find a recording of a file", () => findOfFile(catalog.db, file));
}

/** Is there a segment of this path that starts later? */
export function hasLaterRecording(catalog: Catalog, path: PathName, startUs: number): Promise<boolean> {
  return translating("look for a later segment", async () => {
    const rows: unknown[] = await catalog
      .db("recordings")
      .where({ path })
      .andWhere("start_us", ">", startUs)
      .limit(1)
      .select("id");
    return rows.length > 0;
  });
}

/** A row for footage whose local copy is not here. */
export function insertRecording(catalog: Catalog, facts: NewRecording): Promise<Recording> {
  return translating("insert a recording", () =>
    inWriteTransaction(catalog, [facts.path], (trx) => insertComplete(catalog, trx, facts)),
  );
}

/** The row of a file that is named and is not there: the one that it has, whatever its state, else a new one. */
export function recordAbsentFile(
  catalog: Catalog,
  facts: NewRecording,
): Promise<{ readonly id: RecordingId; readonly isNew: boolean }> {
  return translating("record an absent file", () =>
    inWriteTransaction(catalog, [facts.path], async (trx) => {
      const { path, filePath, startUs } = facts;
      const known = await findOfFile(trx, { path, filePath, aroundUs: startUs });
      if (known !== undefined) return { id: known.id, isNew: false };
      return { id: (await insertComplete(catalog, trx, facts)).id, isNew: true };
    }),
  );
}

/**
 * The file is proven absent and it was not us: says so, and ends what was due, but for a deletion that a person asked
 * for. Only while the row is still as it was seen.
 */
export function markMissing(catalog: Catalog, recording: Recording, error: string): Promise<boolean> {
  return translating("mark a recording as missing", async () => {
    const changed = await catalog
      .db("recordings")
      .where({ id: recording.id, local: recording.local, file_path: recording.filePath })
      .andWhere({ file_identity: recording.fileIdentity })
      .update({
        local: "missing",
        step: catalog.db.raw("case when step = 'delete' then step end"),
        lease_owner: null,
        error,
        updated_at_us: catalog.clock.nowUs(),
      });
    return changed > 0;
  });
}

/**
 * A person asked for it: the worker removes both copies next. A step that is at work keeps its lease, so that the two
 * never meet; it can no longer commit. Throws `not-found`.
 */
export function requestDeletion(catalog: Catalog, id: RecordingId): Promise<void> {
  return translating("request the deletion of a recording", async () => {
    const nowUs = catalog.clock.nowUs();
    const changed = await catalog.db("recordings").where({ id }).update({
      step: "delete",
      attempts: 0,
      next_attempt_at_us: nowUs,
      error: null,
      updated_at_us: nowUs,
    });
    if (changed === 0) throw new AppError({ kind: "not-found", message: `recording ${id} does not exist` });
  });
}

export function isSameSegment(row: Recording, found: Pick<FoundFile, "position" | "filePath" | "bytes">): boolean {
  if (row.position !== null && found.position !== null) {
    return (
      row.position.streamId === found.position.streamId && row.position.segmentNumber === found.position.segmentNumber
    );
  }
  // Nobody has looked at the file of a row without an identity and without bytes.
  const wasNeverSeen = row.fileIdentity === null && row.bytes === 0;
  return row.filePath === found.filePath && (wasNeverSeen || row.bytes === found.bytes);
}

async function findOfFile(db: Knex, { path, filePath, aroundUs }: NamedFile): Promise<Recording | undefined> {
  return firstOf(
    await db("recordings")
      .where({ path, file_path: filePath })
      .andWhereBetween("start_us", [aroundUs - NAME_TOLERANCE_US, aroundUs + NAME_TOLERANCE_US])
      .limit(1),
  );
}

async function insertComplete(catalog: Catalog, trx: Knex, facts: NewRecording): Promise<Recording> {
  const recording = completeRecording(catalog, facts);
  await insertRows(trx, [recording]);
  await refreshGaps(trx, [recording]);
  return recording;
}

/** By one statement; the gaps around them are the caller's to refresh. */
export async function insertRows(trx: Knex, recordings: readonly Recording[]): Promise<void> {
  const rows = recordings.map(rowOf);
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) return;
  // knex would write a select with names for each row.
  const places = `(${columns.map(() => "?").join(", ")})`;
  await trx.raw(
    `insert into recordings (${columns.join(", ")}) values ${rows.map(() => places).join(", ")}`,
    rows.flatMap((row) => columns.map((column) => row[column] ?? null)) as string[],
  );
}

/** Gives facts what every new row has. */
export function completeRecording(catalog: Catalog, facts: NewRecording): Recording {
  const nowUs = catalog.clock.nowUs();
  return {
    ...facts,
    id: facts.id ?? (uuidv7() as RecordingId),
    nodeId: catalog.nodeId,
    leaseOwner: null,
    createdAtUs: nowUs,
    updatedAtUs: nowUs,
  };
}

function firstOf(rows: unknown[]): Recording | undefined {
  return rows[0] === undefined ? undefined : recordingFromRow(rows[0]);
}
