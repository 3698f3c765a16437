import { z } from "zod";

import { assertAllowed } from "../../access/policy.js";
import { listRecordedPaths } from "../../catalog/latest-recordings.js";
import { findLastPathEvent } from "../../catalog/path-events.js";
import type { PathRow } from "../../catalog/path-row.js";
import {
  newPathSchema,
  pathFilterSchema,
  pathListSchema,
  pathPatchSchema,
  type PathFilter,
  pathSchema,
} from "../../contract/paths.js";
import { pathName } from "../../contract/scalars.js";
import { maskSettings } from "../../contract/secret-settings.js";
import { formatRfc3339 } from "../../core/instant.js";
import type { PathName } from "../../core/path-name.js";
import type { Principal } from "../../core/principal.js";
import { effectiveSettings, withoutPassword } from "../../streams/effective-settings.js";
import { warningsOf } from "../../streams/path-warnings.js";
import { actorOf } from "../actor.js";
import type { HttpDeps, LivePath } from "../http-deps.js";
import { defineRoute, json, type Route, type Scope } from "../route.js";

const noQuery = z.strictObject({});
const DELETED = { description: "Removed; its recordings stay", schema: z.object({ removed: z.string() }) };

/** A path name holds slashes: it is the last part of the URL, or the query parameter `path`. */
export function pathRoutes(deps: HttpDeps): Route[] {
  const named = z.strictObject({ name: pathName });
  const queried = z.strictObject({ path: pathName });
  const one = { 200: { description: "The path", schema: pathSchema } };
  const common = { tag: "paths", access: "admin" } as const;
  return [
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/paths",
      access: "viewer",
      scope: "list",
      summary: "List paths, or show the one given by the query parameter path",
      description: "group, label and q narrow the list; a path has to fit all that are given.",
      query: pathFilterSchema,
      responses: { 200: { description: "Paths", schema: z.union([pathListSchema, pathSchema]) } },
      handler: async ({ query: { path, ...filter }, caller }) => {
        if (path === undefined) return listAll(deps, caller, filter);
        assertAllowed(caller, "viewer", { path });
        return showOne(deps, path);
      },
    }),
    defineRoute({
      ...common,
      method: "POST",
      path: "/api/v1/paths",
      scope: ({ body: { name } }) => [{ path: name }],
      summary: "Add a path",
      description:
        "MediaMTX checks the whole configuration before anything is written; 409 with its reason if it refuses.",
      body: newPathSchema,
      responses: { 201: { description: "Added", schema: pathSchema } },
      handler: async ({ body, caller, request }) =>
        json(await viewNow(deps, await deps.paths.create(body, actorOf(caller, request))), 201),
    }),
    defineRoute({
      ...common,
      method: "GET",
      path: "/api/v1/paths/{name+}",
      access: "viewer",
      scope: ({ params: { name } }) => [{ path: name }],
      summary: "Show a path",
      params: named,
      query: noQuery,
      responses: one,
      handler: async ({ params }) => showOne(deps, params.name),
    }),
    ...(
      [
        ["/api/v1/paths/{name+}", named, noQuery],
        ["/api/v1/paths", undefined, queried],
      ] as const
    ).flatMap(([path, params, query]) => editRoutes(deps, { path, params, query })),
  ];
}

interface Addressed {
  readonly path: string;
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType;
}

