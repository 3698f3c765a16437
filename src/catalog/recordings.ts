/** The `recordings` table as ingest and the steps write it. Lists: files-on-disk.ts, for viewers recording-lists.ts. */
import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import { AppError } from "../core/errors.js";
import { type Finding, type FoundFile, judgeFoundFile, LOOK_AT_OPEN_AFTER_MS } from "../core/found-file.js";
import type { PathName } from "../core/path-name.js";
import { NOT_LOOKED_INTO, type Recording, type RecordingId } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { ON_DISK } from "./files-on-disk.js";
import { refreshGaps } from "./gaps.js";
import { columnsOf, recordingFromRow, rowOf } from "./recording-row.js";
import { inWriteTransaction } from "./write-transaction.js";

/** All that a row needs to be born. */
export type NewRecording = Omit<Recording, "id" | "nodeId" | "leaseOwner" | "createdAtUs" | "updatedAtUs"> & {
  readonly id?: RecordingId;
};

export interface FoundResult {
  readonly id: RecordingId;
  readonly finding: Finding["kind"];
}

interface NamedFile {
  readonly path: PathName;
  readonly filePath: string;
  readonly aroundUs: number;
}

const ROWS_PER_TRANSACTION = 100;
/** A name and the `mtxi` box of its file differ by less than MediaMTX's clock estimate may be off (5 s). */
export const NAME_TOLERANCE_US = 10_000_000;
const WAS_REMOVED = `exists (select 1 from removals where removals.recording_id = recordings.id
  and removals.what = 'local' and removals.file_identity = recordings.file_identity)`;
/** Longer than from a look at a file to the note of it, on the slowest disk and with a database that was locked. */
const LATE_NOTE_US = 600_000_000;

export function findRecording(catalog: Catalog, id: RecordingId): Promise<Recording | undefined> {
  return translating("find a recording", async () =>
    firstOf(await catalog.readDb("recordings").where({ id }).limit(1)),
  );
}

