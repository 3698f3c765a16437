/**
 * Storing a file in a folder. The bytes come to a temporary name first (clone, else hard link, else copy), are made
 * durable, then the facts are written, then link(2) gives the object its name: it appears whole or not at all, and
 * never over another. A crash leaves a temporary file and perhaps facts without object; both are harmless, and the
 * next `put` of the key starts afresh.
 */
import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, lstat, open } from "node:fs/promises";
import path from "node:path";
import { addAbortSignal } from "node:stream";

import { AppError, errnoOf } from "../core/errors.js";
import { type FileStat, fileIdentity } from "../core/file-identity.js";
import { faultPoint } from "../platform/fault-point.js";
import { removeIfThere, syncFile } from "../platform/files.js";
import { areFactsIn, stampOf, writeFacts } from "./folder-store-facts.js";
import { assertNoLinks, type BucketFolder, lstatOrUndefined, placeFile } from "./folder-store-files.js";
import type { PutOptions, PutSource } from "./object-store.js";
import { type OpenSource, openSource, sourceChanged } from "./read-source.js";

export interface FolderPut {
  readonly key: string;
  readonly source: PutSource;
  readonly options: PutOptions;
}

export async function putIntoFolder(folder: BucketFolder, put: FolderPut): Promise<void> {
  const objectFile = folder.objectFile(put.key);
  const { dev } = await folder.assertPresent();
  await assertNoLinks(folder.root, objectFile);
  await assertNameIsFree(objectFile, put.key);
  const opened = await openSource(put.source);
  const temporary = path.join(folder.temporaryDir, `${randomUUID()}.tmp`);
  try {
    await faultPoint("folder.before-bytes");
    const stamp = stampOf(await bringBytes(opened, put, { file: temporary, dev }));
    await faultPoint("folder.after-bytes");
    await opened.assertUnchanged();
    put.options.signal.throwIfAborted();
    const written = await writeFacts(folder, put.key, { source: put.source, stamp });
    await faultPoint("folder.after-facts");
    await giveName(folder, temporary, objectFile);
    await faultPoint("folder.after-link");
    // A rival may have written its facts between ours and the link; the object is ours, so the facts must be.
    if (!(await areFactsIn(folder, put.key, written))) {
      await writeFacts(folder, put.key, { source: put.source, stamp });
    }
  } finally {
    await opened.close();
    await removeIfThere(temporary);
  }
}

/** ENOTDIR, a parent that is an object, is for the caller to translate. */
async function assertNameIsFree(objectFile: string, key: string): Promise<void> {
  const stat = await lstat(objectFile).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (stat === undefined) return;
  if (stat.isFile()) throw new AppError({ kind: "already-exists", message: `put ${key}: the object exists` });
  throw new AppError({ kind: "failed-precondition", message: `put ${key}: a folder or link has this name` });
}

/** Folders where it was tried: another try costs two calls, and a copy of nothing. */
const withoutClones = new Set<string>();

interface Temporary {
  readonly file: string;
  /** Of the file system that it is on. */
  readonly dev: bigint;
}

/** Same file system: clone or link, so that nothing is stored twice. What the temporary file is then. */
async function bringBytes(opened: OpenSource, put: FolderPut, { file, dev }: Temporary): Promise<FileStat> {
  const isNear = dev === opened.stat.dev;
  if (isNear && (await clone(opened, put, file))) return lstat(file, { bigint: true });
  // F35: MediaMTX truncates a file that it creates again, and a link would lose its bytes with it.
  const linked = isNear && put.source.nameIsUnique ? await hardLink(opened, put, file) : undefined;
  return linked ?? copy(opened, put, file);
}

/** What a file system says that cannot share blocks at all. */
const NO_CLONES = new Set(["EOPNOTSUPP", "ENOTSUP", "ENOSYS", "ENOTTY"]);

/** False when the file system cannot share blocks. */
async function clone(opened: OpenSource, put: FolderPut, temporary: string): Promise<boolean> {
  if (withoutClones.has(path.dirname(temporary))) return false;
  // By descriptor where the system allows it, so that the clone is of the file that was opened.
  const from = process.platform === "linux" ? `/proc/self/fd/${String(opened.handle.fd)}` : put.source.filePath;
  try {
    await copyFile(from, temporary, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
  } catch (error) {
    await removeIfThere(temporary);
    if (errnoOf(error) === "ENOSPC") throw error;
    if (NO_CLONES.has(errnoOf(error) ?? "")) withoutClones.add(path.dirname(temporary));
    return false;
  }
  await opened.assertUnchanged();
  await syncFile(temporary);
  await put.options.onBytes?.(put.source.bytes);
  return true;
}

/** Undefined when the file system has no links, or this file may get no more. */
async function hardLink(opened: OpenSource, put: FolderPut, temporary: string): Promise<FileStat | undefined> {
  try {
    await link(put.source.filePath, temporary);
  } catch (error) {
    if (["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errnoOf(error) ?? ""))
      return undefined;
    throw error;
  }
  const linked: FileStat = await lstat(temporary, { bigint: true });
  if (fileIdentity(linked) !== put.source.fileIdentity) {
    throw sourceChanged(put.source, `the link is ${fileIdentity(linked)}`);
  }
  // MediaMTX does not fsync what it writes.
  await opened.handle.sync();
  await put.options.onBytes?.(put.source.bytes);
  return linked;
}

async function copy(opened: OpenSource, put: FolderPut, temporary: string): Promise<FileStat> {
  const sha256 = createHash("sha256");
  // As a clone or a link would have it: not everything here is for everybody.
  const target = await open(temporary, "wx", Number(opened.stat.mode & 0o777n) | 0o600);
  try {
    const { onBytes } = put.options;
    const stream = opened.stream({ start: 0, bytes: put.source.bytes, ...(onBytes && { onBytes }) });
    for await (const chunk of addAbortSignal(put.options.signal, stream) as AsyncIterable<Buffer>) {
      sha256.update(chunk);
      await writeWhole(target, chunk);
    }
    await target.sync();
    const copied = sha256.digest("hex");
    if (copied === put.source.sha256) return await target.stat({ bigint: true });
    throw sourceChanged(put.source, `its bytes have SHA-256 ${copied}, expected ${put.source.sha256}`);
  } finally {
    await target.close();
  }
}

async function writeWhole(target: Awaited<ReturnType<typeof open>>, chunk: Buffer): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await target.write(chunk, written)).bytesWritten;
  }
}

async function giveName(folder: BucketFolder, temporary: string, objectFile: string): Promise<void> {
  try {
    await placeFile(folder.root, objectFile, () => link(temporary, objectFile));
  } catch (error) {
    if (errnoOf(error) !== "EEXIST" || (await lstatOrUndefined(objectFile))?.isFile() !== true) throw error;
    throw new AppError({ kind: "already-exists", message: `put ${objectFile}: the object exists`, cause: error });
  }
}
