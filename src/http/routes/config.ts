import { z } from "zod";

import {
  adoptedSchema,
  adoptSchema,
  configSchema,
  configVersionSchema,
  driftSchema,
  historyQuerySchema,
  historySchema,
  previewedSchema,
  previewSchema,
  resolvedDriftSchema,
  resolveDriftSchema,
  rollbackSchema,
  rolledBackSchema,
  versionParamsSchema,
} from "../../contract/config.js";
import { formatRfc3339 } from "../../core/instant.js";
import { actorOf } from "../actor.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Route } from "../route.js";

const common = { tag: "config", access: "admin", scope: "instance" } as const;

export function configRoutes(deps: HttpDeps): Route[] {
  return [
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/config",
      summary: "Whether MediaMTX runs what stands in the table of paths",
      query: z.strictObject({}),
      responses: { 200: { description: "State", schema: configSchema } },
      handler: async () => json({ ...deps.configState(), version: await deps.config.newestVersion() }),
    }),
    defineRoute({
      ...common,
      method: "POST",
      path: "/api/v1/config/preview",
      summary: "What changes of paths, or a rollback, would do, without doing them",
      description:
        "MediaMTX checks the result as it does for the changes themselves; 409 with its reason if it refuses. Errors name the field of the path.",
      body: previewSchema,
      responses: { 200: { description: "The configuration as it would be", schema: previewedSchema } },
      handler: async ({ body }) => json(await deps.config.preview(body)),
    }),
    ...historyRoutes(deps),
    ...driftRoutes(deps),
  ];
}

function driftRoutes({ drift, adopt }: HttpDeps): Route[] {
  return [
    defineRoute({
      ...common,
      method: "POST",
      path: "/api/v1/config/adopt",
      summary:
        "Adopt an existing mediamtx.yml: its paths become rows, the rest the base file; a dry run unless told otherwise",
      description:
        "Commands (runOn…) never come along: a path gets a template of the deployer that says the same, or they block until leaveCommands. 409 with what blocks; nothing is changed then.",
      body: adoptSchema,
      responses: { 200: { description: "What was done, or would be", schema: adoptedSchema } },
      handler: async ({ body: { yaml, ...how }, caller, request }) =>
        json(await adopt.adopt(yaml, { ...how, mayNameFiles: false, actor: actorOf(caller, request) })),
    }),
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/config/drift",
      summary: "Where the paths, mediamtx.yml and the running MediaMTX say different things",
      query: z.strictObject({}),
      responses: { 200: { description: "Each difference", schema: driftSchema } },
      handler: async () => json(await drift.find()),
    }),
    defineRoute({
      ...common,
      method: "POST",
      path: "/api/v1/config/drift/resolve",
      summary: "Take over what was set past Reelkeeper, and apply the paths again for all the rest",
      description:
        "What is taken over is checked as an edit of the path is, and is a version of its own; 404 for what differs no more. Nothing is changed then, nor by a dry run, which tells what would be.",
      body: resolveDriftSchema,
      responses: { 200: { description: "Resolved; MediaMTX follows within seconds", schema: resolvedDriftSchema } },
      handler: async ({ body: { takeOver, dryRun }, caller, request }) =>
        json(await drift.resolve(takeOver, { dryRun, actor: actorOf(caller, request) })),
    }),
  ];
}

function historyRoutes(deps: HttpDeps): Route[] {
  return [
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/config/history",
      summary: "Versions of the configuration, the newest first",
      query: historyQuerySchema,
      responses: { 200: { description: "A page", schema: historySchema } },
      handler: async ({ query: { cursor, limit } }) => {
        const found = await deps.config.list({ before: cursor, limit: limit + 1 });
        const page = found.slice(0, limit);
        const items = page.map(({ version, atUs, author, summary, reason }) => ({
          ...{ version, at: formatRfc3339(atUs), author, summary, reason },
        }));
        return json({ items, next: found.length > limit ? String(page.at(-1)?.version) : null });
      },
    }),
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/config/history/{version}",
      summary: "A version of the configuration, and what it changed",
      params: versionParamsSchema,
      query: z.strictObject({}),
      responses: { 200: { description: "The version", schema: configVersionSchema } },
      handler: async ({ params: { version } }) => json({ version, ...(await deps.config.show(version)) }),
    }),
    defineRoute({
      ...common,
      method: "POST",
      path: "/api/v1/config/rollback",
      summary: "Make the paths what they were in a version",
      description:
        "The rollback is a version of its own. 409 when the base configuration is another one than then (it is the admin's file and is never written), or when MediaMTX refuses the result; nothing is changed then.",
      body: rollbackSchema,
      responses: { 200: { description: "Rolled back", schema: rolledBackSchema } },
      handler: async ({ body, caller, request }) => {
        const { version, isExact } = await deps.config.rollback(body.version, actorOf(caller, request));
        return json({ version, exact: isExact });
      },
    }),
  ];
}
