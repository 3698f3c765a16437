/**
 * Brings the rows of `recordings` in line with files that were found. Whoever finds many, or is one of many who find,
 * costs a few statements for all of them: hooks wait for it, and each statement is a trip to another thread.
 */
import type { Knex } from "knex";

import { type Finding, type FoundFile, judgeFoundFile, LOOK_AT_OPEN_AFTER_MS } from "../core/found-file.js";
import type { PathName } from "../core/path-name.js";
import { isOnDisk, NOT_LOOKED_INTO, type Recording, type RecordingId } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { type RawRows, rowsOf } from "./dialect.js";
import { ON_DISK } from "./files-on-disk.js";
import { refreshGaps } from "./gaps.js";
import { columnsOf, recordingFromRow } from "./recording-row.js";
import { completeRecording, insertRows, isSameSegment, NAME_TOLERANCE_US } from "./recordings.js";
import { type Place, stretchesOf } from "./stretches.js";
import { inHookTransaction, inWriteTransaction } from "./write-transaction.js";

export interface FoundResult {
  readonly id: RecordingId;
  readonly finding: Finding["kind"];
}

const ROWS_PER_TRANSACTION = 100;
/** Longer than from a look at a file to the note of it, on the slowest disk and with a database that was locked. */
const LATE_NOTE_US = 600_000_000;

/** In file order. Idempotent; one transaction per hundred files. */
export function recordFoundFiles(catalog: Catalog, files: readonly FoundFile[]): Promise<FoundResult[]> {
  return translating("record found files", async () => {
    const results: FoundResult[] = [];
    for (let first = 0; first < files.length; first += ROWS_PER_TRANSACTION) {
      const batch = files.slice(first, first + ROWS_PER_TRANSACTION);
      const paths = batch.map(({ path }) => path);
      const begin = batch.some(({ origin }) => origin === "hook") ? inHookTransaction : inWriteTransaction;
      const batchResults = await begin(catalog, paths, async (trx) => {
        const done = await new FoundBatch(catalog, trx).record(batch);
        await faultPoint("ingest.in-record");
        return done;
      });
      results.push(...batchResults);
    }
    return results;
  });
}

/** What the rows say of a file. */
interface Known {
  /** The row of the file that is on disk under this name now. */
  readonly onDisk: Recording | undefined;
  /** Rows of the path whose local copy is not on disk and that start about when the file does, the first one first. */
  readonly nearby: readonly NearbyRow[];
}

type KnownOf = (found: FoundFile) => Known;

interface NearbyRow {
  readonly row: Recording;
  /** It was us who removed its local copy. */
  readonly wasRemoved: boolean;
}

/**
 * The files of one transaction. All of them are looked up at once, new rows are inserted together, and gaps come last.
 * A file is looked up again where one before it has changed what the rows say of it.
 */
class FoundBatch {
  readonly #catalog: Catalog;
  readonly #trx: Knex;
  /** Not inserted yet. */
  #born: Recording[] = [];
  readonly #moved: Place[] = [];
  /** File paths that have another row now, and paths some of whose rows are on disk or missing only now. */
  readonly #changed = { files: new Set<string>(), paths: new Set<PathName>() };

  constructor(catalog: Catalog, trx: Knex) {
    this.#catalog = catalog;
    this.#trx = trx;
  }

