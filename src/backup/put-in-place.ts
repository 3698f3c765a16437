/**
 * The restored database takes the place of the one that is there, which is kept under another name with all that belongs
 * to it. First everything gets its second name, then the write-ahead log loses its first (the new database must never
 * meet it: SQLite would write it over), then one rename brings the new one. A death in between leaves the present
 * database in place and all of it under the other name; the restore is simply run again.
 */
import { rename, rm } from "node:fs/promises";
import path from "node:path";

import { errnoOf } from "../core/errors.js";
import { linkExclusively, syncDirectory } from "../platform/files.js";

/** What SQLite keeps beside a database. */
const COMPANIONS = ["-wal", "-shm", "-journal"] as const;

/** Returns under which name the database of before is kept, null when there was none. `stamp`: of this restore. */
export async function putInPlace(restored: string, databaseFile: string, stamp: string): Promise<string | null> {
  const aside = `${databaseFile}.before-restore-${stamp}`;
  const isKept = await keep(databaseFile, aside);
  for (const suffix of COMPANIONS) await keep(databaseFile + suffix, aside + suffix);
  for (const suffix of COMPANIONS) await rm(databaseFile + suffix, { force: true });
  await syncDirectory(path.dirname(databaseFile));
  await rename(restored, databaseFile);
  await syncDirectory(path.dirname(databaseFile));
  return isKept ? aside : null;
}

/** What is left of a restore that died: bytes of the store, nothing else. */
export async function removeLeftovers(restored: string): Promise<void> {
  for (const suffix of ["", ...COMPANIONS]) await rm(restored + suffix, { force: true });
}

/** False: there is none. */
async function keep(file: string, aside: string): Promise<boolean> {
  try {
    await linkExclusively(file, aside);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
