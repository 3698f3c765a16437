/** Exports: asked for, looked at, taken, and ended. */
import { z } from "zod";

import { type AuditNote, noteAudit } from "../../catalog/audit.js";
import { listExports } from "../../catalog/exports.js";
import { exportListSchema, exportSchema, newExportSchema } from "../../contract/exports.js";
import { uuid } from "../../contract/scalars.js";
import { parseDurationMs } from "../../core/duration.js";
import type { Export, ExportId } from "../../core/export.js";
import { formatRfc3339, US_PER_MS } from "../../core/instant.js";
import { actorOf, isBeginning } from "../actor.js";
import type { HttpDeps } from "../http-deps.js";
import { findOpenExport } from "../open-footage.js";
import { defineRoute, json, type Route } from "../route.js";
import { sendExport } from "../send-export.js";

const params = z.strictObject({ id: uuid.transform((text) => text as ExportId) });
const noQuery = z.strictObject({});
const common = { tag: "exports", query: noQuery } as const;

export function exportRoutes(deps: HttpDeps): Route[] {
  return [createRoute(deps), listRoute(deps), oneRoute(deps), fileRoute(deps), deleteRoute(deps)];
}

function createRoute({ exports, catalog }: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "POST",
    path: "/api/v1/exports",
    access: "operator",
    scope: ({ body: { path, from: fromUs, to: toUs } }) => [{ path, range: { fromUs, toUs } }],
    summary: "Have a clip made in the background",
    description:
      "As clip.mp4, of up to 24 h, two at a time, in the order in which they were asked for. The result lies in the " +
      "store until it expires. A restart begins it again; what fails for a passing reason is tried again.",
    body: newExportSchema,
    responses: { 202: { description: "Will be made", schema: exportSchema } },
    handler: async ({ body: { path, from: fromUs, to: toUs, format, gaps, keep }, caller, request }) => {
      const keepUs = parseDurationMs(keep) * US_PER_MS;
      const made = exportView(await exports.submit({ path, fromUs, toUs, format, gaps, keepUs }));
      await noteAudit(catalog, noteOf(made, { actor: actorOf(caller, request), action: "export.create" }));
      return json(made, 202);
    },
  });
}

function listRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "GET",
    path: "/api/v1/exports",
    access: "viewer",
    scope: "list",
    summary: "The latest 200 exports, newest first",
    responses: { 200: { description: "Exports", schema: exportListSchema } },
    handler: async ({ caller }) => json({ items: (await listExports(catalog, caller.scopes)).map(exportView) }),
  });
}

function oneRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "GET",
    path: "/api/v1/exports/{id}",
    access: "viewer",
    scope: "row",
    summary: "One export and how far it is",
    params,
    responses: { 200: { description: "The export", schema: exportSchema } },
    handler: async ({ params: { id }, caller }) =>
      json(exportView(await findOpenExport(deps, { id, caller, role: "viewer" }))),
  });
}

function fileRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "GET",
    path: "/api/v1/exports/{id}/file",
    access: "viewer",
    scope: "row",
    signed: "short",
    summary: "The result of an export",
    description: "One Range per request (RFC 9110), strong ETag; HEAD too. 409 until it is done, 404 when it is gone.",
    params,
    responses: {
      200: { description: "All bytes", mediaType: "video/mp4" },
      206: { description: "The range", mediaType: "video/mp4" },
      304: { description: "Not modified" },
      416: { description: "The range begins behind the end" },
    },
    handler: async ({ params: { id }, caller, request, response, signal }) => {
      const found = await findOpenExport(deps, { id, caller, role: "viewer" });
      if (isBeginning(request)) {
        const note = { actor: actorOf(caller, request), action: "export.download" };
        await noteAudit(deps.catalog, noteOf(exportView(found), note));
      }
      await sendExport(deps, found, { request, response, signal });
      return { kind: "sent" };
    },
  });
}

function deleteRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "DELETE",
    path: "/api/v1/exports/{id}",
    access: "operator",
    scope: "row",
    summary: "Cancel an export, or delete its result",
    description: "Answers at once. What is over already stays as it is. While deletions are stopped the object stays.",
    params,
    responses: { 202: { description: "As it is now", schema: exportSchema } },
    handler: async ({ params: { id }, caller, request }) => {
      await findOpenExport(deps, { id, caller, role: "operator" });
      const over = exportView(await deps.exports.cancel(id));
      await noteAudit(deps.catalog, noteOf(over, { actor: actorOf(caller, request), action: "export.cancel" }));
      return json(over, 202);
    },
  });
}

function noteOf(of: ReturnType<typeof exportView>, note: Pick<AuditNote, "actor" | "action">): AuditNote {
  const { id, path, from, to, state } = of;
  return { ...note, target: path, after: { id, from, to, state } };
}

function exportView(of: Export) {
  const { id, path, format, gaps, state, writtenBytes, estimatedBytes, error, bytes, sha256 } = of;
  const written = estimatedBytes === null || estimatedBytes === 0 ? 0 : writtenBytes / estimatedBytes;
  return {
    ...{ id, path, from: formatRfc3339(of.fromUs), to: formatRfc3339(of.toUs), format, gaps, state },
    ...{ writtenBytes, estimatedBytes, progress: state === "done" ? 1 : Math.min(0.99, written), error, bytes, sha256 },
    startAt: of.startUs === null ? null : formatRfc3339(of.startUs),
    endAt: of.endUs === null ? null : formatRfc3339(of.endUs),
    createdAt: formatRfc3339(of.createdAtUs),
    expiresAt: of.expiresAtUs === null ? null : formatRfc3339(of.expiresAtUs),
  };
}
