import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import { clipQuerySchema } from "../../contract/clip.js";
import { formatRfc3339, US_PER_MS } from "../../core/instant.js";
import { zoneClock } from "../../core/zone-clock.js";
import { type Clip, writeClip } from "../../playback/write-clip.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, type Route } from "../route.js";

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
        "Reelkeeper-End tell both instants. Reelkeeper-Estimated-Bytes is about its size, also for HEAD. Other tracks " +
        "begin within one of their frames of the picture. The file that is still being written counts as far as it is " +
        "whole. 404: no footage. 409: what the camera sends changes inside the range (the answer names the instant; " +
        "ask for one clip on each side), or a recording is MPEG-TS. A copy that fails halfway ends the connection.",
      query: clipQuerySchema,
      responses: { 200: { description: "The clip", mediaType: "video/mp4" } },
      handler: async ({ query, request, response, signal }) => {
        const { path, from: fromUs, to: toUs, format, gaps } = query;
        const clip = await writeClip(playback, { path, fromUs, toUs, format, gaps }, signal);
        const zone = query.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
        setClipHeaders(response, clip, fileName(path, clip.startUs, zone));
        if (request.method === "HEAD") {
          clip.stream.destroy();
          response.end();
          return { kind: "sent" };
        }
        await pipeline(clip.stream, response, { signal }).catch((error: unknown) => {
          // A viewer that leaves is no failure.
          if (!signal.aborted) throw error;
        });
        return { kind: "sent" };
      },
    }),
  ];
}

function setClipHeaders(response: ServerResponse, clip: Clip, name: string): void {
  response.setHeader("Content-Type", "video/mp4");
  response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
  response.setHeader("Reelkeeper-Start", formatRfc3339(clip.startUs));
  response.setHeader("Reelkeeper-End", formatRfc3339(clip.endUs));
  response.setHeader("Reelkeeper-Estimated-Bytes", String(clip.estimatedBytes));
  if (clip.bytes !== null) response.setHeader("Content-Length", String(clip.bytes));
}

/** `site-gate_2026-11-20_18-04-43.mp4`; path names are ASCII without quotes (core/path-name.ts). */
function fileName(path: string, startUs: number, zone: string): string {
  const epochMs = Math.floor(startUs / US_PER_MS);
  const localMs = epochMs + zoneClock(zone).offsetSecAt(epochMs) * 1_000;
  const stamp = new Date(localMs).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-");
  return `${path.replaceAll("/", "-")}_${stamp}.mp4`;
}
