/**
 * The bytes of a recording, from disk while they are there, else from the store: same bytes, same ETag. A file that is
 * still being written has no bytes to promise yet.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

import { isHashed, openCopy, type OpenRecordingDeps } from "../archive/open-recording.js";
import { AppError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import { extensionOf } from "../core/object-key.js";
import type { Recording, SegmentFormat } from "../core/recording.js";
import { isNamed } from "./if-none-match.js";
import { HttpError } from "./problem.js";
import { parseRange } from "./range.js";
import { type SendBytesDeps, sendFilePart, sendStream } from "./send-bytes.js";

export type MediaRequest = Pick<IncomingMessage, "method" | "headers">;

export interface SendRecordingDeps extends OpenRecordingDeps, SendBytesDeps {}

export interface Exchange {
  readonly request: MediaRequest;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** Throws `failed-precondition` for an open recording, `not-found` when neither copy is there. */
export async function sendRecording(deps: SendRecordingDeps, recording: Recording, exchange: Exchange): Promise<void> {
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
  const copy = await openCopy(deps, recording);
  const wanted = { part: recording.bytes === 0 ? undefined : part, signal };
  const source = copy.kind === "local" ? copy.file.handle : await copy.open(wanted);
  setCacheHeaders(response, etag);
  setFileHeaders(response, recording);
  response.statusCode = range.kind === "part" ? 206 : 200;
  const length = part.end - part.start + 1;
  response.setHeader("Content-Length", String(length));
  if (range.kind === "part") {
    response.setHeader("Content-Range", `bytes ${String(part.start)}-${String(part.end)}/${String(recording.bytes)}`);
  }
  if (request.method === "HEAD") {
    response.end();
    if (source instanceof Readable) source.destroy();
    else await source.close();
    return;
  }
  const promised = { length, response, signal };
  if (source instanceof Readable) await sendStream(deps, source, promised);
  else await sendFilePart(deps, { handle: source, start: part.start }, promised);
}

/**
 * "A server MUST ignore a Range header field received with a request method … for which range handling is not defined.
 * For this specification, GET is the only method" (RFC 9110, section 14.2).
 */
export function rangeOf({ method, headers }: MediaRequest, etag: string): string | undefined {
  const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
  return method === "GET" && isSame ? headers.range : undefined;
}

function etagOf(recording: Recording): string {
  const hash = isHashed(recording) ? recording.sha256 : null;
  return `"${hash ?? recording.fileIdentity ?? recording.id}"`;
}

function setCacheHeaders(response: ServerResponse, etag: string): void {
  response.setHeader("ETag", etag);
  response.setHeader("Cache-Control", "private, no-cache");
}

export function setFileHeaders(response: ServerResponse, recording: Recording): void {
  const stamp = formatRfc3339(recording.startUs).slice(0, 19).replaceAll(":", "-");
  // Path names are ASCII without quotes (core/path-name.ts), so the header needs no escape.
  const name = `${recording.path.replaceAll("/", "-")}_${stamp}Z${extensionOf(recording.format)}`;
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Content-Type", mediaTypeOf(recording.format));
  response.setHeader("Content-Disposition", `inline; filename="${name}"`);
  // A browser that opens the file makes a page around it, and that page must be allowed to load the file.
  response.setHeader("Content-Security-Policy", "default-src 'none'; media-src 'self'; frame-ancestors 'none'");
}

export function mediaTypeOf(format: SegmentFormat): string {
  return format === "fmp4" ? "video/mp4" : "video/mp2t";
}
