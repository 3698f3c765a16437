/**
 * The truth about the record directory: brings the catalog in line with what is on disk, whatever hooks were lost. The
 * import of an existing archive is this same scan. Repeatable, and may be stopped anywhere.
 */
import { lstat } from "node:fs/promises";
import path from "node:path";

import { queueUnarchived } from "../catalog/path-policies.js";
import { listPaths } from "../catalog/paths.js";
import { forgetRejectedFiles, recordRejectedFile } from "../catalog/rejected-files.js";
import { findFilesInDirectory, type KnownFile, listFilesOnDisk } from "../catalog/files-on-disk.js";
import { findRecording, markMissing } from "../catalog/recordings.js";
import { AppError, errnoOf } from "../core/errors.js";
import { looksUnchanged } from "../core/file-identity.js";
import type { FoundFile } from "../core/found-file.js";
import type { PathName } from "../core/path-name.js";
import { isOnDisk, type RecordingId } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import type { Logger } from "../platform/logger.js";
import { type ExamineDeps, examineFile } from "./examine-file.js";
import { recordFound } from "./record-found.js";
import { joinRelative, type WalkedDirectory, walkRecordDir } from "./walk-record-dir.js";

export interface ScanDeps extends ExamineDeps {
  readonly logger: Logger;
  readonly wake: () => void;
  /** False: something is wrong with the disk, and no file counts as missing (F45). */
  readonly mayMarkMissing: (counts: { readonly missing: number; readonly onDisk: number }) => Promise<boolean>;
}

export interface ScanProgress {
  directories: number;
  files: number;
  /** Rows that were new or brought up to date. */
  recorded: number;
  rejected: number;
  missing: number;
  /** Files that are not there, and are not called missing: they are too many, or the disk is another one. */
  doubted: number;
}

export function emptyProgress(): ScanProgress {
  return { directories: 0, files: 0, recorded: 0, rejected: 0, missing: 0, doubted: 0 };
}

const EXAMINED_AT_ONCE = 16;
/** Recorded in one transaction: hooks take turns with the scan, and none waits for more than this. */
const FILES_PER_BATCH = 32;

/** One whole scan; `progress` is updated as it goes. Throws `unavailable` when the directory cannot be read. */
export async function scanRecordDir(deps: ScanDeps, progress: ScanProgress, signal: AbortSignal): Promise<void> {
  const startedAtUs = deps.catalog.clock.nowUs();
  const unarchived = new Set<PathName>();
  for await (const walked of walkRecordDir(deps.recordDir, signal)) {
    progress.directories += 1;
    // Of a directory of directories the database would walk all that lies below.
    if (walked.files.length === 0 && walked.refused.length === 0) continue;
    const known = await findFilesInDirectory(deps.catalog, walked.directory);
    for (const recording of known.values()) if (isLeftUnarchived(recording)) unarchived.add(recording.path);
    await scanDirectory(deps, { ...walked, known }, progress);
    await faultPoint("scan.after-directory");
  }
  await queueLeftUnarchived(deps, unarchived);
  await faultPoint("scan.before-missing");
  await findMissing(deps, progress, signal);
  await forgetRejectedFiles(deps.catalog, startedAtUs);
  await faultPoint("scan.after-forget");
}

interface KnownDirectory extends WalkedDirectory {
  readonly known: ReadonlyMap<string, KnownFile>;
}

/** Of a path that is not archived; or the path was set to be while a step still saw it as it was before. */
function isLeftUnarchived({ local, archive, step }: KnownFile): boolean {
  return local === "present" && step === null && (archive === "none" || archive === "uploading");
}

async function queueLeftUnarchived(deps: ScanDeps, paths: ReadonlySet<PathName>): Promise<void> {
  if (paths.size === 0) return;
  const settings = new Map((await listPaths(deps.catalog)).map((row) => [row.name, row]));
  for (const name of paths) {
    if (settings.get(name)?.archive === "none") continue;
    if ((await queueUnarchived(deps.catalog, name)) > 0) deps.wake();
  }
}

