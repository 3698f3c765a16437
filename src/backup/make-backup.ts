/**
 * One backup: made, put into the store, proven there as a segment is (the store's own HEAD, and every byte read back),
 * written down, and only then are old ones removed, one by one, each after the question whether anything may be removed
 * at all. So a database that is damaged, new or not the one we know never drives out the backups that can mend it.
 * It may die anywhere: the next one starts afresh, and what is in the store already counts as one more.
 */
import { acquireInstanceLock, type InstanceLock } from "../catalog/instance-lock.js";
import { type Backup, backupFolder, backupKey, backupsToRemove, parseBackup } from "../core/backup.js";
import { AppError, isAppError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import type { Logger } from "../platform/logger.js";
import type { ObjectStore } from "../archive/object-store.js";
import { type ExpectedCopy, proveCopy, readBack } from "../archive/prove-copy.js";
import type { Catalog } from "../catalog/catalog.js";
import { type BackupFile, type BackupFileDeps, withBackupFile } from "./backup-file.js";
import { noteLastBackup } from "./last-backup.js";

export interface MakeBackupDeps extends BackupFileDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly store: ObjectStore;
  readonly prefix: string;
  /** Keeps to the upload rate. */
  readonly onBytes: (signal: AbortSignal) => (bytes: number) => Promise<void> | void;
  /** Throws when there is a doubt about disk, clock, database or store: then nothing is removed. */
  readonly assertMayRemove: () => Promise<void>;
}

interface Taken {
  readonly file: BackupFile;
  readonly takenAtUs: number;
}

/** Throws `unavailable` while another process makes one. */
export async function makeBackup(deps: MakeBackupDeps, signal: AbortSignal): Promise<Backup> {
  const lock = await lockBackups(deps);
  try {
    const takenAtUs = deps.catalog.clock.nowUs();
    const backup = await withBackupFile(deps, (file) => store(deps, { file, takenAtUs }, signal), signal);
    await noteLastBackup(deps.catalog, backup);
    deps.logger.info("database backed up", { objectKey: backup.key, bytes: backup.bytes });
    await removeOld(deps, backup, signal);
    return backup;
  } finally {
    await lock.release();
  }
}

/** Those of all machines, oldest first within each; what else lies there is left out. */
export async function listBackups(
  { store, prefix }: Pick<MakeBackupDeps, "store" | "prefix">,
  signal: AbortSignal,
): Promise<Backup[]> {
  const backups: Backup[] = [];
  for await (const object of store.list(backupFolder(prefix), signal)) {
    const backup = parseBackup(prefix, object);
    if (backup !== undefined) backups.push(backup);
  }
  return backups;
}

/** The command may run beside the server: one of them at a time empties and fills the directory. */
async function lockBackups({ workDir }: MakeBackupDeps): Promise<InstanceLock> {
  try {
    return await acquireInstanceLock(`${workDir}.lock`);
  } catch (error) {
    if (!isAppError(error, "failed-precondition")) throw error;
    throw new AppError({ kind: "unavailable", message: "another backup is under way here", cause: error });
  }
}

async function store(deps: MakeBackupDeps, { file, takenAtUs }: Taken, signal: AbortSignal): Promise<Backup> {
  const { nodeId } = deps.catalog;
  const { databaseBytes, ...facts } = file;
  const key = backupKey(deps.prefix, { nodeId, takenAtUs, sha256: file.sha256 });
  const source = {
    ...facts,
    contentType: "application/gzip",
    metadata: { "taken-at": formatRfc3339(takenAtUs), "database-bytes": String(databaseBytes) },
    nameIsUnique: true,
  };
  await deps.store.put(key, source, { signal, onBytes: deps.onBytes(signal) });
  try {
    await prove(deps, { key, bytes: file.bytes, md5: file.md5, sha256: file.sha256 }, signal);
  } catch (error) {
    if (isAppError(error, "data-loss")) await removeUnsound(deps, key, signal);
    throw error;
  }
  return { key, nodeId, takenAtUs, bytes: file.bytes };
}

async function prove(deps: MakeBackupDeps, expected: ExpectedCopy, signal: AbortSignal): Promise<void> {
  const verdict = await proveCopy(deps.store, expected, signal);
  switch (verdict.kind) {
    case "proven":
      return readBack(deps.store, expected, signal);
    case "absent":
      throw new AppError({
        kind: "unavailable",
        message: `prove ${expected.key}: the store took it and does not have it`,
      });
    case "conflict":
      throw new AppError({ kind: "data-loss", message: `prove ${expected.key}: ${verdict.reason}` });
    default:
      return verdict satisfies never;
  }
}

/** The store itself says that these are not the bytes it was given: they must not count as one of the seven. */
async function removeUnsound(deps: MakeBackupDeps, key: string, signal: AbortSignal): Promise<void> {
  await deps.assertMayRemove();
  await deps.store.delete(key, signal);
  deps.logger.warn("backup that the store did not keep whole is removed", { objectKey: key });
}

/** What cannot be removed now goes after the next backup. */
async function removeOld(deps: MakeBackupDeps, backup: Backup, signal: AbortSignal): Promise<void> {
  for (const { key } of backupsToRemove(await listBackups(deps, signal), backup)) {
    try {
      await deps.assertMayRemove();
    } catch (error) {
      if (!isAppError(error, "failed-precondition")) throw error;
      deps.logger.warn("old backups stay while deletions are stopped", { objectKey: key });
      return;
    }
    await deps.store.delete(key, signal);
    deps.logger.info("old backup removed", { objectKey: key });
  }
}
