/** A clip as an answer: whole, or the range of one whose length is known; HEAD too. */
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import { formatRfc3339 } from "../core/instant.js";
import type { PreparedClip } from "../playback/write-clip.js";
import { HttpError } from "./problem.js";
import { parseRange, type RangeVerdict } from "./range.js";
import { type Exchange, rangeOf } from "./send-recording.js";

export async function sendClip(clip: PreparedClip, { request, response, signal }: Exchange): Promise<void> {
  const { bytes, etag } = clip;
  const range: RangeVerdict =
    bytes === null || etag === null ? { kind: "whole" } : parseRange(rangeOf(request, etag), bytes);
  if (range.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${String(bytes)}`);
    const message = `the range begins behind the end of the clip, which has ${String(bytes)} bytes`;
    throw new HttpError(416, { kind: "invalid-argument", message });
  }
  const part = range.kind === "part" ? { start: range.start, end: range.end + 1 } : undefined;
  // Before the headers: a copy that cannot be read is told as a problem.
  const stream = request.method === "HEAD" ? undefined : await clip.open(part);
  setClipHeaders(response, clip);
  if (part !== undefined) {
    response.statusCode = 206;
    response.setHeader("Content-Length", String(part.end - part.start));
    response.setHeader("Content-Range", `bytes ${String(part.start)}-${String(part.end - 1)}/${String(bytes)}`);
  }
  if (stream === undefined) {
    response.end();
    return;
  }
  await pipeline(stream, response, { signal }).catch((error: unknown) => {
    // A viewer that leaves is no failure.
    if (!signal.aborted) throw error;
  });
}

function setClipHeaders(response: ServerResponse, clip: PreparedClip): void {
  response.setHeader("Content-Type", "video/mp4");
  response.setHeader("Reelkeeper-Start", formatRfc3339(clip.startUs));
  response.setHeader("Reelkeeper-End", formatRfc3339(clip.endUs));
  response.setHeader("Reelkeeper-Estimated-Bytes", String(clip.estimatedBytes));
  if (clip.bytes === null || clip.etag === null) return;
  response.setHeader("Content-Length", String(clip.bytes));
  response.setHeader("ETag", clip.etag);
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Cache-Control", "private, no-cache");
}
