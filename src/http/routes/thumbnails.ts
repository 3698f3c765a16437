import { thumbnailQuerySchema } from "../../contract/thumbnails.js";
import { AppError, isAppError } from "../../core/errors.js";
import { formatRfc3339, US_PER_SEC } from "../../core/instant.js";
import type { Principal } from "../../core/principal.js";
import { THUMBNAIL_WIDTH_PX } from "../../core/thumbnail.js";
import { pictureName } from "../../playback/thumbnails.js";
import type { HttpDeps } from "../http-deps.js";
import { isNamed } from "../if-none-match.js";
import { defineRoute, type Route } from "../route.js";

const JPEG = "image/jpeg";
/** The picture of an instant that has passed does not change; whoever deletes it does not wait for longer than this. */
const FIXED = "private, max-age=3600";
const NEWEST = "private, no-cache";

export function thumbnailRoutes(deps: Pick<HttpDeps, "thumbnails">): Route[] {
  return [thumbnailRoute(deps)];
}

function thumbnailRoute({ thumbnails }: Pick<HttpDeps, "thumbnails">): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/thumbnail.jpg",
    access: "viewer",
    // One whose instant is not told is of any time.
    scope: ({ query: { path, at } }) => [
      { path, ...(at === undefined ? {} : { range: { fromUs: at, toUs: at + 1 } }) },
    ],
    signed: "short",
    tag: "playback",
    summary: "The picture at an instant",
    description:
      "The last sync sample at or before the instant, from disk or store; Reelkeeper-Taken-At tells when it was taken (not for MPEG-TS that cannot be cut, where it is near the instant). With `tolerance` a periodic picture (THUMBNAIL_INTERVAL) that is a little older will do, for which no footage is read; up to 640 pixels wide. 404 in a gap tells what is nearest; 503 when no ffmpeg is installed.",
    query: thumbnailQuerySchema,
    responses: { 200: { description: "The picture", mediaType: JPEG }, 304: { description: "Not modified" } },
    handler: async ({ query: { path, at, width, tolerance }, caller, request, response, signal }) => {
      const toleranceUs = width <= THUMBNAIL_WIDTH_PX ? tolerance * US_PER_SEC : 0;
      const near = { path, atUs: at ?? null, toleranceUs, within: caller.range };
      const picture = await thumbnails.locate(near).catch((error: unknown) => {
        throw withoutNeighbours(caller, error);
      });
      const etag = `"${pictureName(picture, width)}"`;
      const isKnown = isNamed(request.headers["if-none-match"], etag);
      const jpeg = isKnown || request.method === "HEAD" ? null : await thumbnails.read(picture, width, signal);
      response.setHeader("ETag", etag);
      response.setHeader("Cache-Control", at === undefined || picture.recording.local === "open" ? NEWEST : FIXED);
      if (picture.takenAtUs !== null) response.setHeader("Reelkeeper-Taken-At", formatRfc3339(picture.takenAtUs));
      if (isKnown) response.statusCode = 304;
      else response.setHeader("Content-Type", JPEG);
      if (jpeg !== null) response.setHeader("Content-Length", String(jpeg.length));
      response.end(jpeg);
      return { kind: "sent" };
    },
  });
}

/** What is nearest to a gap is no business of whoever may see one range only. */
function withoutNeighbours({ range }: Principal, error: unknown): unknown {
  if (range === null || !isAppError(error, "not-found")) return error;
  return new AppError({ kind: "not-found", message: "there is no picture of this instant" });
}
