/**
 * The file that becomes a backup: a copy of the database as of one instant, found sound, compressed, hashed. All of it
 * lies in a directory of its own, which is emptied before and after: what a crash left there is nobody's.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { lstat, open, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { checkSqlite, copySqlite } from "../catalog/sqlite-copy.js";
import type { DiskSpace } from "../core/disk-level.js";
import { AppError } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import { ensureDirectory, sizeOf, syncFile } from "../platform/files.js";

export interface BackupFile {
  readonly filePath: string;
  readonly fileIdentity: string;
  readonly bytes: number;
  /** Hex, as is `sha256`. */
  readonly md5: string;
  readonly sha256: string;
  /** Of the database within. */
  readonly databaseBytes: number;
}

export interface BackupFileDeps {
  readonly databaseFile: string;
  /** For what is in the making; nothing else may lie in it. */
  readonly workDir: string;
  readonly readSpace: (directory: string) => Promise<DiskSpace>;
}

/** The least that is left to whoever else writes to this disk, the catalog first of all. */
const LEFT_FREE_BYTES = 16 * 1_048_576;
/** A database shrinks to a fourth with the quickest level; the slowest saves little more and takes ten times as long. */
const GZIP_LEVEL = 1;

/** Runs `use` while the file is there. Throws `resource-exhausted` without space, `data-loss` for a damaged database. */
export async function withBackupFile<T>(
  deps: BackupFileDeps,
  use: (file: BackupFile) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { databaseFile, workDir } = deps;
  await ensureDirectory(workDir, 0o700);
  await emptyDirectory(workDir);
  try {
    await assertSpace(deps);
    const copied = path.join(workDir, "copy.sqlite");
    await createPrivately(copied);
    await copySqlite(databaseFile, copied, signal);
    await syncFile(copied);
    await checkSqlite(copied, signal);
    return await use(await compress(copied, path.join(workDir, "copy.sqlite.gz"), signal));
  } finally {
    await emptyDirectory(workDir);
  }
}

/** As if nothing could be compressed: beside the copy another one of its size. */
async function assertSpace({ databaseFile, workDir, readSpace }: BackupFileDeps): Promise<void> {
  const neededBytes = 2 * ((await sizeOf(databaseFile)) + (await sizeOf(`${databaseFile}-wal`))) + LEFT_FREE_BYTES;
  const { availableBytes } = await readSpace(workDir);
  if (availableBytes >= neededBytes) return;
  throw new AppError({
    kind: "resource-exhausted",
    message: `back up the database: ${String(availableBytes)} bytes are free in ${workDir}, expected ${String(neededBytes)}`,
    hint: "free space on the disk of DATA_DIR; the next attempt comes by itself",
  });
}

/** Rows of paths hold cameras' passwords. SQLite fills the file that is there. */
async function createPrivately(file: string): Promise<void> {
  await (await open(file, "wx", 0o600)).close();
}

async function compress(source: string, target: string, signal: AbortSignal): Promise<BackupFile> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  const noting = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      md5.update(chunk);
      sha256.update(chunk);
      yield chunk;
    }
  };
  const sink = createWriteStream(target, { flags: "wx", mode: 0o600, flush: true });
  await pipeline(createReadStream(source), createGzip({ level: GZIP_LEVEL }), noting, sink, { signal });
  const facts = await lstat(target, { bigint: true });
  return {
    filePath: target,
    fileIdentity: fileIdentity(facts),
    bytes: Number(facts.size),
    md5: md5.digest("hex"),
    sha256: sha256.digest("hex"),
    databaseBytes: await sizeOf(source),
  };
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(path.join(directory, name), { recursive: true, force: true });
}
