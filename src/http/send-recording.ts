/**
 * The bytes of a recording, from disk while they are there, else from the store: same bytes, same ETag. A file that is
 * still being written has no bytes to promise yet.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { ObjectRange, ObjectStore } from "../archive/object-store.js";
import { AppError, errnoOf, isAppError } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import { formatRfc3339 } from "../core/instant.js";
import { extensionOf } from "../core/object-key.js";
import type { Recording } from "../core/recording.js";
import { resolveInside } from "../platform/files.js";
import { parseRange } from "./range.js";

export interface SendDeps {
  readonly recordDir: string;
  readonly store: ObjectStore;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** Throws `failed-precondition` for an open recording, `not-found` when neither copy is there. */
export async function sendRecording(deps: SendDeps, recording: Recording, exchange: Exchange): Promise<void> {
  if (recording.local === "open") {
    throw new AppError({ kind: "failed-precondition", message: `recording ${recording.id} is still being written` });
  }
  const { request, response, signal } = exchange;
  const etag = `"${recording.sha256 ?? recording.fileIdentity ?? recording.id}"`;
  setHeaders(response, recording, etag);
  if (matches(request.headers["if-none-match"], etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const isSame = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
  const range = parseRange(isSame ? request.headers.range : undefined, recording.bytes);
  if (range.kind === "unsatisfiable") {
    response.statusCode = 416;
    response.setHeader("Content-Range", `bytes */${String(recording.bytes)}`);
    response.end();
    return;
  }
  const part = range.kind === "part" ? range : { start: 0, end: recording.bytes - 1 };
  const bytes = await openBytes(deps, recording, { part, signal });
  response.statusCode = range.kind === "part" ? 206 : 200;
  response.setHeader("Content-Length", String(part.end - part.start + 1));
  if (range.kind === "part") {
    response.setHeader("Content-Range", `bytes ${String(part.start)}-${String(part.end)}/${String(recording.bytes)}`);
  }
  if (request.method === "HEAD") {
    bytes.destroy();
    response.end();
    return;
  }
  await pipeline(bytes, response, { signal }).catch((error: unknown) => {
    // A viewer that leaves is no failure.
    if (!signal.aborted) throw error;
  });
}

function setHeaders(response: ServerResponse, recording: Recording, etag: string): void {
  const stamp = formatRfc3339(recording.startUs).slice(0, 19).replaceAll(":", "-");
  const name = `${recording.path.replaceAll("/", "-")}_${stamp}Z${extensionOf(recording.format)}`;
  response.setHeader("ETag", etag);
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Cache-Control", "private, no-cache");
  response.setHeader("Content-Type", recording.format === "fmp4" ? "video/mp4" : "video/mp2t");
  response.setHeader("Content-Disposition", `inline; filename="${name}"`);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((candidate) => candidate.trim() === etag || candidate.trim() === "*");
}

interface Wanted {
  readonly part: ObjectRange;
  readonly signal: AbortSignal;
}

async function openBytes(deps: SendDeps, recording: Recording, { part, signal }: Wanted): Promise<Readable> {
  const local = recording.local === "present" ? await openLocal(deps, recording, part) : undefined;
  if (local !== undefined) return local;
  if (recording.archive !== "verified" || recording.objectKey === null) {
    throw new AppError({ kind: "not-found", message: `recording ${recording.id} has no copy that could be read` });
  }
  try {
    return await deps.store.get(recording.objectKey, { range: part, signal });
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
    throw new AppError({ kind: "data-loss", message: `object ${recording.objectKey} is gone`, cause: error });
  }
}

/** Undefined: the file is not the one of the row any more; the store has the right one. */
async function openLocal(deps: SendDeps, recording: Recording, part: ObjectRange): Promise<Readable | undefined> {
  try {
    const file = await resolveInside(deps.recordDir, recording.filePath);
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await handle.stat({ bigint: true });
    if (stat.isFile() && fileIdentity(stat) === recording.fileIdentity) return handle.createReadStream({ ...part });
    await handle.close();
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ELOOP" && !isAppError(error)) throw error;
  }
  return undefined;
}
