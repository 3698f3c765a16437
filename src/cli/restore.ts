/**
 * `restore`: a backup of the database takes the place of the present one, which may be damaged or gone, and is kept. It
 * changes nothing else, and the restored database lets nothing be removed until a person has looked (F38, F39).
 */
import path from "node:path";

import { fetchBackup } from "../backup/fetch-backup.js";
import { listBackups } from "../backup/make-backup.js";
import { putInPlace, removeLeftovers } from "../backup/put-in-place.js";
import { closeCatalog, openCatalog } from "../catalog/catalog.js";
import { insertDeletionStop } from "../catalog/deletion-stops.js";
import { type Backup, chooseBackup } from "../core/backup.js";
import { AppError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import { stampOf } from "../core/object-key.js";
import type { ObjectStore } from "../archive/object-store.js";
import { ensureDirectory } from "../platform/files.js";
import { lockFolders } from "../wiring/lock-folders.js";
import { openConfiguredStore, type Setup, setUp } from "../wiring/setup.js";
import { createSealing } from "../wiring/unlock-catalog.js";

export interface RestoreOptions {
  /** Only tells what there is. */
  readonly list: boolean;
  /** A key, or `latest`. */
  readonly at: string;
  /** Only writes the database there, a file that does not exist yet. */
  readonly to: string | null;
}

export async function restore({ list, at, to }: RestoreOptions): Promise<number> {
  const setup = await setUp();
  const { database, storage } = setup.config;
  if (database.kind === "postgres") {
    throw new AppError({
      kind: "failed-precondition",
      message: "the catalog is in PostgreSQL, whose backups are the operator's",
      hint: "pg_restore; to look into a backup of SQLite, unset DATABASE_URL",
    });
  }
  const { signal } = new AbortController();
  const store = openConfiguredStore(setup);
  try {
    const backups = await listBackups({ store, prefix: storage.prefix }, signal);
    if (list) {
      for (const backup of backups) process.stdout.write(`${inWords(backup)}\n`);
      return 0;
    }
    const backup = chooseBackup(backups, setup.nodeId, at);
    if (to !== null) {
      await fetchBackup(store, { key: backup.key, target: to }, signal);
      process.stdout.write(`${to} is the database of ${formatRfc3339(backup.takenAtUs)}; nothing else was changed\n`);
      return 0;
    }
    const kept = await replace(setup, { store, backup, databaseFile: database.file }, signal);
    process.stdout.write(nextSteps(backup, { databaseFile: database.file, kept }));
    return 0;
  } finally {
    store.close();
  }
}

interface Replacement {
  readonly store: ObjectStore;
  readonly backup: Backup;
  readonly databaseFile: string;
}

/** Returns under which name the present one is kept, null when there is none. */
async function replace(
  setup: Setup,
  { store, backup, databaseFile }: Replacement,
  signal: AbortSignal,
): Promise<string | null> {
  const lock = await lockFolders(setup);
  try {
    // Beside its place, so that a rename brings it there.
    const restored = `${databaseFile}.restoring`;
    await ensureDirectory(path.dirname(databaseFile), 0o750);
    await removeLeftovers(restored);
    await fetchBackup(store, { key: backup.key, target: restored }, signal);
    await stopDeletions(setup, restored, backup);
    return await putInPlace(restored, databaseFile, stampOf(setup.clock.nowUs()));
  } finally {
    await lock.release();
  }
}

/** The guard would see by itself that the database is behind the recordings, but for one that is minutes old. */
async function stopDeletions(
  { config, clock, nodeId }: Setup,
  restored: string,
  { key, takenAtUs }: Backup,
): Promise<void> {
  // Its keys may be others than ours: the start says so.
  const target = { kind: "sqlite", file: restored } as const;
  const catalog = await openCatalog({ target, clock, nodeId, sealing: createSealing(config) });
  try {
    const message = `the database was restored as of ${formatRfc3339(takenAtUs)}, from ${key}`;
    await insertDeletionStop(catalog, { doubt: "database", sinceUs: clock.nowUs(), message, evidence: null });
  } finally {
    await closeCatalog(catalog);
  }
}

function inWords({ key, bytes, takenAtUs }: Backup): string {
  return `${formatRfc3339(takenAtUs)}  ${String(bytes).padStart(12)}  ${key}`;
}

function nextSteps({ key, takenAtUs }: Backup, files: { readonly databaseFile: string; readonly kept: string | null }) {
  return `${files.databaseFile} is the database of ${formatRfc3339(takenAtUs)}, from ${key}
${files.kept === null ? "There was none before." : `The one of before is kept as ${files.kept}`}
Next:
  reelkeeper rebuild         adds what bucket and record directory hold and this database does not know
  reelkeeper serve           goes on from there; nothing is removed yet
  reelkeeper resume-deletes  once you have looked: removals go on
`;
}
