/**
 * The bytes that a playlist names, wherever they are now: of a file that MediaMTX still writes up to its last whole
 * fragment, of a closed one from disk, of one that is only in a bucket by a redirect to the bucket itself, where that
 * is allowed. A redirect is made for each request: what it leads to is good for minutes, and the playlist for ever.
 *
 * Browsers follow it to another origin, so the bucket needs a CORS rule: AllowedOrigins: the page's; AllowedMethods: GET;
 * AllowedHeaders: range; ExposeHeaders: content-range, content-length, etag.
 */
import { AppError } from "../core/errors.js";
import type { Recording } from "../core/recording.js";
import { type GrowingFiles, openFile } from "../playback/growing-files.js";
import { HttpError } from "./problem.js";
import { parseRange } from "./range.js";
import { sendFilePart } from "./send-bytes.js";
import { type Exchange, mediaTypeOf, sendRecording, type SendRecordingDeps, setFileHeaders } from "./send-recording.js";

export interface SendMediaDeps extends SendRecordingDeps {
  readonly growing: GrowingFiles;
  readonly playbackArchive: "direct" | "proxy";
}

/** A request that has begun goes on after it. */
const SIGNED_FOR_SEC = 300;

/** Throws as `sendRecording` does, and `failed-precondition` when all of a file is asked for that is still written. */
export async function sendMedia(deps: SendMediaDeps, recording: Recording, exchange: Exchange): Promise<void> {
  if (recording.local === "open") return sendGrowing(deps, recording, exchange);
  const url = await directUrl(deps, recording, exchange);
  if (url === undefined) return sendRecording(deps, recording, exchange);
  const { response } = exchange;
  response.statusCode = 307;
  response.setHeader("Location", url);
  response.end();
}

/** Undefined: through us. What is signed is a GET. */
async function directUrl(
  { store, playbackArchive }: SendMediaDeps,
  { local, archive, objectKey, format }: Recording,
  { request }: Exchange,
): Promise<string | undefined> {
  if (playbackArchive === "proxy" || request.method !== "GET") return undefined;
  if (local === "present" || archive !== "verified" || objectKey === null) return undefined;
  return store.presignGet?.(objectKey, { expiresSec: SIGNED_FOR_SEC, contentType: mediaTypeOf(format) });
}

/** How long the file will be is not known, so the answer is always a part of it. */
async function sendGrowing(deps: SendMediaDeps, recording: Recording, exchange: Exchange): Promise<void> {
  const { request, response, signal } = exchange;
  const wholeBytes = (await deps.growing.look(recording))?.wholeBytes ?? 0;
  const range = parseRange(request.method === "GET" ? request.headers.range : undefined, wholeBytes);
  if (range.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${String(wholeBytes)}`);
    const message = `the range begins behind the last whole fragment, which ends at byte ${String(wholeBytes)}`;
    throw new HttpError(416, { kind: "invalid-argument", message });
  }
  const handle = range.kind === "part" ? await openFile(deps.recordDir, recording) : undefined;
  if (range.kind === "whole" || handle === undefined) {
    throw new AppError({
      kind: "failed-precondition",
      message: `recording ${recording.id} is still being written`,
      hint: "ask for a range that a playlist names",
    });
  }
  const { start, end } = range;
  const length = end - start + 1;
  setFileHeaders(response, recording);
  response.statusCode = 206;
  response.setHeader("Content-Length", String(length));
  response.setHeader("Content-Range", `bytes ${String(start)}-${String(end)}/*`);
  await sendFilePart(deps, { handle, start }, { length, response, signal });
}
