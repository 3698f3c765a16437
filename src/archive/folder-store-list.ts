/** Walks a bucket folder in the order of its keys, one directory in memory at a time. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import { type BucketFolder, lstatOrUndefined } from "./folder-store-files.js";
import { RESERVED_FOLDER } from "./object-store.js";

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
}

/** `prefix` is a text prefix of the key, as in S3: it need not end at a slash. */
export async function* listFolder(
  folder: BucketFolder,
  prefix: string,
  signal: AbortSignal,
): AsyncIterable<ListedObject> {
  await folder.assertPresent();
  const startAt = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (startAt.split("/").some((part) => part === "." || part === "..")) return;
  yield* walk(folder, startAt, { prefix, signal });
}

async function* walk(
  folder: BucketFolder,
  below: string,
  wanted: { readonly prefix: string; readonly signal: AbortSignal },
): AsyncIterable<ListedObject> {
  for (const { key, isFolder } of await readSorted(path.join(folder.root, below), below)) {
    if (wanted.signal.aborted) throw new AppError({ kind: "cancelled", message: `list ${folder.root}: cancelled` });
    if (!key.startsWith(wanted.prefix) && !(isFolder && wanted.prefix.startsWith(key))) continue;
    if (isFolder) {
      yield* walk(folder, key, wanted);
    } else {
      const stat = await lstatOrUndefined(path.join(folder.root, key));
      if (stat?.isFile() === true) yield { key, bytes: Number(stat.size) };
    }
  }
}

/** A folder sorts as `name/`, which makes the walk's order the byte order of the keys. Links are neither. */
async function readSorted(
  directory: string,
  below: string,
): Promise<readonly { readonly key: string; readonly isFolder: boolean }[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return [];
    throw error;
  }
  return entries
    .filter((entry) => (entry.isFile() || entry.isDirectory()) && !(below === "" && entry.name === RESERVED_FOLDER))
    .map((entry) => ({
      key: below + entry.name + (entry.isDirectory() ? "/" : ""),
      isFolder: entry.isDirectory(),
    }))
    .sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
}
