/**
 * For programs that were written for MediaMTX's playback server: same parameters, same answers, same status codes. Its
 * errors are `{ status: "error", error }` and no problem documents; failures that it does not know stay problems.
 */
import type { IncomingMessage } from "node:http";

import { mediaMtxErrorSchema, mediaMtxListQuerySchema, mediaMtxListSchema } from "../../contract/mediamtx-playback.js";
import { AppError, isAppError } from "../../core/errors.js";
import { formatRfc3339, parseRfc3339, US_PER_SEC } from "../../core/instant.js";
import { parsePathName, type PathName } from "../../core/path-name.js";
import { listTimespans, type Timespan } from "../../playback/mediamtx-list.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Reply, type Route } from "../route.js";

const ERRORS = {
  400: { description: "A parameter is not accepted", schema: mediaMtxErrorSchema },
  404: { description: "No recording segments found", schema: mediaMtxErrorSchema },
};

export function mediaMtxPlaybackRoutes(deps: Pick<HttpDeps, "playback">): Route[] {
  return [listRoute(deps)];
}

function listRoute({ playback }: Pick<HttpDeps, "playback">): Route {
  return defineRoute({
    method: "GET",
    path: "/playback/list",
    access: "viewer",
    tag: "mediamtx",
    summary: "MediaMTX's /list: timespans that can be played",
    description:
      "As MediaMTX ≥1.15.5 merges them, from the index: archived footage too, and one bad file fails nothing.",
    query: mediaMtxListQuerySchema,
    responses: {
      200: { description: "Timespans, oldest first", schema: mediaMtxListSchema },
      ...ERRORS,
      500: { description: "There is nothing but MPEG-TS", schema: mediaMtxErrorSchema },
    },
    handler: ({ query, request }) =>
      inTheirWords(async () => {
        const path = parsePathName(query.path, "path");
        const startUs = query.start === "" ? null : parseRfc3339(query.start, "invalid start");
        const endUs = query.end === "" ? null : parseRfc3339(query.end, "invalid end");
        if (startUs !== null && endUs !== null && endUs < startUs) throw endsBeforeStart();
        const timespans = await listTimespans(playback, { path, startUs, endUs });
        return json(timespans.map((timespan) => entryOf(request, path, timespan)));
      }),
  });
}

function entryOf(request: IncomingMessage, path: PathName, { startUs, endUs }: Timespan): object {
  const start = formatRfc3339(startUs);
  const duration = (endUs - startUs) / US_PER_SEC;
  const query = new URLSearchParams({ duration: String(duration), path, start });
  return { start, duration, url: `${originOf(request)}/playback/get?${query.toString()}` };
}

/** As the client called us. A proxy that speaks HTTPS to it says so; who lies there deceives himself. */
function originOf({ headers }: IncomingMessage): string {
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  return `${scheme}://${headers.host ?? ""}`;
}

async function inTheirWords(answer: () => Promise<Reply>): Promise<Reply> {
  try {
    return await answer();
  } catch (error) {
    if (isAppError(error, "invalid-argument")) return refusal(400, error);
    if (isAppError(error, "not-found")) return refusal(404, error);
    if (isAppError(error, "failed-precondition")) return refusal(500, error);
    throw error;
  }
}

function endsBeforeStart(): AppError {
  return new AppError({ kind: "invalid-argument", message: "invalid end: lies before start" });
}

function refusal(status: number, { message }: AppError): Reply {
  return json({ status: "error", error: message }, status);
}
