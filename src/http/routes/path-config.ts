/** What paths may be told, and many paths at once. */
import { z } from "zod";

import {
  batchReportSchema,
  bulkSchema,
  exportQuerySchema,
  importSchema,
  settingListSchema,
  templateListSchema,
} from "../../contract/path-config.js";
import { SETTING_NAMES, settingFacts } from "../../contract/setting-facts.js";
import { compareVersions } from "../../mediamtx/version.js";
import { effectiveSettings, withoutPassword } from "../../streams/effective-settings.js";
import { actorOf } from "../actor.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Route } from "../route.js";

const noQuery = z.strictObject({});

export function pathConfigRoutes(deps: HttpDeps): Route[] {
  return [...tellingRoutes(deps), ...batchRoutes(deps)];
}

function batchRoutes({ pathBatches }: HttpDeps): Route[] {
  const common = { tag: "paths", access: "admin", scope: "instance" } as const;
  const report = { 200: { description: "What was done, or would be", schema: batchReportSchema } };
  return [
    defineRoute({
      ...common,
      method: "POST",
      path: "/api/v1/config/bulk",
      summary: "Change many paths in the same way: all of them, or none",
      body: bulkSchema,
      responses: report,
      handler: async ({ body: { names, patch, dryRun }, caller, request }) =>
        json(await pathBatches.patchAll(names, patch, { dryRun, actor: actorOf(caller, request) })),
    }),
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/config/paths",
      summary: "All paths as CSV or YAML, passwords masked; importing it again changes nothing",
      query: exportQuerySchema,
      responses: { 200: { description: "The list", mediaType: ["text/csv", "application/yaml"] } },
      handler: async ({ query: { format }, response }) => {
        const body = await pathBatches.exportAll(format);
        response.setHeader("Content-Disposition", `attachment; filename="paths.${format}"`);
        const contentType = format === "csv" ? "text/csv; charset=utf-8" : "application/yaml; charset=utf-8";
        return { kind: "text", contentType, body };
      },
    }),
    defineRoute({
      ...common,
      method: "POST",
      path: "/api/v1/config/paths",
      summary: "Add and change paths by a CSV or YAML text: all of it, or nothing",
      description:
        "An empty cell of CSV and null of YAML reset a setting to what it inherits; a masked password stays.",
      body: importSchema,
      responses: report,
      handler: async ({ body: { dryRun, ...list }, caller, request }) =>
        json(await pathBatches.importAll(list, { dryRun, actor: actorOf(caller, request) })),
    }),
  ];
}

function tellingRoutes(deps: HttpDeps): Route[] {
  const common = { tag: "paths", scope: "none", query: noQuery } as const;
  return [
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/config/settings",
      access: "viewer",
      summary:
        "Every setting that a path can have: what it takes, what it means, whether a change reconnects the camera",
      responses: { 200: { description: "Settings", schema: settingListSchema } },
      handler: async () => json(describeSettings(deps.mediamtxVersion(), (await deps.inheritedSettings())(""))),
    }),
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/config/templates",
      access: "admin",
      summary: "Commands that a path may name by template; the commands themselves are not told",
      responses: { 200: { description: "Templates", schema: templateListSchema } },
      handler: async () =>
        json({ items: (await deps.templates()).map(({ id, description }) => ({ id, description })) }),
    }),
  ];
}

function describeSettings(version: string, base: Readonly<Record<string, unknown>>) {
  const inherited = withoutPassword(effectiveSettings({}, base));
  const items = SETTING_NAMES.map((name) => {
    const { minVersion = null, secret = null, ...facts } = settingFacts(name);
    const isSupported = minVersion === null || compareVersions(version, minVersion) >= 0;
    return { name, ...facts, inherited: inherited[name].value, minVersion, secret, isSupported };
  });
  return { mediamtxVersion: version, items };
}
