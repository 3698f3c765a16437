import { z } from "zod";

import { noteAudit } from "../../catalog/audit.js";
import { countRecordings, listRecordings, type RecordingFilter } from "../../catalog/recording-lists.js";
import { requestDeletion } from "../../catalog/recordings.js";
import { recordingPageSchema, recordingQuerySchema, recordingSchema } from "../../contract/recordings.js";
import { uuid } from "../../contract/scalars.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import { ARCHIVE_STATES, LOCAL_STATES, type RecordingId } from "../../core/recording.js";
import { actorOf } from "../actor.js";
import { decodeCursor, encodeCursor } from "../cursor.js";
import type { HttpDeps } from "../http-deps.js";
import { findOpenRecording, openPaths } from "../open-footage.js";
import { recordingView } from "../recording-view.js";
import { defineRoute, json, type Route } from "../route.js";
import { sendRecording } from "../send-recording.js";

const params = z.strictObject({ id: uuid.transform((text) => text as RecordingId) });
const noQuery = z.strictObject({});

export function recordingRoutes(deps: HttpDeps): Route[] {
  return [listRoute(deps), oneRoute(deps), fileRoute(deps), deleteRoute(deps)];
}

function listRoute({ catalog, publicUrl }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/recordings",
    access: "viewer",
    scope: "list",
    tag: "recordings",
    summary: "List recordings, a page at a time",
    description: "Pages go by key: rows that come or go meanwhile neither repeat nor hide others.",
    query: recordingQuerySchema,
    responses: { 200: { description: "A page", schema: recordingPageSchema } },
    handler: async ({ query, caller }) => {
      const paths = await openPaths(catalog, caller, query.path);
      if (paths?.length === 0) return json({ items: [], nextCursor: null, ...(query.total ? { total: 0 } : {}) });
      const filter: RecordingFilter = {
        ...(paths === undefined ? {} : { paths }),
        ...(query.from === undefined ? {} : { fromUs: query.from }),
        ...(query.to === undefined ? {} : { toUs: query.to }),
        local: LOCAL_STATES.filter((state) => query.state?.includes(state)),
        archive: ARCHIVE_STATES.filter((state) => query.state?.includes(state)),
      };
      const { order, limit, cursor } = query;
      const after = cursor === undefined ? {} : { after: decodeCursor(cursor, order) };
      const page = await listRecordings(catalog, filter, { order, limit, ...after });
      return json({
        items: page.items.map((recording) => recordingView(recording, publicUrl)),
        nextCursor: page.next === undefined ? null : encodeCursor(order, page.next),
        ...(query.total ? { total: await countRecordings(catalog, filter) } : {}),
      });
    },
  });
}

function oneRoute(deps: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/recordings/{id}",
    access: "viewer",
    scope: "row",
    tag: "recordings",
    summary: "One recording",
    params,
    query: noQuery,
    responses: { 200: { description: "The recording", schema: recordingSchema } },
    handler: async ({ params: { id }, caller }) =>
      json(recordingView(await findOpenRecording(deps, { id, caller, role: "viewer" }), deps.publicUrl)),
  });
}

function fileRoute(deps: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/recordings/{id}/file",
    access: "viewer",
    scope: "row",
    signed: "short",
    tag: "recordings",
    summary: "The file, from disk or store",
    description:
      "One Range per request (RFC 9110), strong ETag, If-None-Match, If-Range; HEAD too. 409 while it is open.",
    params,
    query: noQuery,
    responses: {
      200: { description: "All bytes", mediaType: "video/mp4" },
      206: { description: "The range", mediaType: "video/mp4" },
      304: { description: "Not modified" },
      416: { description: "The range begins behind the end" },
    },
    handler: async ({ params: { id }, caller, request, response, signal }) => {
      const recording = await findOpenRecording(deps, { id, caller, role: "viewer" });
      await sendRecording(deps, recording, { request, response, signal });
      return { kind: "sent" };
    },
  });
}

function deleteRoute(deps: HttpDeps): Route {
  const { catalog, logger, wake } = deps;
  return defineRoute({
    method: "DELETE",
    path: "/api/v1/recordings/{id}",
    access: "admin",
    scope: "row",
    tag: "recordings",
    summary: "Delete both copies of a recording",
    description: "Answers at once; the row stays as a tombstone. 409 while MediaMTX still writes the file.",
    params,
    query: noQuery,
    responses: { 202: { description: "Will be deleted", schema: z.object({ accepted: z.literal(true) }) } },
    handler: async ({ params: { id }, caller, request }) => {
      const recording = await findOpenRecording(deps, { id, caller, role: "admin" });
      if (recording.local === "open") {
        throw new AppError({ kind: "failed-precondition", message: `recording ${id} is still being written` });
      }
      await requestDeletion(catalog, id);
      const { path, startUs, filePath } = recording;
      await noteAudit(catalog, {
        ...{ actor: actorOf(caller, request), action: "recording.delete", target: path },
        before: { id, startAt: formatRfc3339(startUs), filePath },
      });
      logger.info("deletion requested", { segmentId: id, path: recording.path });
      wake();
      return json({ accepted: true }, 202);
    },
  });
}