  async record(files: readonly FoundFile[]): Promise<FoundResult[]> {
    const looked = await lookUp(this.#catalog, this.#trx, files);
    const results: FoundResult[] = [];
    for (const found of files) {
      results.push(await this.#recordOne(found, this.#isChanged(found) ? await this.#lookAgain(found) : looked(found)));
    }
    await this.#insertBorn();
    await refreshGaps(this.#trx, this.#moved);
    return results;
  }

  #isChanged({ filePath, path }: FoundFile): boolean {
    return this.#changed.files.has(filePath) || this.#changed.paths.has(path);
  }

  async #lookAgain(found: FoundFile): Promise<Known> {
    await this.#insertBorn();
    return (await lookUp(this.#catalog, this.#trx, [found]))(found);
  }

  async #recordOne(found: FoundFile, { onDisk, nearby }: Known): Promise<FoundResult> {
    const finding = judgeFoundFile(onDisk, found).kind;
    if (onDisk === undefined || finding === "insert") return this.#recordUnknown(found, nearby);
    switch (finding) {
      case "unchanged":
        return { id: onDisk.id, finding };
      case "refresh":
        return { id: await this.#refresh(onDisk, found), finding };
      case "replace":
        await this.#loseFile(onDisk);
        return { id: await this.#insert(found, nearby), finding };
      default:
        return finding satisfies never;
    }
  }

  /** No row says that a file of this name is on disk. */
  async #recordUnknown(found: FoundFile, nearby: readonly NearbyRow[]): Promise<FoundResult> {
    const going = nearby.find((near) => isGoing(this.#catalog, near, found));
    if (going !== undefined) return { id: going.row.id, finding: "unchanged" };
    return { id: await this.#insert(found, nearby), finding: "insert" };
  }

  async #insert(found: FoundFile, nearby: readonly NearbyRow[]): Promise<RecordingId> {
    const away = nearby.find(({ row }) => isAway(row, found));
    if (away !== undefined) return this.#refresh(away.row, found);
    const recording = completeRecording(this.#catalog, {
      ...NOT_LOOKED_INTO,
      ...factsOf(found),
      endUs: found.startUs,
      nextAttemptAtUs: this.#catalog.clock.nowUs() + (found.closed ? 0 : LOOK_AT_OPEN_AFTER_MS * 1_000),
      origin: found.origin,
    });
    this.#born.push(recording);
    this.#moved.push(recording);
    this.#changed.files.add(found.filePath);
    return recording.id;
  }

  async #insertBorn(): Promise<void> {
    const born = this.#born;
    this.#born = [];
    await insertRows(this.#trx, born);
  }

  /** What was archived stays archived; what was hashed is hashed again, and compared with the archive by the step. */
  async #refresh(row: Recording, found: FoundFile): Promise<RecordingId> {
    const nowUs = this.#catalog.clock.nowUs();
    // What `mtxi` said once holds, also when this look could not read it.
    const knowsBetter = found.position === null && row.position !== null;
    const { startUs, position } = knowsBetter ? row : found;
    await this.#trx("recordings")
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
        node_id: this.#catalog.nodeId,
        lease_owner: null,
        lease_until_us: null,
        updated_at_us: nowUs,
      });
    if (isMoved(row, { startUs, position })) this.#moved.push(row, { path: row.path, startUs });
    this.#changed.files.add(found.filePath);
    if (!isHere(row)) this.#changed.paths.add(row.path);
    return row.id;
  }

  async #loseFile(row: Recording): Promise<void> {
    await this.#trx("recordings")
      .where({ id: row.id })
      .update({
        local: "missing",
        step: row.step === "delete" ? "delete" : null,
        lease_owner: null,
        error: "the file was overwritten by a later recording of the same name",
        updated_at_us: this.#catalog.clock.nowUs(),
      });
    this.#changed.paths.add(row.path);
  }
}

function isHere({ local }: Recording): boolean {
  return local === "open" || local === "present";
}

/** Its place in the timeline is another one, or it had none before; see gaps.ts. */
function isMoved(row: Recording, { startUs, position }: Pick<Recording, "startUs" | "position">): boolean {
  if (!isHere(row)) return true;
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

const WAS_REMOVED = `exists (select 1 from removals where removals.recording_id = recordings.id
  and removals.what = 'local' and removals.file_identity = recordings.file_identity)`;
const ROWS = `select recordings.*, ${WAS_REMOVED} as was_removed from recordings`;
const AWAY = "local in ('trashed', 'released', 'deleted', 'missing')";

/** What the rows say of each of these files, by one statement. */
async function lookUp(catalog: Catalog, trx: Knex, files: readonly FoundFile[]): Promise<KnownOf> {
  const names = files.map(({ filePath }) => filePath);
  const stretches = stretchesOf(files);
  const parts = [
    `${ROWS} where node_id = ? and file_path in (${names.map(() => "?").join(", ")}) and ${ON_DISK}`,
    ...stretches.map(() => `${ROWS} where path = ? and start_us between ? and ? and ${AWAY}`),
  ];
  const answer = (await trx.raw(parts.join("\nunion all\n"), [
    ...[catalog.nodeId, ...names],
    ...stretches.flatMap(({ path, firstUs, lastUs }) => [
      path,
      firstUs - NAME_TOLERANCE_US,
      lastUs + NAME_TOLERANCE_US,
    ]),
  ])) as RawRows<{ readonly was_removed: unknown }>;
  const rows = rowsOf(answer)
    .map((raw) => ({ row: recordingFromRow(raw), wasRemoved: Boolean(raw.was_removed) }))
    .toSorted((a, b) => a.row.startUs - b.row.startUs || (a.row.id < b.row.id ? -1 : 1));
  const onDisk = new Map(rows.filter(({ row }) => isOnDisk(row)).map(({ row }) => [row.filePath, row]));
  const away = rows.filter(({ row }) => !isOnDisk(row));
  return ({ path, filePath, startUs }) => ({
    onDisk: onDisk.get(filePath),
    nearby: away.filter(({ row }) => row.path === path && Math.abs(row.startUs - startUs) <= NAME_TOLERANCE_US),
  });
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
