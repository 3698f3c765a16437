/** File-system effects with the durability that the promises need: write temp, fsync, rename, fsync the directory. */
import { randomUUID } from "node:crypto";
import { link, lstat, mkdir, open, realpath, rename, rm, stat, unlink } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import { faultPoint } from "./fault-point.js";

/** Replaces a file whole: after a crash it has either the old or the new content. */
export async function writeFileAtomically(filePath: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = path.join(path.dirname(filePath), `.${path.basename(filePath)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await faultPoint("files.before-rename");
    await rename(temporary, filePath);
    await faultPoint("files.after-rename");
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(path.dirname(filePath));
}

/** Makes renames, links and unlinks in a directory survive a power loss. */
export function syncDirectory(directory: string): Promise<void> {
  return syncFile(directory);
}

/** Makes what was written to a file survive a power loss. */
export async function syncFile(filePath: string): Promise<void> {
  const handle = await open(filePath, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function removeIfThere(filePath: string): Promise<void> {
  try {
    await unlink(filePath);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** In bytes; 0 for a file that is not there. */
export async function sizeOf(filePath: string): Promise<number> {
  try {
    return (await stat(filePath)).size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
}

export async function ensureDirectory(directory: string, mode = 0o755): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode });
  } catch (error) {
    // With `recursive` Node says ENOENT for a read-only file system; asked plainly it says what is wrong.
    if (errnoOf(error) !== "ENOENT") throw error;
    await mkdir(directory, { mode });
  }
}

/**
 * The guard before every open, rename and unlink in the record directory: resolves all links of the parent and proves
 * that the result lies inside `root` (which must be a real path). The last part is not resolved; open it with
 * O_NOFOLLOW. Throws `invalid-argument` for a path that leaves the root, `not-found` when the parent is absent.
 */
export async function resolveInside(root: string, relativePath: string): Promise<string> {
  const joined = path.resolve(root, relativePath);
  if (path.isAbsolute(relativePath) || relativePath.includes("\0") || !isInside(root, joined)) {
    throw outside(relativePath);
  }
  let parent: string;
  try {
    parent = await realpath(path.dirname(joined));
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") {
      throw new AppError({ kind: "not-found", message: `resolve ${relativePath}: no such directory`, cause: error });
    }
    // Asking again cannot help: a loop of links, or a name that no file system takes.
    if (errnoOf(error) === "ELOOP" || errnoOf(error) === "ENAMETOOLONG") throw outside(relativePath);
    throw new AppError({ kind: "unavailable", message: `resolve ${relativePath}`, cause: error });
  }
  if (parent !== root && !isInside(root, parent)) throw outside(relativePath);
  return path.join(parent, path.basename(joined));
}

/** Lexically below `root`; `root` itself is not inside. */
export function isInside(root: string, candidate: string): boolean {
  return candidate.startsWith(root.endsWith(path.sep) ? root : root + path.sep) && candidate !== root;
}

function outside(relativePath: string): AppError {
  return new AppError({
    kind: "invalid-argument",
    message: `"${relativePath.slice(0, 200)}" leads outside the record directory`,
    fields: [{ field: "segmentPath", message: "must lie inside the record directory" }],
  });
}

/** dev:ino:size:mtimeNs of a regular file, without following a link; undefined when it is proven absent. */
export async function identityOf(absolutePath: string): Promise<string | undefined> {
  try {
    const stat = await lstat(absolutePath, { bigint: true });
    return stat.isFile() ? fileIdentity(stat) : "not a regular file";
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw new AppError({ kind: "unavailable", message: `look at ${path.basename(absolutePath)}`, cause: error });
  }
}

/** Gives a file a second name that must not exist yet (EEXIST otherwise), durably. */
export async function linkExclusively(existing: string, created: string): Promise<void> {
  await link(existing, created);
  await syncDirectory(path.dirname(created));
}
