import { z } from "zod";

import { listStepErrors } from "../../catalog/archive-summary.js";
import { pingCatalog } from "../../catalog/catalog.js";
import { listRejectedFiles } from "../../catalog/rejected-files.js";
import {
  archiveStatusSchema,
  deletionsSchema,
  healthSchema,
  rejectedFilesSchema,
  resumedSchema,
  resumeSchema,
  scanSchema,
} from "../../contract/operation.js";
import { integer } from "../../contract/scalars.js";
import { HINT_OF } from "../../core/deletion-doubt.js";
import { describeError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Reply, type Route } from "../route.js";

const noQuery = z.strictObject({});

/** How it runs: archive, scan, health, metrics. */
export function operationRoutes(deps: HttpDeps): Route[] {
  return [
    archiveRoute(deps),
    rejectedRoute(deps),
    ...scanRoutes(deps),
    ...deletionRoutes(deps),
    ...healthRoutes(deps),
    metricsRoute(deps),
  ];
}

function archiveRoute({ catalog, pace, backlog, store }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/archive",
    access: "viewer",
    scope: "instance",
    tag: "operation",
    summary: "What still has to reach the store",
    query: noQuery,
    responses: { 200: { description: "Backlog, last errors, rate", schema: archiveStatusSchema } },
    handler: async () => {
      const [parts, errors] = await Promise.all([backlog(), listStepErrors(catalog)]);
      const { concurrency, bytesPerSec, lastError } = pace.report();
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      const oldestUs = Math.min(...parts.map((part) => part.oldestStartUs));
      return json({
        store: store.description,
        backlog: {
          segments: parts.reduce((sum, part) => sum + part.segments, 0),
          bytes,
          oldestUnarchivedAt: Number.isFinite(oldestUs) ? formatRfc3339(oldestUs) : null,
          steps: parts.map(({ step, segments, bytes: stepBytes }) => ({ step, segments, bytes: stepBytes })),
        },
        bytesPerSec,
        concurrency,
        drainSec: bytes === 0 ? 0 : bytesPerSec === 0 ? null : Math.ceil(bytes / bytesPerSec),
        lastError,
        errors: errors.map(({ id, path, step, error, attempts, nextAttemptAtUs, updatedAtUs }) => ({
          id,
          path,
          step,
          error,
          attempts,
          nextAttemptAt: formatRfc3339(nextAttemptAtUs),
          at: formatRfc3339(updatedAtUs),
        })),
      });
    },
  });
}

function rejectedRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/rejected-files",
    access: "viewer",
    scope: "instance",
    tag: "operation",
    summary: "Files below the record directory that are no segments",
    query: z.strictObject({ limit: integer("1 to 1000", [1, 1_000]).default(100) }),
    responses: { 200: { description: "Files, by name", schema: rejectedFilesSchema } },
    handler: async ({ query }) => {
      const files = await listRejectedFiles(catalog, query.limit);
      return json({
        items: files.map(({ filePath, reason, bytes, firstSeenAtUs, lastSeenAtUs }) => ({
          filePath,
          reason,
          bytes,
          firstSeenAt: formatRfc3339(firstSeenAtUs),
          lastSeenAt: formatRfc3339(lastSeenAtUs),
        })),
      });
    },
  });
}

function scanRoutes({ scanner }: HttpDeps): Route[] {
  const view = (): Reply => {
    const { running, startedAtUs, finishedAtUs, progress, error } = scanner.state();
    return json({
      running,
      startedAt: startedAtUs === null ? null : formatRfc3339(startedAtUs),
      finishedAt: finishedAtUs === null ? null : formatRfc3339(finishedAtUs),
      ...progress,
      error,
    });
  };
  const common = { path: "/api/v1/scan", tag: "operation", query: noQuery } as const;
  return [
    defineRoute({
      ...common,
      method: "GET",
      access: "viewer",
      scope: "instance",
      summary: "The running or last scan of the record directory",
      responses: { 200: { description: "Progress", schema: scanSchema } },
      handler: () => Promise.resolve(view()),
    }),
    defineRoute({
      ...common,
      method: "POST",
      access: "operator",
      scope: "instance",
      summary: "Scan now",
      responses: { 202: { description: "Will scan", schema: z.object({ accepted: z.literal(true) }) } },
      handler: () => {
        scanner.request();
        return Promise.resolve(json({ accepted: true }, 202));
      },
    }),
  ];
}

function deletionRoutes({ deletions }: HttpDeps): Route[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/deletions",
      access: "viewer",
      scope: "instance",
      tag: "operation",
      summary: "Why nothing is removed now, if so",
      query: noQuery,
      responses: { 200: { description: "What stops deletions", schema: deletionsSchema } },
      handler: async () => {
        const stops = await deletions.list();
        return json({
          stopped: stops.length > 0,
          stops: stops.map(({ doubt, sinceUs, message }) => ({
            doubt,
            since: formatRfc3339(sinceUs),
            message,
            hint: HINT_OF[doubt],
          })),
        });
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/deletions/resume",
      access: "admin",
      scope: "instance",
      tag: "operation",
      summary: "Release what stops deletions",
      description: "Disk, store, clock and database count as right as they are then. Found again, a doubt stops again.",
      query: noQuery,
      body: resumeSchema,
      responses: { 200: { description: "What was released", schema: resumedSchema } },
      handler: async ({ body }) => {
        const released = await deletions.release(body.doubts);
        return json({ released: released.map(({ doubt }) => doubt) });
      },
    }),
  ];
}

function healthRoutes({ catalog, logger, health, publishUrls, backup }: HttpDeps): Route[] {
  const short = z.object({ status: z.enum(["ok", "failed"]), reason: z.string().optional() });
  const ping = async (): Promise<Reply> => {
    try {
      await pingCatalog(catalog);
      return json({ status: "ok" });
    } catch (error) {
      logger.warn("database does not answer", { err: describeError(error) });
      // Anybody may ask: what exactly is wrong stands in the log and in the details.
      return json({ status: "failed", reason: "the database does not answer" }, 503);
    }
  };
  const responses = {
    200: { description: "Yes", schema: short },
    503: { description: "No", schema: short },
  };
  const common = { method: "GET", tag: "operation", query: noQuery } as const;
  return [
    defineRoute({
      ...common,
      path: "/health",
      access: "public",
      scope: "none",
      summary: "Does the process work?",
      responses,
      handler: ping,
    }),
    defineRoute({
      ...common,
      path: "/ready",
      access: "public",
      scope: "none",
      summary: "May it be asked? It listens only once it may",
      responses,
      handler: ping,
    }),
    defineRoute({
      ...common,
      path: "/api/v1/health/details",
      access: "viewer",
      scope: "instance",
      summary: "What works and what does not, worst first",
      responses: { 200: { description: "Checks", schema: healthSchema } },
      handler: async () => json({ checks: await health(), publishUrls: publishUrls(), backup: viewBackup(backup()) }),
    }),
  ];
}

function viewBackup(state: ReturnType<HttpDeps["backup"]>) {
  if (state === null) return null;
  const { last, error } = state;
  const lastAt = last === null ? null : formatRfc3339(last.takenAtUs);
  return { lastAt, key: last?.key ?? null, bytes: last?.bytes ?? null, error };
}

function metricsRoute({ metrics }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/metrics",
    access: "viewer",
    scope: "instance",
    tag: "operation",
    summary: "Prometheus metrics",
    query: noQuery,
    responses: { 200: { description: "Text format", mediaType: "text/plain" } },
    handler: async () => ({
      kind: "text",
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      body: await metrics(),
    }),
  });
}
