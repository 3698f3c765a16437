/**
 * One export: the clip into a file of its own, hashed as it is written, then into the store, and proven there. The key
 * holds the hash and stands in the row before the object is there, so this may die anywhere and run again.
 */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { lstat, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";

import { updateExport } from "../catalog/exports.js";
import { AppError } from "../core/errors.js";
import { type Export, exportKey } from "../core/export.js";
import { fileIdentity } from "../core/file-identity.js";
import type { DiskSpace } from "../core/disk-level.js";
import { ensureDirectory } from "../platform/files.js";
import type { PlaybackDeps } from "./playback-deps.js";
import { type Clip, writeClip } from "./write-clip.js";

export interface ResultFile {
  readonly filePath: string;
  readonly fileIdentity: string;
  readonly bytes: number;
  readonly md5: string;
  readonly sha256: string;
}

/** The store, as far as exports need it. */
export interface ResultStore {
  /** The same bytes under the same key are a success. Throws `unavailable` until the store has proven them. */
  readonly put: (key: string, file: ResultFile, signal: AbortSignal) => Promise<void>;
  /** Throws `unavailable` while deletions are stopped. Succeeds when the key is absent. */
  readonly remove: (key: string, signal: AbortSignal) => Promise<void>;
}

export interface MakeExportDeps {
  readonly playback: PlaybackDeps;
  readonly results: ResultStore;
  readonly prefix: string;
  /** For what is in the making. */
  readonly workDir: string;
  readonly readSpace: (directory: string) => Promise<DiskSpace>;
}

const RUNNING = ["running"] as const;
const PROGRESS_EVERY_MS = 1_000;
/** What is left to whoever else writes to this disk. */
const LEFT_FREE_BYTES = 256 * 1_048_576;

/** Throws what the clip and the store throw, and `cancelled` when the row is not to be worked on any more. */
export async function makeExport(deps: MakeExportDeps, job: Export, signal: AbortSignal): Promise<void> {
  await ensureDirectory(deps.workDir, 0o700);
  const filePath = path.join(deps.workDir, `${job.id}.mp4`);
  try {
    const clip = await writeClip(deps.playback, job, signal);
    const file = await writeFile(deps, { job, clip, filePath }, signal);
    const objectKey = exportKey(deps.prefix, { id: job.id, sha256: file.sha256 });
    if (job.objectKey !== null && job.objectKey !== objectKey) await deps.results.remove(job.objectKey, signal);
    await note(deps, job, { objectKey });
    await deps.results.put(objectKey, file, signal);
    const { bytes, sha256 } = file;
    const expiresAtUs = deps.playback.clock.nowUs() + job.keepUs;
    const { startUs, endUs } = clip;
    await note(deps, job, { state: "done", bytes, sha256, startUs, endUs, expiresAtUs, error: null });
  } finally {
    await rm(filePath, { force: true });
  }
}

interface Writing {
  readonly job: Export;
  readonly clip: Clip;
  readonly filePath: string;
}

async function writeFile(
  deps: MakeExportDeps,
  { job, clip, filePath }: Writing,
  signal: AbortSignal,
): Promise<ResultFile> {
  const { clock } = deps.playback;
  const [md5, sha256] = [createHash("md5"), createHash("sha256")];
  let writtenBytes = 0;
  let notedMs = clock.monotonicMs();
  const noting = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    await assertSpace(deps, clip.estimatedBytes);
    await note(deps, job, { estimatedBytes: clip.bytes ?? clip.estimatedBytes });
    for await (const chunk of chunks) {
      md5.update(chunk);
      sha256.update(chunk);
      writtenBytes += chunk.length;
      if (clock.monotonicMs() - notedMs >= PROGRESS_EVERY_MS) {
        notedMs = clock.monotonicMs();
        await note(deps, job, { writtenBytes });
      }
      yield chunk;
    }
  };
  // What an attempt before left behind is written over.
  await pipeline(clip.stream, noting, createWriteStream(filePath, { mode: 0o600, flush: true }), { signal });
  await note(deps, job, { writtenBytes });
  return {
    filePath,
    fileIdentity: fileIdentity(await lstat(filePath, { bigint: true })),
    bytes: writtenBytes,
    md5: md5.digest("hex"),
    sha256: sha256.digest("hex"),
  };
}

async function assertSpace({ workDir, readSpace }: MakeExportDeps, neededBytes: number): Promise<void> {
  const { availableBytes } = await readSpace(workDir);
  if (availableBytes >= neededBytes + LEFT_FREE_BYTES) return;
  throw new AppError({
    kind: "resource-exhausted",
    message: `make an export: ${String(availableBytes)} bytes are free in ${workDir}, expected ${String(neededBytes + LEFT_FREE_BYTES)}`,
    hint: "free space on the disk of DATA_DIR, or ask for a shorter range",
  });
}

async function note(
  { playback: { catalog } }: MakeExportDeps,
  { id }: Export,
  patch: Parameters<typeof updateExport>[2],
): Promise<void> {
  if (await updateExport(catalog, { id, states: RUNNING }, patch)) return;
  throw new AppError({ kind: "cancelled", message: `export ${id} is not to be made any more` });
}
