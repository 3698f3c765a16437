/** Wires the disk guard: which disks there are, and what releasing means for the first. */
import path from "node:path";

import type { Catalog } from "../catalog/catalog.js";
import { areOnOneDisk, readDiskSpace } from "../platform/disk-space.js";
import { DiskGuard, type WatchedDisk } from "../retention/disk-guard.js";
import type { Setup } from "./setup.js";

export interface DiskGuardParts {
  readonly catalog: Catalog;
  readonly areDeletionsStopped: () => boolean;
  readonly wake: () => void;
}

export function createDiskGuard(setup: Setup, parts: DiskGuardParts): DiskGuard {
  const { config, logger, recordDir } = setup;
  const { storage } = config;
  return new DiskGuard({
    ...parts,
    logger,
    disks: [{ name: "recordings", directory: recordDir }, ...otherDisks(setup)],
    marks: config.diskMarks,
    readSpace: readDiskSpace,
    isArchiveOnSameDisk: () =>
      storage.kind === "local" ? areOnOneDisk(recordDir, storage.dir) : Promise.resolve(false),
  });
}

/**
 * The database, the folder store, and the data directory, where an embedded MediaMTX logs. Our own log goes to stderr:
 * where that ends is not ours to know.
 */
export function otherDisks({ config }: Setup): WatchedDisk[] {
  const { database, storage, dataDir } = config;
  return [
    { name: "data", directory: dataDir },
    ...(database.kind === "sqlite" ? [{ name: "database", directory: path.dirname(database.file) }] : []),
    ...(storage.kind === "local" ? [{ name: "bucket", directory: storage.dir }] : []),
  ];
}
