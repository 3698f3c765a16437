/** Wires the backup of the database to store, guard and disk; shared by the server and the command. */
import path from "node:path";

import type { ObjectStore } from "../archive/object-store.js";
import { DailyBackup } from "../backup/daily-backup.js";
import { makeBackup, type MakeBackupDeps } from "../backup/make-backup.js";
import type { Catalog } from "../catalog/catalog.js";
import { readDiskSpace } from "../platform/disk-space.js";
import type { DeletionGuard } from "../retention/deletion-guard.js";
import type { Setup } from "./setup.js";

export interface BackupParts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly guard: Pick<DeletionGuard, "assertMayRemove">;
  readonly onBytes: MakeBackupDeps["onBytes"];
}

/** Null with PostgreSQL, whose backups are the operator's (pg_dump). */
export function backupDeps({ config, logger }: Setup, parts: BackupParts): MakeBackupDeps | null {
  if (config.database.kind === "postgres") return null;
  return {
    ...parts,
    logger,
    prefix: config.storage.prefix,
    databaseFile: config.database.file,
    workDir: path.join(config.dataDir, "backup"),
    readSpace: readDiskSpace,
    assertMayRemove: () => parts.guard.assertMayRemove(),
  };
}

/** Null where there is none to make: PostgreSQL, or switched off. */
export function createDailyBackup(setup: Setup, parts: BackupParts): DailyBackup | null {
  const deps = backupDeps(setup, parts);
  const { logger, config } = setup;
  if (deps === null || config.backupIntervalMs === 0) return null;
  return new DailyBackup({
    ...{ catalog: parts.catalog, logger, intervalMs: config.backupIntervalMs },
    make: (signal) => makeBackup(deps, signal),
  });
}
