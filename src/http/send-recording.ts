/**
 * The bytes of a recording, from disk while they are there, else from the store: same bytes, same ETag. A file that is
 * still being written has no bytes to promise yet.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { ObjectRange, ObjectStore } from "../archive/object-store.js";
import { AppError, errnoOf, isAppError } from "../core/errors.js";
import { looksUnchanged } from "../core/file-identity.js";
import { formatRfc3339 } from "../core/instant.js";
import { extensionOf } from "../core/object-key.js";
import type { Recording } from "../core/recording.js";
import { resolveInside } from "../platform/files.js";
import { HttpError } from "./problem.js";
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
  const etag = etagOf(recording);
  if (isNamed(request.headers["if-none-match"], etag)) {
    setCacheHeaders(response, etag);
    response.statusCode = 304;
    response.end();
    return;
  }
  const range = parseRange(rangeOf(request, etag), recording.bytes);
  if (range.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${String(recording.bytes)}`);
    const message = `the range begins behind the end of the file, which has ${String(recording.bytes)} bytes`;
    throw new HttpError(416, { kind: "invalid-argument", message });
  }
  const part = range.kind === "part" ? range : { start: 0, end: recording.bytes - 1 };
  const bytes = await openBytes(deps, recording, { part: recording.bytes === 0 ? undefined : part, signal });
  setCacheHeaders(response, etag);
  setFileHeaders(response, recording);
  response.statusCode = range.kind === "part" ? 206 : 200;
  const length = part.end - part.start + 1;
  response.setHeader("Content-Length", String(length));
  if (range.kind === "part") {
    response.setHeader("Content-Range", `bytes ${String(part.start)}-${String(part.end)}/${String(recording.bytes)}`);
  }
  if (request.method === "HEAD") {
    bytes.destroy();
    response.end();
    return;
  }
  await pipeline(bytes, (source: Readable) => exactly(source, length), response, { signal }).catch((error: unknown) => {
    // A viewer that leaves is no failure.
    if (!signal.aborted) throw error;
  });
}

/**
 * "A server MUST ignore a Range header field received with a request method … for which range handling is not defined.
 * For this specification, GET is the only method" (RFC 9110, section 14.2).
 */
function rangeOf({ method, headers }: IncomingMessage, etag: string): string | undefined {
  const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
  return method === "GET" && isSame ? headers.range : undefined;
}

/**
 * Node sends whatever comes under the promised Content-Length. Too few bytes (MediaMTX truncates a file that it creates
 * again, F35) would leave the viewer waiting and make the next answer on the connection part of the video.
 */
async function* exactly(bytes: Readable, length: number): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    sent += chunk.length;
    if (sent > length) break;
    yield chunk;
  }
  if (sent === length) return;
  throw new AppError({
    kind: "unavailable",
    message: `send a recording: its bytes ended after ${String(sent)}, expected ${String(length)}`,
  });
}

/** A file that changed is looked at again; until then the row has its length but the hash of what it was. */
function isHashed(recording: Recording): boolean {
  return recording.sha256 !== null && recording.step !== "inspect";
}

function etagOf(recording: Recording): string {
  const hash = isHashed(recording) ? recording.sha256 : null;
  return `"${hash ?? recording.fileIdentity ?? recording.id}"`;
}

function setCacheHeaders(response: ServerResponse, etag: string): void {
  response.setHeader("ETag", etag);
  response.setHeader("Cache-Control", "private, no-cache");
}

function setFileHeaders(response: ServerResponse, recording: Recording): void {
  const stamp = formatRfc3339(recording.startUs).slice(0, 19).replaceAll(":", "-");
  // Path names are ASCII without quotes (core/path-name.ts), so the header needs no escape.
  const name = `${recording.path.replaceAll("/", "-")}_${stamp}Z${extensionOf(recording.format)}`;
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Content-Type", recording.format === "fmp4" ? "video/mp4" : "video/mp2t");
  response.setHeader("Content-Disposition", `inline; filename="${name}"`);
  // A browser that opens the file makes a page around it, and that page must be allowed to load the file.
  response.setHeader("Content-Security-Policy", "default-src 'none'; media-src 'self'; frame-ancestors 'none'");
}

/** Weak comparison, as If-None-Match asks for (RFC 9110, section 13.1.2). */
function isNamed(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((candidate) => ["*", etag, `W/${etag}`].includes(candidate.trim()));
}

interface Wanted {
  /** Undefined: the file is empty. */
  readonly part: ObjectRange | undefined;
  readonly signal: AbortSignal;
}

async function openBytes(deps: SendDeps, recording: Recording, wanted: Wanted): Promise<Readable> {
  const { archive, objectKey } = recording;
  const isInStore = archive === "verified" && objectKey !== null;
  const local = recording.local === "present" ? await tryLocal(deps, recording, wanted) : undefined;
  if (local instanceof AppError && !isInStore) throw local;
  if (local !== undefined && !(local instanceof AppError)) return local;
  if (!isInStore) {
    throw new AppError({ kind: "not-found", message: `recording ${recording.id} has no copy that could be read` });
  }
  if (!isHashed(recording)) {
    const message = `the file of recording ${recording.id} has changed and is being looked at`;
    throw new AppError({ kind: "failed-precondition", message });
  }
  return openStored(deps.store, objectKey, wanted);
}

async function openStored(store: ObjectStore, key: string, { part, signal }: Wanted): Promise<Readable> {
  try {
    return await store.get(key, { ...(part === undefined ? {} : { range: part }), signal });
  } catch (error) {
    if (isAppError(error, "not-found")) {
      throw new AppError({ kind: "data-loss", message: `object ${key} is gone`, cause: error });
    }
    if (isAppError(error, "unavailable") || isAppError(error, "cancelled")) throw error;
    // Our keys are refused, or the bucket is: nothing that the viewer could do about.
    throw new AppError({ kind: "unavailable", message: `read object ${key} from the store`, cause: error });
  }
}

/**
 * Undefined: the file is not the one of the row any more; the store has the right one. An error: we cannot tell. The
 * comparison is on the open file, so neither a link nor a file that was swapped in gets through (F47).
 */
async function tryLocal(
  deps: SendDeps,
  recording: Recording,
  { part }: Wanted,
): Promise<Readable | AppError | undefined> {
  try {
    const file = await resolveInside(deps.recordDir, recording.filePath);
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const isOurs = await isTheFileOf(recording, handle).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
    if (isOurs) return handle.createReadStream({ ...part });
    await handle.close();
    return undefined;
  } catch (error) {
    const isAnswer = isAppError(error, "not-found") || isAppError(error, "invalid-argument");
    if (isAnswer || ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "")) return undefined;
    return new AppError({ kind: "unavailable", message: `read the file of recording ${recording.id}`, cause: error });
  }
}

/** Device and inode numbers change when a disk is mounted again or a folder is restored; the scan minds neither. */
async function isTheFileOf(recording: Recording, handle: FileHandle): Promise<boolean> {
  const stat = await handle.stat({ bigint: true });
  return stat.isFile() && looksUnchanged(recording.fileIdentity, stat);
}
