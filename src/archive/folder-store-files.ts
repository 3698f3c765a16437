/**
 * Where a folder store keeps what: objects at <dir>/<key>, facts at <dir>/.reelkeeper/facts/<key>.json, unfinished
 * copies in <dir>/.reelkeeper/tmp. Also the guard: no directory on the way to an object may be a symbolic link.
 */
import type { BigIntStats } from "node:fs";
import { lstat, mkdir, realpath, rmdir } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import { ensureDirectory, isInside, syncDirectory } from "../platform/files.js";
import { assertObjectKey, RESERVED_FOLDER } from "./object-store.js";

export interface BucketFolder {
  /** Real path. */
  readonly root: string;
  readonly factsRoot: string;
  readonly temporaryDir: string;
  objectFile(key: string): string;
  factsFile(key: string): string;
  /**
   * Throws when the folder is no longer the one that was opened: then an absent object proves nothing. What it looks at
   * is `temporaryDir`.
   */
  assertPresent(): Promise<BigIntStats>;
}

/** Creates the folder on first use. */
export async function openBucketFolder(dir: string): Promise<BucketFolder> {
  try {
    await ensureDirectory(dir);
    const root = await realpath(dir);
    const own = path.join(root, RESERVED_FOLDER);
    await assertNoLinks(root, own);
    const factsRoot = path.join(own, "facts");
    const temporaryDir = path.join(own, "tmp");
    await ensureDirectory(factsRoot);
    await ensureDirectory(temporaryDir);
    return {
      root,
      factsRoot,
      temporaryDir,
      objectFile: (key) => inside(root, key),
      factsFile: (key) => `${inside(factsRoot, key)}.json`,
      assertPresent: async () => {
        const stat = await lstatOrUndefined(temporaryDir);
        if (stat?.isDirectory() === true) return stat;
        throw new AppError({
          kind: "failed-precondition",
          message: `bucket folder ${root} has lost its ${RESERVED_FOLDER} folder`,
          hint: "is the disk mounted? Absent objects prove nothing until it is back",
        });
      },
    };
  } catch (error) {
    throw toFolderError(error, `open bucket folder ${dir}`);
  }
}

/** The guard where it is used: what `assertObjectKey` promises is checked once more on the path that comes out. */
function inside(root: string, key: string): string {
  assertObjectKey(key);
  const filePath = path.join(root, key);
  if (!isInside(root, filePath)) {
    throw new AppError({ kind: "invalid-argument", message: `object key "${key}" leads outside the bucket folder` });
  }
  return filePath;
}

export async function lstatOrUndefined(filePath: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(filePath, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** `filePath` must be what its own real path is, up to the first part that is absent. */
export async function assertNoLinks(root: string, filePath: string): Promise<void> {
  const parent = path.dirname(filePath);
  // One question instead of one for each part; a folder that is not there yet is looked at part by part.
  if ((await realpathOrUndefined(parent)) === parent) return;
  let current = root;
  for (const part of path.relative(root, parent).split(path.sep)) {
    current = path.join(current, part);
    const stat = await lstatOrUndefined(current);
    if (stat === undefined) return;
    if (stat.isSymbolicLink()) {
      throw new AppError({
        kind: "failed-precondition",
        message: `${current} is a symbolic link; the bucket folder must not hold any`,
        hint: "replace the link by a real folder, or point LOCAL_BUCKET_DIR at its target",
      });
    }
  }
}

async function realpathOrUndefined(directory: string): Promise<string | undefined> {
  try {
    return await realpath(directory);
  } catch {
    return undefined;
  }
}

const PLACE_TRIES = 6;

/**
 * Gives a finished file its name with `place` (link or rename), durably. Its folder is made when it turns out to be
 * absent, and may vanish again before the next try, when a `delete` tidies up at the same moment.
 */
export async function placeFile(root: string, filePath: string, place: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1) await makeParents(root, filePath);
      await place();
      break;
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || attempt === PLACE_TRIES) throw error;
    }
  }
  await syncDirectory(path.dirname(filePath));
}

async function makeParents(root: string, filePath: string): Promise<void> {
  const parent = path.dirname(filePath);
  const first = await mkdir(parent, { recursive: true });
  if (first === undefined) return;
  for (let created = parent; isInside(root, created); created = path.dirname(created)) {
    await syncDirectory(path.dirname(created));
    if (created === first) return;
  }
}

/** Removes the folders above a file up to `root` while they are empty; a folder that just got a file stays. */
export async function removeEmptyParents(root: string, filePath: string): Promise<void> {
  for (let parent = path.dirname(filePath); isInside(root, parent); parent = path.dirname(parent)) {
    try {
      await rmdir(parent);
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST", "ENOTDIR", "EBUSY"].includes(errnoOf(error) ?? "")) return;
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  }
}

const KIND_OF_ERRNO: Readonly<Record<string, ConstructorParameters<typeof AppError>[0]["kind"]>> = {
  EACCES: "permission-denied",
  EPERM: "permission-denied",
  EROFS: "permission-denied",
  ENOSPC: "resource-exhausted",
  EDQUOT: "resource-exhausted",
  ENAMETOOLONG: "invalid-argument",
  EEXIST: "failed-precondition",
  EISDIR: "failed-precondition",
  ENOTDIR: "failed-precondition",
};

export function toFolderError(error: unknown, operation: string): AppError {
  if (error instanceof AppError) return error;
  const errno = errnoOf(error);
  const kind = (errno === undefined ? undefined : KIND_OF_ERRNO[errno]) ?? (errno ? "unavailable" : "internal");
  return new AppError({ kind, message: operation, cause: error });
}
