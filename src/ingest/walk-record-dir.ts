/**
 * Walks the record directory, a directory at a time, with names as bytes: a name that is no UTF-8 cannot be reached by
 * its text (F50). Links to directories are never entered (F47).
 */
import { type Buffer, isUtf8 } from "node:buffer";
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";

/** Ours inside the record directory: trash and the like. */
export const OWN_FOLDER = ".reelkeeper";

export interface WalkedDirectory {
  /** Relative to the record directory, "" for itself. */
  readonly directory: string;
  /** Names of entries that are not directories. */
  readonly files: readonly string[];
  /** Names that must not be looked at further, with the reason. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** Depth first. A directory that vanishes meanwhile is skipped; one that cannot be read throws `unavailable`. */
export async function* walkRecordDir(recordDir: string, signal: AbortSignal): AsyncGenerator<WalkedDirectory> {
  const pending = [""];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    signal.throwIfAborted();
    const entries = await readEntries(recordDir, directory);
    if (entries === undefined) continue;
    const sorted = sortEntries(directory, entries);
    pending.push(...sorted.directories);
    yield { directory, files: sorted.files, refused: sorted.refused };
  }
}

function sortEntries(directory: string, entries: readonly Dirent<Buffer>[]) {
  const directories: string[] = [];
  const files: string[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const entry of entries) {
    if (!isUtf8(entry.name)) {
      refused.push({ name: escapeBytes(entry.name), reason: "the name is not UTF-8" });
      continue;
    }
    const name = entry.name.toString("utf8");
    if (directory === "" && name === OWN_FOLDER) continue;
    const isDirectory = entry.isDirectory();
    if (isDirectory) directories.push(joinRelative(directory, name));
    if (!isDirectory || /\.(mp4|ts)$/.test(name)) files.push(name);
  }
  return { directories: directories.sort().reverse(), files: files.sort(), refused };
}

async function readEntries(recordDir: string, directory: string): Promise<Dirent<Buffer>[] | undefined> {
  try {
    return await readdir(path.join(recordDir, directory), { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    if (directory !== "" && (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR")) return undefined;
    throw new AppError({
      kind: "unavailable",
      message: `read the directory "${directory}" of the record directory`,
      cause: error,
    });
  }
}

export function joinRelative(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** Readable and unambiguous: ASCII stays, every other byte and the backslash become \xNN. */
function escapeBytes(name: Buffer): string {
  let text = "";
  for (const byte of name) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}
