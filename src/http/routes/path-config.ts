/** What paths may be told, and many paths at once. */
import { z } from "zod";

import { settingListSchema, templateListSchema } from "../../contract/path-config.js";
import { SETTING_NAMES, settingFacts } from "../../contract/setting-facts.js";
import { compareVersions } from "../../mediamtx/version.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Route } from "../route.js";

const noQuery = z.strictObject({});

export function pathConfigRoutes(deps: HttpDeps): Route[] {
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
      handler: () => Promise.resolve(json(describeSettings(deps.mediamtxVersion()))),
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

function describeSettings(version: string) {
  const items = SETTING_NAMES.map((name) => {
    const { minVersion = null, ...facts } = settingFacts(name);
    const isSupported = minVersion === null || compareVersions(version, minVersion) >= 0;
    return { name, ...facts, minVersion, isSupported };
  });
  return { mediamtxVersion: version, items };
}