/** The files of one directory, without those below it. */
async function scanDirectory(deps: ScanDeps, walked: KnownDirectory, progress: ScanProgress): Promise<void> {
  for (const { name, reason } of walked.refused) {
    await reject(deps, progress, { filePath: joinRelative(walked.directory, name), reason, bytes: 0 });
  }
  const { known } = walked;
  for (let first = 0; first < walked.files.length; first += FILES_PER_BATCH) {
    const names = walked.files.slice(first, first + FILES_PER_BATCH);
    const filePaths = names.map((name) => joinRelative(walked.directory, name));
    const found = await examineBatch(deps, { filePaths, known, progress });
    progress.files += names.length;
    const recorded = await recordFound(deps, found);
    progress.recorded += recorded.filter(({ finding }) => finding !== "unchanged").length;
  }
}

interface Batch {
  readonly filePaths: readonly string[];
  readonly known: ReadonlyMap<string, KnownFile>;
  readonly progress: ScanProgress;
}

async function examineBatch(deps: ScanDeps, { filePaths, known, progress }: Batch): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (let first = 0; first < filePaths.length; first += EXAMINED_AT_ONCE) {
    const some = filePaths.slice(first, first + EXAMINED_AT_ONCE);
    const results = await Promise.all(some.map((filePath) => scanFile(deps, filePath, known.get(filePath))));
    for (const result of results) {
      if (result?.kind === "segment") found.push(result.found);
      if (result?.kind === "rejected") await reject(deps, progress, result);
    }
  }
  return found;
}

/** Undefined: known, and as it was. */
async function scanFile(deps: ScanDeps, filePath: string, known: KnownFile | undefined) {
  if (known !== undefined && known.local !== "open") {
    const stat = await lstat(path.join(deps.recordDir, filePath), { bigint: true }).catch(() => undefined);
    if (stat?.isFile() === true && looksUnchanged(known.fileIdentity, stat)) return undefined;
  }
  return { filePath, ...(await examineFile(deps, filePath, { origin: "scan" })) };
}

/** Rows that say "on disk" are compared with the disk; only a proven ENOENT counts, on the disk that we know. */
async function findMissing(deps: ScanDeps, progress: ScanProgress, signal: AbortSignal): Promise<void> {
  // No more than the ids: a disk that is not mounted has a million of them.
  const missing: RecordingId[] = [];
  let onDisk = 0;
  for await (const { id, filePath } of listFilesOnDisk(deps.catalog)) {
    signal.throwIfAborted();
    onDisk += 1;
    if (await isAbsent(path.join(deps.recordDir, filePath))) missing.push(id);
  }
  if (!(await deps.mayMarkMissing({ missing: missing.length, onDisk }))) {
    progress.doubted = missing.length;
    if (missing.length === 0) return;
    deps.logger.error("files vanished in a way that is not believed; none is marked as missing", {
      missing: missing.length,
      onDisk,
      hint: "is the right disk mounted at RECORD_DIR?",
    });
    return;
  }
  for (const id of missing) {
    await faultPoint("scan.before-mark");
    if (!(await markIfAbsent(deps, id))) continue;
    await faultPoint("scan.after-mark");
    progress.missing += 1;
  }
}

/** Looks once more: the row or the disk may be another one since the list was made. */
async function markIfAbsent({ catalog, logger, recordDir }: ScanDeps, id: RecordingId): Promise<boolean> {
  const recording = await findRecording(catalog, id);
  if (recording === undefined || !isOnDisk(recording)) return false;
  if (!(await isAbsent(path.join(recordDir, recording.filePath)))) return false;
  if (!(await markMissing(catalog, recording, "the file vanished from the record directory"))) return false;
  logger.error("file vanished", { segmentId: recording.id, path: recording.path, file: recording.filePath });
  return true;
}

async function isAbsent(absolutePath: string): Promise<boolean> {
  try {
    await lstat(absolutePath);
    return false;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return true;
    throw new AppError({ kind: "unavailable", message: `look for ${path.basename(absolutePath)}`, cause: error });
  }
}

async function reject(
  deps: ScanDeps,
  progress: ScanProgress,
  file: { readonly filePath: string; readonly reason: string; readonly bytes: number },
): Promise<void> {
  progress.rejected += 1;
  const { filePath, reason, bytes } = file;
  if (await recordRejectedFile(deps.catalog, { filePath, reason, bytes })) {
    deps.logger.warn("file is no segment and is left alone", { file: filePath, reason });
  }
}
