import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import { clipQuerySchema } from "../../contract/clip.js";
import { formatRfc3339, US_PER_MS } from "../../core/instant.js";
import { zoneClock } from "../../core/zone-clock.js";
import { prepareClip, type PreparedClip } from "../../playback/write-clip.js";
import type { HttpDeps } from "../http-deps.js";
import { HttpError } from "../problem.js";
import { parseRange, type RangeVerdict } from "../range.js";
import { defineRoute, type Route } from "../route.js";
import { type Exchange, rangeOf } from "../send-recording.js";

export function clipRoutes({ playback }: HttpDeps): Route[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/clip.mp4",
      access: "viewer",
      tag: "playback",
      summary: "A range of a path as one MP4, without any media made anew",
      description:
        "From disk or store, across any number of recordings. It begins at the sync sample at or before `from` (the " +
        "first one after it where there is none) and ends with the frame before `to`: the headers Reelkeeper-Start and " +
        "Reelkeeper-End tell both instants. Other tracks begin within one of their frames of the picture. mp4 has a " +
        "Content-Length, a strong ETag and takes one Range; of fmp4 Reelkeeper-Estimated-Bytes tells the size, also for " +
        "HEAD. The file that is still being written counts as far as it is whole. 404: no footage. 409: what the camera " +
        "sends changes inside the range (the answer names the instant; ask for one clip on each side), or a recording " +
        "is MPEG-TS. A copy that fails halfway ends the connection.",
      query: clipQuerySchema,
      responses: {
        200: { description: "The clip", mediaType: "video/mp4" },
        206: { description: "The range of an mp4", mediaType: "video/mp4" },
        416: { description: "The range begins behind the end" },
      },
      handler: async ({ query, request, response, signal }) => {
        const { path, from: fromUs, to: toUs, format, gaps } = query;
        const clip = await prepareClip(playback, { path, fromUs, toUs, format, gaps }, signal);
        const zone = query.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
        await sendClip(clip, fileName(path, clip.startUs, zone), { request, response, signal });
        return { kind: "sent" };
      },
    }),
  ];
}

async function sendClip(clip: PreparedClip, name: string, { request, response, signal }: Exchange): Promise<void> {
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
  setClipHeaders(response, clip, name);
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

function setClipHeaders(response: ServerResponse, clip: PreparedClip, name: string): void {
  response.setHeader("Content-Type", "video/mp4");
  response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
  response.setHeader("Reelkeeper-Start", formatRfc3339(clip.startUs));
  response.setHeader("Reelkeeper-End", formatRfc3339(clip.endUs));
  response.setHeader("Reelkeeper-Estimated-Bytes", String(clip.estimatedBytes));
  if (clip.bytes === null || clip.etag === null) return;
  response.setHeader("Content-Length", String(clip.bytes));
  response.setHeader("ETag", clip.etag);
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Cache-Control", "private, no-cache");
}

/** `site-gate_2026-11-20_18-04-43.mp4`; path names are ASCII without quotes (core/path-name.ts). */
function fileName(path: string, startUs: number, zone: string): string {
  const epochMs = Math.floor(startUs / US_PER_MS);
  const localMs = epochMs + zoneClock(zone).offsetSecAt(epochMs) * 1_000;
  const stamp = new Date(localMs).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-");
  return `${path.replaceAll("/", "-")}_${stamp}.mp4`;
}
