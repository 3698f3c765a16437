/**
 * An object store in a folder: the archive of a machine without R2. Each step may die anywhere: objects appear by
 * link(2) after their facts are on disk, and vanish before their facts do, so a key is always absent or whole.
 */
import { constants } from "node:fs";
import { open, readdir, rm, unlink } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";

import { AppError, errnoOf } from "../core/errors.js";
import { faultPoint } from "../platform/fault-point.js";
import { syncDirectory, writeFileAtomically } from "../platform/files.js";
import { US_PER_MS } from "../core/instant.js";
import type { Clock } from "../platform/clock.js";
import { factsOf } from "./folder-store-facts.js";
import {
  assertNoLinks,
  type BucketFolder,
  lstatOrUndefined,
  openBucketFolder,
  removeEmptyParents,
  toFolderError,
} from "./folder-store-files.js";
import { listFolder, type ListedObject } from "./folder-store-list.js";
import { putIntoFolder } from "./folder-store-put.js";
import { assertMetadata, type ObjectFacts, type ObjectRange, type ObjectStore } from "./object-store.js";
import { guardStream } from "./object-stream.js";

export interface FolderStoreOptions {
  readonly dir: string;
  readonly clock: Clock;
}

export function createFolderStore(options: FolderStoreOptions): ObjectStore {
  let opened: Promise<BucketFolder> | undefined;
  const folderOf = (): Promise<BucketFolder> => {
    opened ??= openBucketFolder(options.dir).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  const run = async <T>(what: Call, work: (folder: BucketFolder) => Promise<T>): Promise<T> => {
    try {
      assertNotCancelled(what);
      return await work(await folderOf());
    } catch (error) {
      if (!(error instanceof AppError)) assertNotCancelled(what);
      throw toFolderError(error, what.operation);
    }
  };
  const perKey = createTurns();

  return {
    kind: "local",
    description: options.dir,
    selfTest: (signal) => run({ operation: `write into ${options.dir}`, signal }, testFolder),
    put: (key, source, putOptions) =>
      run({ operation: `put ${key}`, signal: putOptions.signal }, (folder) => {
        assertMetadata(source.metadata);
        return perKey(key, () => putIntoFolder(folder, { key, source, options: putOptions }));
      }),
    head: (key, signal) => run({ operation: `head ${key}`, signal }, (folder) => headObject(folder, key, signal)),
    get: (key, { range, signal }) =>
      run({ operation: `get ${key}`, signal }, (folder) => readObject(folder, key, { range, signal })),
    delete: (key, signal) =>
      run({ operation: `delete ${key}`, signal }, (folder) => perKey(key, () => deleteObject(folder, key))),
    list: (prefix, signal) => listTranslated(folderOf, prefix, signal),
    abortStaleUploads: (olderThanMs, signal) =>
      run({ operation: `tidy ${options.dir}`, signal }, (folder) =>
        removeTemporaries(folder, options.clock.nowUs() - olderThanMs * US_PER_MS),
      ),
    close: () => undefined,
  };
}

interface Call {
  readonly operation: string;
  readonly signal: AbortSignal;
}

function assertNotCancelled({ operation, signal }: Call): void {
  if (signal.aborted) throw new AppError({ kind: "cancelled", message: `${operation}: cancelled` });
}

/** One writer per key at a time within this process; between processes link(2) decides. */
function createTurns(): (key: string, work: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (last.get(key) === settled) last.delete(key);
      });
    last.set(key, settled);
    return turn;
  };
}

async function testFolder(folder: BucketFolder): Promise<void> {
  const probe = path.join(folder.temporaryDir, "self-test.tmp");
  try {
    await writeFileAtomically(probe, "reelkeeper");
    await unlink(probe);
  } catch (error) {
    throw new AppError({
      kind: toFolderError(error, "").kind,
      message: `write into bucket folder ${folder.root}`,
      hint: "the user that runs Reelkeeper must be able to write to LOCAL_BUCKET_DIR",
      cause: error,
    });
  }
}

async function headObject(folder: BucketFolder, key: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
  const objectFile = folder.objectFile(key);
  await assertNoLinks(folder.root, objectFile);
  const stat = await lstatOrUndefined(objectFile);
  if (stat === undefined || stat.isDirectory()) {
    await folder.assertPresent();
    return undefined;
  }
  if (!stat.isFile()) throw notAnObject(key);
  return factsOf(folder, key, { stat, signal });
}

interface ReadOptions {
  readonly range: ObjectRange | undefined;
  readonly signal: AbortSignal;
}

async function readObject(folder: BucketFolder, key: string, { range, signal }: ReadOptions): Promise<Readable> {
  const objectFile = folder.objectFile(key);
  await assertNoLinks(folder.root, objectFile);
  const handle = await open(objectFile, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    async (error: unknown) => {
      if (errnoOf(error) === "ELOOP") throw notAnObject(key);
      if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
      await folder.assertPresent();
      throw new AppError({ kind: "not-found", message: `get ${key}: no such object`, cause: error });
    },
  );
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new AppError({ kind: "not-found", message: `get ${key}: no such object` });
    if (!stat.isFile()) throw notAnObject(key);
    if (range !== undefined && (range.start >= stat.size || range.end < range.start)) {
      throw new AppError({
        kind: "invalid-argument",
        message: `get ${key}: range ${String(range.start)}-${String(range.end)} of ${String(stat.size)} bytes`,
      });
    }
    const bytes = handle.createReadStream({ highWaterMark: 1_048_576, ...range });
    return guardStream(bytes, { signal, operation: `get ${key}`, translate: toFolderError });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function deleteObject(folder: BucketFolder, key: string): Promise<void> {
  const objectFile = folder.objectFile(key);
  const factsFile = folder.factsFile(key);
  await folder.assertPresent();
  await assertNoLinks(folder.root, objectFile);
  const stat = await lstatOrUndefined(objectFile);
  if (stat !== undefined && !stat.isDirectory()) {
    if (!stat.isFile()) throw notAnObject(key);
    await faultPoint("folder.before-unlink");
    await unlink(objectFile);
    await faultPoint("folder.after-unlink");
    await syncDirectory(path.dirname(objectFile));
  }
  if ((await lstatOrUndefined(factsFile))?.isFile() === true) await rm(factsFile, { force: true });
  await faultPoint("folder.after-facts-removed");
  await removeEmptyParents(folder.factsRoot, factsFile);
  await removeEmptyParents(folder.root, objectFile);
}

async function* listTranslated(
  folderOf: () => Promise<BucketFolder>,
  prefix: string,
  signal: AbortSignal,
): AsyncIterable<ListedObject> {
  try {
    yield* listFolder(await folderOf(), prefix, signal);
  } catch (error) {
    throw toFolderError(error, `list ${prefix}`);
  }
}

/** What a crash left behind. Facts without object stay: the next `put` of the key replaces them. */
async function removeTemporaries(folder: BucketFolder, beforeUs: number): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder.temporaryDir)) {
    const temporary = path.join(folder.temporaryDir, name);
    const stat = await lstatOrUndefined(temporary);
    // ctime: a hard link carries the mtime of its source.
    if (stat?.isFile() !== true || Number(stat.ctimeNs / 1_000n) > beforeUs) continue;
    await rm(temporary, { force: true });
    removed += 1;
  }
  return removed;
}

function notAnObject(key: string): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: `${key} is not a regular file in the bucket folder`,
    hint: "a link or device was put there by hand; remove it",
  });
}
