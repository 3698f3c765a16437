/** Rows against the record directory, a directory at a time. What looks wrong is looked at again before it is told. */
import { lstat } from "node:fs/promises";
import path from "node:path";

import { findFilesInDirectory, type KnownFile, listOnDisk } from "../catalog/files-on-disk.js";
import { findRecording, findRecordingOfFile, findRecordingOnDisk, markMissing } from "../catalog/recordings.js";
import { AppError, describeError, errnoOf, isAppError } from "../core/errors.js";
import { type FileStat, looksUnchanged } from "../core/file-identity.js";
import type { Recording } from "../core/recording.js";
import { mapInOrder } from "../platform/map-in-order.js";
import { about, type VerifyRun } from "./verify-deps.js";

const FILES_AT_ONCE = 8;
const READS_AT_ONCE = 4;
/** Hook, watch and scan have this long to learn of a file. */
const RECENT_US = 60_000_000;
/** More at once are not believed, so no more need to be kept. */
const MOST_KEPT = 1_000;

export async function compareFiles(run: VerifyRun): Promise<void> {
  const doubt = await run.doubtAbout("files");
  if (doubt !== null) {
    run.tellUnchecked({ what: "files", why: doubt });
    return;
  }
  try {
    await compareWhatIsThere(run);
    await compareRows(run);
  } catch (error) {
    if (run.signal.aborted || !isAppError(error)) throw error;
    run.tellUnchecked({ what: "the rest of the files", why: describeError(error) });
  }
}

async function compareWhatIsThere(run: VerifyRun): Promise<void> {
  for await (const { directory, files } of run.walkFiles(run.signal)) {
    if (files.length === 0) continue;
    const known = await findFilesInDirectory(run.catalog, directory);
    const names = files.map((name) => (directory === "" ? name : `${directory}/${name}`));
    const looks = mapInOrder(names, FILES_AT_ONCE, (filePath) => lookAtFile(run, filePath, known.get(filePath)));
    for await (const tell of looks) await tell?.();
  }
}

/** Returns what is to be told, in turn. */
async function lookAtFile(
  run: VerifyRun,
  filePath: string,
  row: KnownFile | undefined,
): Promise<(() => Promise<void>) | undefined> {
  run.counts.files += 1;
  try {
    const stat = await statOf(run, filePath);
    if (stat === undefined || isRecent(run, stat)) return undefined;
    if (row !== undefined && looksUnchanged(row.fileIdentity, stat)) return undefined;
    const now = await findRecordingOnDisk(run.catalog, filePath);
    if (now === undefined) return await lookAtUnknown(run, filePath);
    const isUnderWay = now.local === "open" || now.step === "settle" || now.step === "inspect";
    if (isUnderWay || looksUnchanged(now.fileIdentity, stat)) return undefined;
    return () => tellFile(run, now, filePath);
  } catch (error) {
    if (run.signal.aborted || !isAppError(error)) throw error;
    run.tellUnchecked({ what: `file ${filePath}`, why: describeError(error) });
    return undefined;
  }
}

async function lookAtUnknown(run: VerifyRun, filePath: string): Promise<(() => Promise<void>) | undefined> {
  const found = await run.examineFile(filePath);
  if (found?.closed !== true) return undefined;
  const row = await findRecordingOfFile(run.catalog, { path: found.path, filePath, aroundUs: found.startUs });
  // On its way to the trash, or gone since it was listed.
  if (row?.local === "trashed" || (await statOf(run, filePath)) === undefined) return undefined;
  return () => tellFile(run, undefined, filePath);
}

