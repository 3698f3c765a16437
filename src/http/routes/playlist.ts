/** Footage for players: playlists of a range, and the bytes that they name. */
import { z } from "zod";

import type { UrlSigner } from "../../access/signed-url.js";
import { mediaQuerySchema, playlistQuerySchema, transcodedQuerySchema } from "../../contract/playlist.js";
import { uuid } from "../../contract/scalars.js";
import { playableIn } from "../../core/browser-codecs.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import { extensionOf } from "../../core/object-key.js";
import type { PathName } from "../../core/path-name.js";
import type { RecordingId, SegmentFormat } from "../../core/recording.js";
import type { TimeRange } from "../../core/span.js";
import { findMediaWindow } from "../../playback/media-window.js";
import { makePlaylist } from "../../playback/playlist.js";
import { holdToWindow } from "../hold-to-window.js";
import type { HttpDeps } from "../http-deps.js";
import { findOpenRecording } from "../open-footage.js";
import { defineRoute, type Link, type Route } from "../route.js";
import { sendMedia } from "../send-media.js";

/** What the URIs in a playlist are relative to. */
const PLACE = "/api/v1/";
const TRANSPORT_STREAM_TYPE = "video/mp2t";
const PLAYLIST_TYPE = "application/vnd.apple.mpegurl";
const PLAYLIST_DESCRIPTION = [
  "Byte ranges of the recorded files as they are (RFC 8216). It begins at the last sync sample at or before `from`;",
  "EXT-X-PROGRAM-DATE-TIME says the wall clock of each file, and a hole in the footage is a discontinuity at which that",
  "clock jumps. 404 when nothing of the range can be played (yet).",
  "With live=1 lines are only added, and EXT-X-ENDLIST comes when `to` has passed.",
  "The header Reelkeeper-Codecs names every codec of the range (RFC 6381), Reelkeeper-Playable says whether browsers play",
  "all of them: `yes`, `some` (H.265, AC-3: ask the browser), or `no` (such as G.711, which is recorded as PCM).",
  "transcode=h264 names pieces that are made while one waits, of both formats in one playlist; 409 unless",
  "TRANSCODING=on.",
  "fMP4 and MPEG-TS cannot stand in one playlist: it ends where the format changes, and the header",
  "Reelkeeper-Format-Changes-At says where to ask on. MPEG-TS is cut at PAT and PMT, the last ones before a random",
  "access point, as MediaMTX writes them; a file without is one segment. What is being written is there up to its last",
  "whole piece: of MPEG-TS one that the next such place follows.",
].join(" ");

export function playlistRoutes(deps: HttpDeps): Route[] {
  return [playlistRoute(deps), mediaRoute(deps, "fmp4"), mediaRoute(deps, "mpegts"), transcodedRoute(deps)];
}

function playlistRoute({ catalog, growing, wholeFiles, signer, transcoder, turns }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/playlist.m3u8",
    access: "viewer",
    scope: ({ query: { path, from: fromUs, to: toUs } }) => [{ path, range: { fromUs, toUs } }],
    signed: "playlist",
    tag: "playback",
    summary: "A range as an HLS playlist",
    description: PLAYLIST_DESCRIPTION,
    query: playlistQuerySchema,
    responses: { 200: { description: "The playlist", mediaType: PLAYLIST_TYPE } },
    handler: async ({ query: { path, from, to, live, multivariant, transcode }, link, response }) => {
      if (transcode !== undefined && transcoder === null) throw switchedOff();
      const sign = link === null ? null : signingFor(signer, link, { from, to });
      const variant = variantOf({ path, from, to, live, transcode });
      const variantUri = multivariant ? (sign?.variant(variant) ?? variant) : null;
      const range = { path, fromUs: from, toUs: to, isLive: live, isExact: link !== null };
      const request = { ...range, isTranscoded: transcode !== undefined, variantUri };
      const { text, codecs, formatChangesAtUs } = await makePlaylist(
        { catalog, growing, wholeFiles, turns },
        { ...request, sign: sign?.media ?? null },
      );
      response.setHeader("Cache-Control", "private, no-cache");
      response.setHeader("Reelkeeper-Codecs", codecs.join(","));
      response.setHeader("Reelkeeper-Playable", playableIn(codecs));
      if (formatChangesAtUs !== null) {
        response.setHeader("Reelkeeper-Format-Changes-At", formatRfc3339(formatChangesAtUs));
      }
      return { kind: "text", contentType: PLAYLIST_TYPE, body: text };
    },
  });
}

/**
 * A playlist that was asked for by a signed URL names signed URLs, which end with it; so the lines of a live one stay
 * what they are. Those of media hold the range, outside of which they open nothing.
 */
