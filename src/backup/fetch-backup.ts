/** A backup out of the store and into a file: whole by its SHA-256, sound by SQLite's word, or not at all. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import type { ObjectFacts, ObjectStore } from "../archive/object-store.js";
import { checkSqlite } from "../catalog/sqlite-copy.js";
import { AppError } from "../core/errors.js";
import { syncDirectory } from "../platform/files.js";

/** `target` must not exist. Throws `data-loss` when the bytes are not those that were stored. */
export async function fetchBackup(
  store: ObjectStore,
  { key, target }: { readonly key: string; readonly target: string },
  signal: AbortSignal,
): Promise<void> {
  const facts = await store.head(key, signal);
  if (facts === undefined) throw new AppError({ kind: "not-found", message: `there is no backup ${key}` });
  await (await open(target, "wx", 0o600)).close();
  try {
    await download(store, { facts, target }, signal);
    await checkSqlite(target, signal);
    await syncDirectory(path.dirname(target));
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

async function download(
  store: ObjectStore,
  { facts: { key, sha256: expected }, target }: { readonly facts: ObjectFacts; readonly target: string },
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash("sha256");
  const noting = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const sink = createWriteStream(target, { flags: "r+", flush: true });
  let failure: unknown;
  try {
    await pipeline(await store.get(key, { signal }), noting, createGunzip(), sink, { signal });
  } catch (error) {
    // Of bytes that are not what was stored gunzip complains first, and says less.
    if (error instanceof AppError || !isOfZlib(error)) throw error;
    failure = error;
  }
  const sha256 = hash.digest("hex");
  if (failure === undefined && sha256 === expected) return;
  throw new AppError({
    kind: "data-loss",
    message: `read backup ${key}: SHA-256 ${sha256}, expected ${expected ?? "one beside it"}`,
    hint: "nothing was changed here; take an older one: reelkeeper restore --list",
    cause: failure,
  });
}

function isOfZlib(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}
