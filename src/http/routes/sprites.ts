/** Many periodic pictures in one, and which is where: for timelines that are moved over. */
import type { z } from "zod";

import { spriteIndexQuerySchema, spriteQuerySchema } from "../../contract/thumbnails.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import { formatVtt } from "../../core/vtt.js";
import type { Sprite, SpriteRequest } from "../../playback/sprites.js";
import type { HttpDeps } from "../http-deps.js";
import { isNamed } from "../if-none-match.js";
import { defineRoute, type Route } from "../route.js";

const JPEG = "image/jpeg";
const VTT = "text/vtt";
/** More pictures may be taken of a range that is not over, and those of deleted recordings go. */
const ASK_AGAIN = "private, no-cache";
const PLACE = "/api/v1/";

export function spriteRoutes(deps: Pick<HttpDeps, "sprites" | "signer">): Route[] {
  return [spriteIndexRoute(deps), spriteRoute(deps)];
}

function spriteIndexRoute({ sprites, signer }: Pick<HttpDeps, "sprites" | "signer">): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/sprite.vtt",
    access: "viewer",
    scope: ({ query: { path, from: fromUs, to: toUs } }) => [{ path, range: { fromUs, toUs } }],
    signed: "short",
    tag: "playback",
    summary: "Which tile of a sprite is what instant",
    description:
      "A WebVTT track of thumbnails: each cue names its tile by `#xywh` (Media Fragments). Times count from `from`; a cue begins when its picture was taken and ends with the next one. Pictures are the periodic ones (THUMBNAIL_INTERVAL); where there are none, neither are cues.",
    query: spriteIndexQuerySchema,
    responses: { 200: { description: "The track", mediaType: VTT } },
    handler: async ({ query, link, response }) => {
      const sprite = await sprites.locate(requestOf(query));
      const url = spriteUrl(query, sprite);
      // Whoever came by a signed URL goes on by one that is good for as long.
      const target = link === null ? url : signer.sign(`${PLACE}${url}`, link).slice(PLACE.length);
      response.setHeader("Cache-Control", ASK_AGAIN);
      return { kind: "text", contentType: VTT, body: indexOf(query, sprite, target) };
    },
  });
}

function spriteRoute({ sprites }: Pick<HttpDeps, "sprites">): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/sprite.jpg",
    access: "viewer",
    scope: ({ query: { path, from: fromUs, to: toUs } }) => [{ path, range: { fromUs, toUs } }],
    signed: "short",
    tag: "playback",
    summary: "The periodic pictures of a range in one",
    description:
      "Ten in a row, in order of time; sprite.vtt says which is where. 404 without pictures, 503 when no ffmpeg is installed.",
    query: spriteQuerySchema,
    responses: { 200: { description: "The sprite", mediaType: JPEG }, 304: { description: "Not modified" } },
    handler: async ({ query, request, response, signal }) => {
      const sprite = await sprites.locate(requestOf(query));
      if (query.version !== undefined && query.version !== sprite.name) {
        throw new AppError({
          kind: "not-found",
          message: "the pictures of this range are others by now",
          hint: "ask sprite.vtt again",
        });
      }
      const etag = `"${sprite.name}"`;
      const isKnown = isNamed(request.headers["if-none-match"], etag);
      const jpeg = isKnown || request.method === "HEAD" ? null : await sprites.read(sprite, signal);
      response.setHeader("ETag", etag);
      response.setHeader("Cache-Control", ASK_AGAIN);
      if (isKnown) response.statusCode = 304;
      else response.setHeader("Content-Type", JPEG);
      if (jpeg !== null) response.setHeader("Content-Length", String(jpeg.length));
      response.end(jpeg);
      return { kind: "sent" };
    },
  });
}

type Query = z.infer<typeof spriteIndexQuerySchema>;

function requestOf({ path, from, to, width, tiles }: Query): SpriteRequest {
  return { path, fromUs: from, toUs: to, tileWidthPx: width, mostTiles: tiles };
}

/** Relative to the index. */
function spriteUrl({ path, from, to, width, tiles }: Query, { name }: Sprite): string {
  const range = { path, from: formatRfc3339(from), to: formatRfc3339(to) };
  const query = { ...range, width: String(width), tiles: String(tiles), version: name };
  return `sprite.jpg?${new URLSearchParams(query).toString()}`;
}

function indexOf({ from, to }: Query, sprite: Sprite, url: string): string {
  const { tiles, columns, tileWidthPx, tileHeightPx } = sprite;
  const cues = tiles.map(({ atUs }, index) => {
    const corner = [(index % columns) * tileWidthPx, Math.floor(index / columns) * tileHeightPx];
    const text = `${url}#xywh=${[...corner, tileWidthPx, tileHeightPx].join(",")}`;
    return { fromUs: atUs - from, toUs: (tiles[index + 1]?.atUs ?? to) - from, text };
  });
  return formatVtt(cues);
}
