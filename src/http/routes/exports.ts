/** Exports: asked for, looked at, taken, and ended. */
import { z } from "zod";

import { findExport, listExports } from "../../catalog/exports.js";
import { exportListSchema, exportSchema, newExportSchema } from "../../contract/exports.js";
import { uuid } from "../../contract/scalars.js";
import { parseDurationMs } from "../../core/duration.js";
import { AppError } from "../../core/errors.js";
import type { Export, ExportId } from "../../core/export.js";
import { formatRfc3339, US_PER_MS } from "../../core/instant.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Route } from "../route.js";
import { sendExport } from "../send-export.js";

const params = z.strictObject({ id: uuid.transform((text) => text as ExportId) });
const noQuery = z.strictObject({});
const common = { tag: "exports", query: noQuery } as const;

export function exportRoutes(deps: HttpDeps): Route[] {
  return [createRoute(deps), listRoute(deps), oneRoute(deps), fileRoute(deps), deleteRoute(deps)];
}

function createRoute({ exports }: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "POST",
    path: "/api/v1/exports",
    access: "operator",
    summary: "Have a clip made in the background",
    description:
      "As clip.mp4, of up to 24 h, two at a time, in the order in which they were asked for. The result lies in the " +
      "store until it expires. A restart begins it again; what fails for a passing reason is tried again.",
    body: newExportSchema,
    responses: { 202: { description: "Will be made", schema: exportSchema } },
    handler: async ({ body: { path, from: fromUs, to: toUs, format, gaps, keep } }) => {
      const keepUs = parseDurationMs(keep) * US_PER_MS;
      return json(exportView(await exports.submit({ path, fromUs, toUs, format, gaps, keepUs })), 202);
    },
  });
}

function listRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "GET",
    path: "/api/v1/exports",
    access: "viewer",
    summary: "The latest 200 exports, newest first",
    responses: { 200: { description: "Exports", schema: exportListSchema } },
    handler: async () => json({ items: (await listExports(catalog)).map(exportView) }),
  });
}

function oneRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "GET",
    path: "/api/v1/exports/{id}",
    access: "viewer",
    summary: "One export and how far it is",
    params,
    responses: { 200: { description: "The export", schema: exportSchema } },
    handler: async ({ params: { id } }) => json(exportView(await known(deps, id))),
  });
}

function fileRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "GET",
    path: "/api/v1/exports/{id}/file",
    access: "viewer",
    summary: "The result of an export",
    description: "One Range per request (RFC 9110), strong ETag; HEAD too. 409 until it is done, 404 when it is gone.",
    params,
    responses: {
      200: { description: "All bytes", mediaType: "video/mp4" },
      206: { description: "The range", mediaType: "video/mp4" },
      304: { description: "Not modified" },
      416: { description: "The range begins behind the end" },
    },
    handler: async ({ params: { id }, request, response, signal }) => {
      await sendExport(deps.store, await known(deps, id), { request, response, signal });
      return { kind: "sent" };
    },
  });
}

function deleteRoute({ exports }: HttpDeps): Route {
  return defineRoute({
    ...common,
    method: "DELETE",
    path: "/api/v1/exports/{id}",
    access: "operator",
    summary: "Cancel an export, or delete its result",
    description: "Answers at once. What is over already stays as it is. While deletions are stopped the object stays.",
    params,
    responses: { 202: { description: "As it is now", schema: exportSchema } },
    handler: async ({ params: { id } }) => json(exportView(await exports.cancel(id)), 202),
  });
}

async function known({ catalog }: Pick<HttpDeps, "catalog">, id: ExportId): Promise<Export> {
  const found = await findExport(catalog, id);
  if (found === undefined) throw new AppError({ kind: "not-found", message: `no export has the id ${id}` });
  return found;
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
