/**
 * What was said about an object at `put`, kept beside it. The facts name the inode they were written for, so that
 * facts of a rival `put` or of an object that was replaced by hand are never taken for this object's: then its bytes
 * are hashed, and the bytes decide.
 */
import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile, rename } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import type { FileStat } from "../core/file-identity.js";
import { removeIfThere } from "../platform/files.js";
import { type BucketFolder, lstatOrUndefined, placeFile } from "./folder-store-files.js";
import type { ObjectFacts, PutSource } from "./object-store.js";

const HASH_CHUNK_BYTES = 1_048_576;

interface StoredFacts {
  /** ino:size:mtimeNs of the object. Without the device number, which a remount may change. */
  readonly stamp: string;
  readonly md5: string;
  readonly sha256: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export function stampOf(stat: FileStat): string {
  return [stat.ino, stat.size, stat.mtimeNs].join(":");
}

/** Which file they are; see `areFactsIn`. */
export async function writeFacts(
  folder: BucketFolder,
  key: string,
  facts: { readonly source: PutSource; readonly stamp: string },
): Promise<string> {
  const { md5, sha256, contentType, metadata } = facts.source;
  const stored: StoredFacts = { stamp: facts.stamp, md5, sha256, contentType, metadata };
  const temporary = path.join(folder.temporaryDir, `${randomUUID()}.tmp`);
  const factsFile = folder.factsFile(key);
  try {
    const written = await writeDurably(temporary, JSON.stringify(stored));
    await placeFile(folder.root, factsFile, () => rename(temporary, factsFile));
    return written;
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  }
}

/** Nobody else has written facts of this object since `writeFacts`. */
export async function areFactsIn(folder: BucketFolder, key: string, written: string): Promise<boolean> {
  const stat = await lstatOrUndefined(folder.factsFile(key));
  return stat !== undefined && stampOf(stat) === written;
}

/** The stamp of what was written. */
async function writeDurably(filePath: string, text: string): Promise<string> {
  const handle = await open(filePath, "wx", 0o644);
  try {
    await handle.writeFile(text);
    await handle.sync();
    return stampOf(await handle.stat({ bigint: true }));
  } finally {
    await handle.close();
  }
}

/** Undefined: there are none, or none that can be read. */
async function readFacts(folder: BucketFolder, key: string): Promise<StoredFacts | undefined> {
  let text: string;
  try {
    text = await readFile(folder.factsFile(key), "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
  return parseFacts(text);
}

/** The facts of an object that exists: from its facts file when that was written for this very file, else its bytes. */
export async function factsOf(
  folder: BucketFolder,
  key: string,
  object: { readonly stat: FileStat; readonly signal: AbortSignal },
): Promise<ObjectFacts> {
  const stored = await readFacts(folder, key);
  const bytes = Number(object.stat.size);
  if (stored?.stamp === stampOf(object.stat)) {
    return { key, bytes, md5: stored.md5, sha256: stored.sha256, etag: stored.md5, metadata: stored.metadata };
  }
  const hashed = await hashFile(folder.objectFile(key), object.signal);
  const metadata = stored?.sha256 === hashed.sha256 ? stored.metadata : {};
  return { key, ...hashed, etag: hashed.md5, metadata };
}

async function hashFile(
  filePath: string,
  signal: AbortSignal,
): Promise<Pick<ObjectFacts, "bytes"> & { readonly md5: string; readonly sha256: string }> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  const handle = await open(filePath, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const chunk = Buffer.allocUnsafeSlow(HASH_CHUNK_BYTES);
    let bytes = 0;
    for (;;) {
      if (signal.aborted) throw new AppError({ kind: "cancelled", message: `hash ${filePath}: cancelled` });
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes);
      if (bytesRead === 0) return { bytes, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
      md5.update(chunk.subarray(0, bytesRead));
      sha256.update(chunk.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

function parseFacts(text: string): StoredFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isStoredFacts(value) ? value : undefined;
}

function isStoredFacts(value: unknown): value is StoredFacts {
  if (typeof value !== "object" || value === null) return false;
  const facts = value as Partial<Record<keyof StoredFacts, unknown>>;
  return (
    typeof facts.stamp === "string" &&
    typeof facts.md5 === "string" &&
    typeof facts.sha256 === "string" &&
    typeof facts.contentType === "string" &&
    typeof facts.metadata === "object" &&
    facts.metadata !== null &&
    Object.values(facts.metadata).every((item) => typeof item === "string")
  );
}
