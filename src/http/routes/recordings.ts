import { z } from "zod";

import { countRecordings, listRecordings, type RecordingFilter } from "../../catalog/recording-lists.js";
import { findRecording, requestDeletion } from "../../catalog/recordings.js";
import { recordingPageSchema, recordingQuerySchema, recordingSchema } from "../../contract/recordings.js";
import { uuid } from "../../contract/scalars.js";
import { AppError } from "../../core/errors.js";
import { ARCHIVE_STATES, LOCAL_STATES, type Recording, type RecordingId } from "../../core/recording.js";
import { decodeCursor, encodeCursor } from "../cursor.js";
import type { HttpDeps } from "../http-deps.js";
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
    tag: "recordings",
    summary: "List recordings, a page at a time",
    description: "Pages go by key: rows that come or go meanwhile neither repeat nor hide others.",
    query: recordingQuerySchema,
    responses: { 200: { description: "A page", schema: recordingPageSchema } },
    handler: async ({ query }) => {
      const filter: RecordingFilter = {
        ...(query.path === undefined ? {} : { paths: query.path }),
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
    tag: "recordings",
    summary: "One recording",
    params,
    query: noQuery,
    responses: { 200: { description: "The recording", schema: recordingSchema } },
    handler: async ({ params: { id } }) => json(recordingView(await readable(deps, id), deps.publicUrl)),
  });
}

function fileRoute(deps: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/recordings/{id}/file",
    access: "viewer",
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
    handler: async ({ params: { id }, request, response, signal }) => {
      await sendRecording(deps, await readable(deps, id), { request, response, signal });
      return { kind: "sent" };
    },
  });
}

function deleteRoute({ catalog, logger, wake }: HttpDeps): Route {
  return defineRoute({
    method: "DELETE",
    path: "/api/v1/recordings/{id}",
    access: "admin",
    tag: "recordings",
    summary: "Delete both copies of a recording",
    description: "Answers at once; the row stays as a tombstone. 409 while MediaMTX still writes the file.",
    params,
    query: noQuery,
    responses: { 202: { description: "Will be deleted", schema: z.object({ accepted: z.literal(true) }) } },
    handler: async ({ params: { id } }) => {
      const recording = await findRecording(catalog, id);
      if (recording === undefined) throw unknownRecording(id);
      if (recording.local === "open") {
        throw new AppError({ kind: "failed-precondition", message: `recording ${id} is still being written` });
      }
      await requestDeletion(catalog, id);
      logger.info("deletion requested", { segmentId: id, path: recording.path });
      wake();
      return json({ accepted: true }, 202);
    },
  });
}

/** The one place where media is resolved: row → path → may this caller see it? Until there are grants, everyone may. */
async function readable({ catalog }: HttpDeps, id: RecordingId): Promise<Recording> {
  const recording = await findRecording(catalog, id);
  if (recording === undefined) throw unknownRecording(id);
  return recording;
}

function unknownRecording(id: RecordingId): AppError {
  return new AppError({ kind: "not-found", message: `no recording has the id ${id}` });
}