async function tellFile(run: VerifyRun, row: Recording | undefined, filePath: string): Promise<void> {
  const found = run.options.repair ? await run.examineFile(filePath) : undefined;
  if (found !== undefined) await run.adoptFile(found);
  run.tell({
    ...(row === undefined ? { recordingId: null, path: null, filePath, objectKey: null } : about(row)),
    kind: row === undefined ? "file-unknown" : "file-changed",
    meaning:
      row === undefined ? "a segment that no row knows of" : "the file is another one than the row says (size or time)",
    advice: "the next scan takes it in, and so does --repair",
    repaired: found === undefined ? null : "taken in",
  });
}

async function compareRows(run: VerifyRun): Promise<void> {
  const gone: Recording[] = [];
  let missing = 0;
  const atOnce = run.options.full ? READS_AT_ONCE : FILES_AT_ONCE;
  const looks = mapInOrder(listOnDisk(run.catalog), atOnce, async (row) => ({ row, what: await lookAtRow(run, row) }));
  for await (const { row, what } of looks) {
    if (what === "differs") tellDamaged(run, row);
    if (what !== "missing") continue;
    missing += 1;
    if (gone.length < MOST_KEPT) gone.push(row);
  }
  const mayRepair = run.options.repair && (await run.mayMarkMissing({ missing, onDisk: run.counts.rowsOnDisk }));
  for (const row of gone) await tellMissing(run, row, mayRepair);
}

async function lookAtRow(run: VerifyRun, row: Recording): Promise<"same" | "missing" | "differs"> {
  run.counts.rowsOnDisk += 1;
  try {
    const stat = await statOf(run, row.filePath);
    if (stat === undefined) return (await isAsSeen(run, row)) ? "missing" : "same";
    if (!run.options.full || row.sha256 === null || !looksUnchanged(row.fileIdentity, stat)) return "same";
    const sha256 = await run.hashFile(path.join(run.recordDir, row.filePath), run.signal);
    run.counts.filesRead += 1;
    if (sha256 === row.sha256) return "same";
    const after = await statOf(run, row.filePath);
    const isSame = after !== undefined && looksUnchanged(row.fileIdentity, after);
    return isSame && (await isAsSeen(run, row)) ? "differs" : "same";
  } catch (error) {
    if (run.signal.aborted || !isAppError(error)) throw error;
    run.tellUnchecked({ what: `file ${row.filePath}`, why: describeError(error) });
    return "same";
  }
}

async function isAsSeen(run: VerifyRun, row: Recording): Promise<boolean> {
  const now = await findRecording(run.catalog, row.id);
  return now?.local === row.local && now.filePath === row.filePath && now.fileIdentity === row.fileIdentity;
}

function tellDamaged(run: VerifyRun, row: Recording): void {
  const isArchived = row.archive === "verified";
  run.tell({
    ...about(row),
    kind: "file-differs",
    meaning: "the file's bytes are not those that were hashed, though its size and time are: the disk is at fault",
    advice: isArchived
      ? "check the disk; the archived copy is whole: put it in the file's place"
      : "check the disk; there is no archived copy of the bytes that were hashed",
    repaired: null,
  });
}

async function tellMissing(run: VerifyRun, row: Recording, mayRepair: boolean): Promise<void> {
  const isArchived = row.archive === "verified";
  const marked = mayRepair && (await markMissing(run.catalog, row, "the file vanished from the record directory"));
  run.tell({
    ...about(row),
    kind: "file-missing",
    meaning: isArchived ? "the file is gone; the archived copy is there" : "the file is gone, and it was not archived",
    advice: "restore the file if somebody removed it; else the next scan, or --repair, marks the row as missing",
    repaired: marked ? "marked as missing" : null,
  });
}

async function statOf(run: VerifyRun, filePath: string): Promise<FileStat | undefined> {
  try {
    return await lstat(path.join(run.recordDir, filePath), { bigint: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw new AppError({ kind: "unavailable", message: `look at ${filePath}`, cause: error });
  }
}

function isRecent(run: VerifyRun, stat: FileStat): boolean {
  return run.catalog.clock.nowUs() - Number(stat.mtimeNs / 1_000n) < RECENT_US;
}
