/**
 * For programs that were written for MediaMTX's playback server: same parameters, same answers, same status codes. Its
 * errors are `{ status: "error", error }` and no problem documents; failures that it does not know stay problems.
 */
import type { ServerResponse } from "node:http";
import type { z } from "zod";

import { decide } from "../../access/policy.js";
import {
  mediaMtxErrorSchema,
  mediaMtxGetQuerySchema,
  mediaMtxListQuerySchema,
  mediaMtxListSchema,
} from "../../contract/mediamtx-playback.js";
import { parseDurationMs } from "../../core/duration.js";
import { AppError, isAppError } from "../../core/errors.js";
import { formatRfc3339, parseRfc3339, US_PER_SEC } from "../../core/instant.js";
import { parsePathName, type PathName } from "../../core/path-name.js";
import type { Principal } from "../../core/principal.js";
import type { ClipRequest } from "../../playback/clip-request.js";
import { findPlayableEnd, listTimespans, type Timespan } from "../../playback/mediamtx-list.js";
import { prepareClip } from "../../playback/write-clip.js";
import type { HttpDeps } from "../http-deps.js";
import { originOf } from "../origin.js";
import { HttpError } from "../problem.js";
import { defineRoute, json, type Reply, type Route } from "../route.js";
import { sendClip } from "../send-clip.js";

const MS_PER_SEC = 1_000;
const LONGEST_SEC = 86_400;

const ERRORS = {
  400: { description: "A parameter is not accepted", schema: mediaMtxErrorSchema },
  404: { description: "No recording segments found", schema: mediaMtxErrorSchema },
};

type PlaybackOfHttp = Pick<HttpDeps, "playback" | "hardening">;

export function mediaMtxPlaybackRoutes(deps: PlaybackOfHttp): Route[] {
  return [listRoute(deps), getRoute(deps)];
}

function listRoute({ playback, hardening }: PlaybackOfHttp): Route {
  return defineRoute({
    method: "GET",
    path: "/playback/list",
    access: "viewer",
    scope: "row",
    tag: "mediamtx",
    summary: "MediaMTX's /list: timespans that can be played",
    description:
      "As MediaMTX ≥1.15.5 merges them, from the index: archived footage and MPEG-TS too, and one bad file fails nothing.",
    query: mediaMtxListQuerySchema,
    responses: {
      200: { description: "Timespans, oldest first", schema: mediaMtxListSchema },
      ...ERRORS,
    },
    handler: ({ query, caller, request, response }) =>
      inTheirWords(response, async () => {
        const path = parsePathName(query.path, "path");
        assertOpen(caller, path);
        const startUs = query.start === "" ? null : parseRfc3339(query.start, "invalid start");
        const endUs = query.end === "" ? null : parseRfc3339(query.end, "invalid end");
        if (startUs !== null && endUs !== null && endUs < startUs) throw endsBeforeStart();
        const timespans = await listTimespans(playback, { path, startUs, endUs });
        return json(timespans.map((timespan) => entryOf(originOf(request, hardening), path, timespan)));
      }),
  });
}

function getRoute({ playback }: PlaybackOfHttp): Route {
  return defineRoute({
    method: "GET",
    path: "/playback/get",
    access: "viewer",
    scope: "row",
    tag: "mediamtx",
    summary: "MediaMTX's /get: one timespan as MP4",
    description:
      "Until the first break, as MediaMTX; from disk or store, MPEG-TS by way of ffmpeg. It begins at the sync sample at or before the start: Reelkeeper-Start tells when. mp4 takes a Range.",
    query: mediaMtxGetQuerySchema,
    responses: {
      200: { description: "The clip", mediaType: "video/mp4" },
      206: { description: "The range of an mp4", mediaType: "video/mp4" },
      ...ERRORS,
      416: { description: "The range begins behind the end" },
    },
    handler: ({ query, caller, request, response, signal }) =>
      inTheirWords(response, async () => {
        const wanted = clipRequestOf(query);
        assertOpen(caller, wanted.path);
        const toUs = await findPlayableEnd(playback, wanted);
        const clip = await prepareClip(playback, { ...wanted, toUs, gaps: "keep" }, signal);
        if (clip.bytes === null) response.setHeader("Accept-Ranges", "none");
        await sendClip(clip, { request, response, signal });
        return { kind: "sent" };
      }),
  });
}

/** Throws `not-found` in the words for a path without footage. */
function assertOpen(caller: Principal, path: PathName): void {
  if (decide(caller, "viewer", { path }) === "allowed") return;
  throw new AppError({ kind: "not-found", message: "no recording segments found" });
}

type GetQuery = z.infer<typeof mediaMtxGetQuerySchema>;

function clipRequestOf(query: GetQuery): Omit<ClipRequest, "gaps"> {
  const path = parsePathName(query.path, "path");
  const fromUs = parseRfc3339(query.start, "invalid start");
  const toUs = fromUs + durationUsOf(query.duration);
  const { format } = query;
  if (format !== "" && format !== "fmp4" && format !== "mp4") {
    throw new AppError({ kind: "invalid-argument", message: `invalid format: ${format.slice(0, 40)}` });
  }
  return { path, fromUs, toUs, format: format === "mp4" ? "mp4" : "fmp4" };
}

/** Seconds; or a Go duration, which MediaMTX calls deprecated. */
function durationUsOf(text: string): number {
  const sec = /^\d+(\.\d+)?$/.test(text) ? Number(text) : parseDurationMs(text, "invalid duration") / MS_PER_SEC;
  if (sec > 0 && sec <= LONGEST_SEC) return Math.round(sec * US_PER_SEC);
  const message = `invalid duration: ${text.slice(0, 40)}, expected more than 0 and at most ${String(LONGEST_SEC)} seconds`;
  throw new AppError({ kind: "invalid-argument", message });
}

function entryOf(origin: string, path: PathName, { startUs, endUs }: Timespan): object {
  const start = formatRfc3339(startUs);
  const duration = (endUs - startUs) / US_PER_SEC;
  const query = new URLSearchParams({ duration: String(duration), path, start });
  return { start, duration, url: `${origin}/playback/get?${query.toString()}` };
}

async function inTheirWords(response: ServerResponse, answer: () => Promise<Reply>): Promise<Reply> {
  try {
    return await answer();
  } catch (error) {
    if (response.headersSent || error instanceof HttpError) throw error;
    if (isAppError(error, "invalid-argument")) return refusal(400, error);
    if (isAppError(error, "not-found")) return refusal(404, error);
    if (isAppError(error, "failed-precondition")) return refusal(400, error);
    throw error;
  }
}

function endsBeforeStart(): AppError {
  return new AppError({ kind: "invalid-argument", message: "invalid end: lies before start" });
}

function refusal(status: number, { message }: AppError): Reply {
  return json({ status: "error", error: message }, status);
}
