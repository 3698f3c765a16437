/** Footage for players: playlists of a range, and the bytes that they name. */
import { z } from "zod";

import { findRecording } from "../../catalog/recordings.js";
import { playlistQuerySchema } from "../../contract/playlist.js";
import { uuid } from "../../contract/scalars.js";
import { AppError } from "../../core/errors.js";
import { extensionOf } from "../../core/object-key.js";
import type { RecordingId, SegmentFormat } from "../../core/recording.js";
import { makePlaylist } from "../../playback/playlist.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, type Route } from "../route.js";
import { sendRecording } from "../send-recording.js";

const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";

export function playlistRoutes(deps: HttpDeps): Route[] {
  return [playlistRoute(deps), mediaRoute(deps, "fmp4"), mediaRoute(deps, "mpegts")];
}

function playlistRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/playlist.m3u8",
    access: "viewer",
    tag: "playback",
    summary: "A range as an HLS playlist",
    description:
      "Byte ranges of the recorded files as they are (RFC 8216). It begins at the last sync sample at or before `from`; EXT-X-PROGRAM-DATE-TIME says the wall clock of each file, and a hole in the footage is a discontinuity at which that clock jumps. The header Reelkeeper-Codecs names every codec of the range (RFC 6381). 404 when nothing of the range can be played.",
    query: playlistQuerySchema,
    responses: { 200: { description: "The playlist", mediaType: PLAYLIST_TYPE } },
    handler: async ({ query: { path, from, to }, response }) => {
      const { text, codecs } = await makePlaylist({ catalog }, { path, fromUs: from, toUs: to });
      response.setHeader("Cache-Control", "private, no-cache");
      response.setHeader("Reelkeeper-Codecs", codecs.join(","));
      return { kind: "text", contentType: PLAYLIST_TYPE, body: text };
    },
  });
}

function mediaRoute(deps: HttpDeps, format: SegmentFormat): Route {
  const mediaType = format === "fmp4" ? "video/mp4" : "video/mp2t";
  return defineRoute({
    method: "GET",
    path: `/api/v1/recordings/{id}/media${extensionOf(format)}`,
    access: "viewer",
    tag: "playback",
    summary: `The bytes that a playlist names, ${extensionOf(format)}`,
    description: "As `file`, for players.",
    params: z.strictObject({ id: uuid.transform((text) => text as RecordingId) }),
    query: z.strictObject({}),
    responses: {
      200: { description: "All bytes", mediaType },
      206: { description: "The range", mediaType },
      304: { description: "Not modified" },
      416: { description: "The range begins behind the end" },
    },
    handler: async ({ params: { id }, request, response, signal }) => {
      const recording = await findRecording(deps.catalog, id);
      if (recording?.format !== format) {
        throw new AppError({ kind: "not-found", message: `no ${extensionOf(format)} recording has the id ${id}` });
      }
      await sendRecording(deps, recording, { request, response, signal });
      return { kind: "sent" };
    },
  });
}