/** The row of the file that is on disk under this name now. */
export function findRecordingOnDisk(catalog: Catalog, filePath: string): Promise<Recording | undefined> {
  return translating("find a recording by file", () => findOnDisk(catalog, catalog.db, filePath));
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

/** Brings rows in line with files that were found. Idempotent; one transaction per hundred files. */
export function recordFoundFiles(catalog: Catalog, files: readonly FoundFile[]): Promise<FoundResult[]> {
  return translating("record found files", async () => {
    const results: FoundResult[] = [];
    for (let first = 0; first < files.length; first += ROWS_PER_TRANSACTION) {
      const batch = files.slice(first, first + ROWS_PER_TRANSACTION);
      const paths = batch.map(({ path }) => path);
      const batchResults = await inWriteTransaction(catalog, paths, async (trx) => {
        const done: FoundResult[] = [];
        for (const found of batch) done.push(await recordOne(catalog, trx, found));
        await faultPoint("ingest.in-record");
        return done;
      });
      results.push(...batchResults);
    }
    return results;
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

async function recordOne(catalog: Catalog, trx: Knex, found: FoundFile): Promise<FoundResult> {
  const row = await findOnDisk(catalog, trx, found.filePath);
  const finding = judgeFoundFile(row, found).kind;
  if (row === undefined || finding === "insert") return recordUnknown(catalog, trx, found);
  switch (finding) {
    case "unchanged":
      return { id: row.id, finding };
    case "refresh":
      return { id: await refresh(catalog, trx, { row, found }), finding };
    case "replace":
      await trx("recordings")
        .where({ id: row.id })
        .update({
          local: "missing",
          step: row.step === "delete" ? "delete" : null,
          lease_owner: null,
          error: "the file was overwritten by a later recording of the same name",
          updated_at_us: catalog.clock.nowUs(),
        });
      return { id: await insertFound(catalog, trx, { found, nearby: await findNearby(trx, found) }), finding };
    default:
      return finding satisfies never;
  }
}

/** No row says that a file of this name is on disk. */
async function recordUnknown(catalog: Catalog, trx: Knex, found: FoundFile): Promise<FoundResult> {
  const nearby = await findNearby(trx, found);
  const going = nearby.find((near) => isGoing(catalog, near, found));
  if (going !== undefined) return { id: going.row.id, finding: "unchanged" };
  return { id: await insertFound(catalog, trx, { found, nearby }), finding: "insert" };
}

async function insertFound(
  catalog: Catalog,
  trx: Knex,
  { found, nearby }: { readonly found: FoundFile; readonly nearby: readonly NearbyRow[] },
): Promise<RecordingId> {
  const away = nearby.find(({ row }) => isAway(row, found));
  if (away !== undefined) return refresh(catalog, trx, { row: away.row, found });
  const recording = await insertComplete(catalog, trx, {
    ...NOT_LOOKED_INTO,
    ...factsOf(found),
    endUs: found.startUs,
    nextAttemptAtUs: catalog.clock.nowUs() + (found.closed ? 0 : LOOK_AT_OPEN_AFTER_MS * 1_000),
    origin: found.origin,
  });
  return recording.id;
}

/** What was archived stays archived; what was hashed is hashed again, and compared with the archive by the step. */
async function refresh(
  catalog: Catalog,
  trx: Knex,
  { row, found }: { readonly row: Recording; readonly found: FoundFile },
): Promise<RecordingId> {
  const nowUs = catalog.clock.nowUs();
  // What `mtxi` said once holds, also when this look could not read it.
  const knowsBetter = found.position === null && row.position !== null;
  const { startUs, position } = knowsBetter ? row : found;
  await trx("recordings")
    .where({ id: row.id })
    .update({
      ...columnsOf({
        ...factsOf(found),
        startUs,
        position,
        endUs: Math.max(row.endUs, startUs),
        attempts: 0,
        // A look that is due soon stays so.
        nextAttemptAtUs: found.closed || row.step !== "settle" ? nowUs : row.nextAttemptAtUs,
        error: null,
        ...(row.step === "delete" ? { step: row.step } : {}),
      }),
      node_id: catalog.nodeId,
      lease_owner: null,
      lease_until_us: null,
      updated_at_us: nowUs,
    });
  if (isMoved(row, { startUs, position })) await refreshGaps(trx, row.path, [row.startUs, startUs]);
  return row.id;
}

/** Its place in the timeline is another one, or it had none before; see gaps.ts. */
function isMoved(row: Recording, { startUs, position }: Pick<Recording, "startUs" | "position">): boolean {
  if (row.local !== "open" && row.local !== "present") return true;
  return (
    row.startUs !== startUs ||
    row.position?.streamId !== position?.streamId ||
    row.position?.segmentNumber !== position?.segmentNumber
  );
}

function factsOf(found: FoundFile) {
  return {
    path: found.path,
    format: found.format,
    startUs: found.startUs,
    position: found.position,
    filePath: found.filePath,
    fileIdentity: found.fileIdentity,
    bytes: found.bytes,
    local: found.closed ? ("present" as const) : ("open" as const),
    step: found.closed ? ("inspect" as const) : ("settle" as const),
  };
}

interface NearbyRow {
  readonly row: Recording;
  /** It was us who removed its local copy. */
  readonly wasRemoved: boolean;
}

/** Rows of the path whose local copy is not on disk and that start about when the file does. */
async function findNearby(trx: Knex, found: FoundFile): Promise<NearbyRow[]> {
  const rows = (await trx("recordings")
    .where({ path: found.path })
    .andWhereBetween("start_us", [found.startUs - NAME_TOLERANCE_US, found.startUs + NAME_TOLERANCE_US])
    .whereIn("local", ["trashed", "released", "deleted", "missing"])
    .orderBy(["start_us", "id"])
    .select("*", trx.raw(`${WAS_REMOVED} as was_removed`))) as { was_removed: unknown }[];
  return rows.map((raw) => ({ row: recordingFromRow(raw), wasRemoved: Boolean(raw.was_removed) }));
}

/**
 * The row of this very file, which is being removed (that is written down before the file is moved), or was removed by
 * us a moment ago: whoever tells of it now looked at it before that. Should it be there again all the same, brought
 * back as the same inode, a scan takes it when the moment is over.
 */
function isGoing(catalog: Catalog, { row, wasRemoved }: NearbyRow, found: FoundFile): boolean {
  if (row.nodeId !== catalog.nodeId || row.filePath !== found.filePath) return false;
  if (row.fileIdentity !== found.fileIdentity) return false;
  if (row.local === "trashed") return true;
  // Rows that came back from a bucket say "released" too, and nobody removed their files.
  if ((row.local !== "released" && row.local !== "deleted") || !wasRemoved) return false;
  return Math.abs(row.updatedAtUs - catalog.clock.nowUs()) <= LATE_NOTE_US;
}

/**
 * The row of the same segment whose local copy was away: a restored folder, a rebuilt or older database (F39), or a
 * file that a hook named before it could be seen (F6).
 */
function isAway(row: Recording, found: FoundFile): boolean {
  if (row.format !== found.format || (row.local !== "missing" && row.local !== "released")) return false;
  return isSameSegment(row, found);
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

async function findOnDisk(catalog: Catalog, trx: Knex, filePath: string): Promise<Recording | undefined> {
  return firstOf(
    await trx("recordings").where({ node_id: catalog.nodeId, file_path: filePath }).whereRaw(ON_DISK).limit(1),
  );
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
  await trx("recordings").insert(rowOf(recording));
  await refreshGaps(trx, recording.path, [recording.startUs]);
  return recording;
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
