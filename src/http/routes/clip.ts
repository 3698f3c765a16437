import { noteAudit } from "../../catalog/audit.js";
import { clipQuerySchema } from "../../contract/clip.js";
import { formatRfc3339, US_PER_MS } from "../../core/instant.js";
import { zoneClock } from "../../core/zone-clock.js";
import { prepareClip } from "../../playback/write-clip.js";
import { actorOf, isBeginning } from "../actor.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, type Route } from "../route.js";
import { sendClip } from "../send-clip.js";

export function clipRoutes({ playback, catalog }: HttpDeps): Route[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/clip.mp4",
      access: "viewer",
      scope: ({ query: { path, from: fromUs, to: toUs } }) => [{ path, range: { fromUs, toUs } }],
      signed: "short",
      tag: "playback",
      summary: "A range of a path as one MP4, without any media made anew",
      description:
        "From disk or store, across any number of recordings. It begins at the sync sample at or before `from` (the " +
        "first one after it where there is none) and ends with the frame before `to`: the headers Reelkeeper-Start and " +
        "Reelkeeper-End tell both instants. Of reordered pictures (B-frames) an fmp4 also shows later ones that others " +
        "need. Other tracks begin within one of their frames of the picture. mp4 has a " +
        "Content-Length, a strong ETag and takes one Range; of fmp4 Reelkeeper-Estimated-Bytes tells the size, also for " +
        "HEAD. The file that is still being written counts as far as it is whole (of MPEG-TS: to its last random access " +
        "point). MPEG-TS recordings are put into the other container by ffmpeg as they go by (503 where none is " +
        "installed, and while too many are). 404: no footage. 409: what the camera sends, or the recording format, changes inside the range (the answer names the " +
        "instant; ask for one clip on each side). A copy that fails halfway ends the connection.",
      query: clipQuerySchema,
      responses: {
        200: { description: "The clip", mediaType: "video/mp4" },
        206: { description: "The range of an mp4", mediaType: "video/mp4" },
        416: { description: "The range begins behind the end" },
      },
      handler: async ({ query, caller, request, response, signal }) => {
        const { path, from: fromUs, to: toUs, format, gaps } = query;
        const clip = await prepareClip(playback, { path, fromUs, toUs, format, gaps }, signal);
        if (isBeginning(request)) {
          const after = { from: formatRfc3339(fromUs), to: formatRfc3339(toUs), format };
          await noteAudit(catalog, { actor: actorOf(caller, request), action: "clip.download", target: path, after });
        }
        const zone = query.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
        response.setHeader("Content-Disposition", `attachment; filename="${fileName(path, clip.startUs, zone)}"`);
        await sendClip(clip, { request, response, signal });
        return { kind: "sent" };
      },
    }),
  ];
}

/** `site-gate_2026-11-20_18-04-43.mp4`; path names are ASCII without quotes (core/path-name.ts). */
function fileName(path: string, startUs: number, zone: string): string {
  const epochMs = Math.floor(startUs / US_PER_MS);
  const localMs = epochMs + zoneClock(zone).offsetSecAt(epochMs) * 1_000;
  const stamp = new Date(localMs).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-");
  return `${path.replaceAll("/", "-")}_${stamp}.mp4`;
}