function signingFor(signer: UrlSigner, link: Link, { from, to }: Pick<VariantQuery, "from" | "to">) {
  const sign = (uri: string): string => signer.sign(`${PLACE}${uri}`, link).slice(PLACE.length);
  const range = new URLSearchParams({ from: formatRfc3339(from), to: formatRfc3339(to) }).toString();
  return { variant: sign, media: (uri: string) => sign(uri.includes("?") ? uri : `${uri}?${range}`) };
}

interface VariantQuery {
  readonly path: PathName;
  readonly from: number;
  readonly to: number;
  readonly live: boolean;
  readonly transcode: "h264" | undefined;
}

/** The same question without `multivariant`, relative to the answer. */
function variantOf({ path, from, to, live, transcode }: VariantQuery): string {
  const range = { path, from: formatRfc3339(from), to: formatRfc3339(to) };
  const query = { ...range, ...(live ? { live: "1" } : {}), ...(transcode === undefined ? {} : { transcode }) };
  return `playlist.m3u8?${new URLSearchParams(query).toString()}`;
}

function transcodedRoute(deps: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/recordings/{id}/transcoded.ts",
    access: "viewer",
    scope: "row",
    signed: "playlist",
    tag: "playback",
    summary: "A piece of a recording as H.264 and AAC, as a playlist with transcode=h264 names it",
    description:
      "MPEG-TS, made while one waits (TRANSCODING=on): video that is H.264 already is copied, everything else is made anew, at most 1920 pixels wide. 503 with Retry-After when too many are being made; a client that goes away ends the making.",
    params: z.strictObject({ id: uuid.transform((text) => text as RecordingId) }),
    query: transcodedQuerySchema,
    responses: { 200: { description: "The piece", mediaType: TRANSPORT_STREAM_TYPE } },
    handler: async ({ params: { id }, query: { from: fromUs, to: toUs }, caller, request, response, signal }) => {
      const range = { fromUs, toUs };
      const recording = await findOpenRecording(deps, { id, caller, role: "viewer", range });
      if (deps.transcoder === null) throw switchedOff();
      const piece = request.method === "HEAD" ? null : await deps.transcoder.read(recording, range, signal);
      response.setHeader("Content-Type", TRANSPORT_STREAM_TYPE);
      // Made anew it would be as good; making costs more than keeping.
      response.setHeader("Cache-Control", "private, max-age=3600");
      if (piece !== null) response.setHeader("Content-Length", String(piece.length));
      response.end(piece);
      return { kind: "sent" };
    },
  });
}

function switchedOff(): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: "this server does not transcode",
    hint: "set TRANSCODING=on, or play in a browser that knows the codec",
  });
}

function mediaRoute(deps: HttpDeps, format: SegmentFormat): Route {
  const mediaType = format === "fmp4" ? "video/mp4" : "video/mp2t";
  return defineRoute({
    method: "GET",
    path: `/api/v1/recordings/{id}/media${extensionOf(format)}`,
    access: "viewer",
    scope: "row",
    signed: "playlist",
    tag: "playback",
    summary: `The bytes that a playlist names, ${extensionOf(format)}`,
    description:
      "For players. As `file`, but of a file that is still being written a range is answered up to the last whole fragment, and what is only in the bucket is redirected to the bucket itself (PLAYBACK_ARCHIVE=direct), by a URL that is good for 5 min. Where that bucket is of another origin it needs a CORS rule: GET, AllowedHeaders range, ExposeHeaders content-range, content-length, etag.",
    params: z.strictObject({ id: uuid.transform((text) => text as RecordingId) }),
    query: mediaQuerySchema,
    responses: {
      200: { description: "All bytes", mediaType },
      206: { description: "The range", mediaType },
      307: { description: "The range is in the bucket, at Location" },
      304: { description: "Not modified" },
      416: { description: "The range begins behind the end" },
    },
    handler: async ({ params: { id }, query, caller, request, response, signal }) => {
      const range = rangeOf(query);
      const recording = await findOpenRecording(deps, { id, caller, role: "viewer", ...(range && { range }) });
      if (recording.format !== format) {
        throw new AppError({ kind: "not-found", message: `no recording has the id ${id}` });
      }
      if (range === undefined) {
        await sendMedia(deps, recording, { request, response, signal });
      } else {
        const held = holdToWindow(request, await findMediaWindow(deps, recording, range));
        // A URL of the bucket would open the whole file.
        await sendMedia({ ...deps, playbackArchive: "proxy" }, recording, { request: held, response, signal });
      }
      return { kind: "sent" };
    },
  });
}

function rangeOf({ from, to }: z.infer<typeof mediaQuerySchema>): TimeRange | undefined {
  return from === undefined || to === undefined ? undefined : { fromUs: from, toUs: to };
}
