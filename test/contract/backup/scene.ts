/** A catalog with rows, a folder store, and all that a backup needs; the clock stands still. */
import { readdir } from "node:fs/promises";
import path from "node:path";

import { onTestFinished } from "vitest";

import { createFolderStore } from "../../../src/archive/folder-store.js";
import type { ObjectStore } from "../../../src/archive/object-store.js";
import { listBackups, makeBackup, type MakeBackupDeps } from "../../../src/backup/make-backup.js";
import { recordFoundFiles } from "../../../src/catalog/found-files.js";
import { readDiskSpace } from "../../../src/platform/disk-space.js";
import type { LogFields, Logger } from "../../../src/platform/logger.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { tempDir, type TempDirOptions } from "../../support/temp-dir.js";
import { segmentFile } from "../catalog/builders.js";
import { openOn, type TestCatalog } from "../catalog/dialects.js";

export const PREFIX = "recordings";
const DAY_MS = 24 * 3_600_000;

export interface BackupScene {
  readonly catalog: TestCatalog;
  readonly store: ObjectStore;
  readonly deps: MakeBackupDeps;
  readonly bucketDir: string;
  readonly log: readonly string[];
  /** A day passes, then one is made. */
  dailyBackup(changes?: Partial<MakeBackupDeps>): Promise<string>;
  /** Of all machines, as the store lists them. */
  keys(): Promise<string[]>;
  /** What lies where backups are made. */
  leftovers(): Promise<string[]>;
}

export async function backupScene(where: TempDirOptions = {}): Promise<BackupScene> {
  const root = await tempDir(where);
  const databaseFile = path.join(root, "catalog.sqlite");
  const catalog = await openOn({ kind: "sqlite", file: databaseFile });
  await recordFoundFiles(
    catalog,
    Array.from({ length: 50 }, (_, number) => segmentFile(number)),
  );
  const bucketDir = path.join(root, "bucket");
  const store = createFolderStore({ dir: bucketDir, clock: createFakeClock() });
  onTestFinished(() => store.close());
  const log: string[] = [];
  const deps: MakeBackupDeps = {
    ...{ catalog, store, databaseFile, prefix: PREFIX, logger: createLog(log), readSpace: readDiskSpace },
    workDir: path.join(root, "backup"),
    onBytes: () => () => undefined,
    assertMayRemove: () => Promise.resolve(),
  };
  const signal = new AbortController().signal;
  return {
    ...{ catalog, store, deps, bucketDir, log },
    dailyBackup: async (more = {}) => {
      await catalog.clock.advance(DAY_MS);
      return (await makeBackup({ ...deps, ...more }, signal)).key;
    },
    keys: async () => (await listBackups({ store, prefix: PREFIX }, signal)).map(({ key }) => key),
    leftovers: () => readdir(deps.workDir),
  };
}

function createLog(lines: string[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => log };
  return log;
}