function editRoutes(deps: HttpDeps, { path, params, query }: Addressed): Route[] {
  const common = { tag: "paths", access: "admin", path, query, ...(params === undefined ? {} : { params }) } as const;
  const nameOf = (input: { readonly params: unknown; readonly query: unknown }): PathName => {
    const byUrl = input.params as { readonly name: PathName } | undefined;
    return byUrl?.name ?? (input.query as { readonly path: PathName }).path;
  };
  const scope: Scope = (input) => [{ path: nameOf(input) }];
  return [
    defineRoute({
      ...common,
      scope,
      method: "PATCH",
      summary: "Change a path",
      description: "JSON merge (RFC 7396): what is not named stays, null resets. Other paths are not touched.",
      body: pathPatchSchema,
      responses: { 200: { description: "The path as it is now", schema: pathSchema } },
      handler: async (input) => {
        const actor = actorOf(input.caller, input.request);
        return json(await viewNow(deps, await deps.paths.patch(nameOf(input), input.body, actor)));
      },
    }),
    defineRoute({
      ...common,
      scope,
      method: "DELETE",
      summary: "Remove a path",
      responses: { 200: DELETED },
      handler: async (input) => {
        const name = nameOf(input);
        await deps.paths.remove(name, actorOf(input.caller, input.request));
        return json({ removed: name });
      },
    }),
  ];
}

type Filter = Omit<PathFilter, "path">;

async function listAll(deps: HttpDeps, { scopes }: Principal, filter: Filter) {
  const [rows, live, recorded, inherited] = await Promise.all([
    deps.paths.list(scopes),
    askLive(deps),
    listRecordedPaths(deps.catalog, scopes),
    deps.inheritedSettings(),
  ]);
  const known = new Set(rows.map(({ name }) => name));
  const others = recorded.filter((name) => !known.has(name) && isWanted({ name, group: null, labels: [] }, filter));
  return json({
    items: await Promise.all(
      rows.filter((row) => isWanted(row, filter)).map((row) => viewOf(deps, row, { live, inherited })),
    ),
    others: await Promise.all(others.map(async (name) => ({ name, state: await stateOf(deps, name, live) }))),
  });
}

function isWanted(row: Pick<PathRow, "name" | "group" | "labels">, { group, label, q }: Filter): boolean {
  if (group !== undefined && row.group !== group) return false;
  if (label?.some((one) => !row.labels.includes(one)) === true) return false;
  if (q === undefined) return true;
  const text = q.toLowerCase();
  return [row.name, row.group ?? "", ...row.labels].some((part) => part.toLowerCase().includes(text));
}

async function showOne(deps: HttpDeps, name: PathName) {
  return json(await viewNow(deps, await deps.paths.get(name)));
}

type Live = ReadonlyMap<PathName, LivePath> | undefined;

/** Undefined: MediaMTX cannot be asked. */
async function askLive(deps: HttpDeps): Promise<Live> {
  return deps.livePaths().catch(() => undefined);
}

async function viewNow(deps: HttpDeps, row: PathRow) {
  const [live, inherited] = await Promise.all([askLive(deps), deps.inheritedSettings()]);
  const settings = effectiveSettings(row.settings, inherited(row.name));
  return {
    ...(await viewOf(deps, row, { live, inherited })),
    effective: withoutPassword(settings),
    warnings: warningsOf(settings),
  };
}

interface Now {
  readonly live: Live;
  readonly inherited: Awaited<ReturnType<HttpDeps["inheritedSettings"]>>;
}

async function viewOf(deps: HttpDeps, row: PathRow, { live, inherited }: Now) {
  const { applied, error } = deps.configState();
  return {
    name: row.name,
    ...maskSettings(row.settings),
    enabled: row.enabled,
    archive: row.archive,
    localRetention: row.localRetention,
    archiveRetention: row.archiveRetention,
    labels: row.labels,
    group: row.group,
    createdAt: formatRfc3339(row.createdAtUs),
    updatedAt: formatRfc3339(row.updatedAtUs),
    recorded: effectiveSettings(row.settings, inherited(row.name)).record.value === true,
    state: await stateOf(deps, row.name, live),
    config: { applied, error },
  };
}

async function stateOf({ catalog }: HttpDeps, name: PathName, live: Live) {
  const event = await findLastPathEvent(catalog, name);
  const state = live?.get(name);
  return {
    online: live === undefined ? null : (state?.online ?? false),
    source: state?.source ?? null,
    since: event === undefined ? null : formatRfc3339(event.atUs),
  };
}
