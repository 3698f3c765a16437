/**
 * Editing paths without fear: a change is rendered and shown to MediaMTX before it is written, and touches one path's
 * entry only.
 */
import type { Actor } from "../catalog/audit.js";
import type { Catalog } from "../catalog/catalog.js";
import type { ConfigChange, SealedConfig } from "../catalog/config-history.js";
import type { PathFacts, PathRow } from "../catalog/path-row.js";
import { deletePath, findPath, insertPath, listPaths, unknownPath, updatePath } from "../catalog/paths.js";
import { queueUnarchived, rescheduleReleases } from "../catalog/path-policies.js";
import { pathSettingsSchema } from "../contract/path-settings.js";
import { isMaskedSetting, maskSetting } from "../contract/secret-settings.js";
import type { NewPath, PathPatch } from "../contract/paths.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import type { PathScopes } from "../core/principal.js";
import { parseDurationMs } from "../core/duration.js";
import { faultPoint } from "../platform/fault-point.js";
import { checkSources, type SourceCheckDeps } from "./check-sources.js";
import { type ConfiguredPath, configuredPathOf } from "./configured-paths.js";

export interface PathAdminDeps extends SourceCheckDeps {
  readonly catalog: Catalog;
  readonly localRetentionMs: number;
  /** Throws `failed-precondition` when MediaMTX would refuse these paths. */
  readonly validatePaths: (paths: readonly ConfiguredPath[]) => Promise<void>;
  /** The whole configuration with these rows, as the history keeps it. */
  readonly seal: (paths: readonly PathRow[]) => Promise<SealedConfig>;
  readonly requestApply: () => void;
  readonly wake: () => void;
}

export interface ConfigState {
  readonly applied: boolean;
  readonly error: string | null;
}

export interface PathAdmin {
  /** Those that are open to these scopes. */
  list(scopes: PathScopes): Promise<PathRow[]>;
  /** Throws `not-found`. */
  get(name: PathName): Promise<PathRow>;
  /** Throws `already-exists`, `invalid-argument`, `failed-precondition`. */
  create(path: NewPath, actor: Actor): Promise<PathRow>;
  /** Throws `not-found`, `invalid-argument`, `failed-precondition`. */
  patch(name: PathName, patch: PathPatch, actor: Actor): Promise<PathRow>;
  /** Throws `not-found`. Its recordings stay. */
  remove(name: PathName, actor: Actor): Promise<void>;
}

/** Each round that somebody else wins has changed the path, so this many in a row are no accident. */
const MOST_ATTEMPTS = 20;
const OURS = ["enabled", "archive", "localRetention", "archiveRetention", "labels", "group"] as const;

export function createPathAdmin(deps: PathAdminDeps): PathAdmin {
  const { catalog, logger } = deps;
  const get = async (name: PathName): Promise<PathRow> => {
    const row = await findPath(catalog, name);
    if (row === undefined) throw unknownPath(name);
    return row;
  };
  return {
    list: (scopes) => listPaths(catalog, scopes),
    get,
    create: async (path, actor) => {
      const facts = factsOf(path);
      const { name } = facts;
      if ((await findPath(catalog, name)) !== undefined) {
        throw new AppError({ kind: "already-exists", message: `a path named "${name}" exists` });
      }
      await checkSources(deps, [{ after: facts }]);
      await validateWith(deps, facts);
      const row = await insertPath(catalog, facts, changeBy(deps, actor, { verb: "create", summary: `${name} added` }));
      deps.requestApply();
      logger.info("path added", { path: name });
      return row;
    },
    patch: async (name, patch, actor) => {
      const changed = Object.keys(patch).join(", ");
      const change = changeBy(deps, actor, { verb: "update", summary: `${name}: ${changed} changed` });
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const before = await get(name);
        const after = mergePath(before, patch);
        await checkSources(deps, [{ before, after }]);
        await validateWith(deps, after);
        if (!(await updatePath(catalog, after, { before, change }))) continue;
        await faultPoint("edit.after-commit");
        await applyPolicies(deps, before, after);
        await faultPoint("edit.before-apply");
        deps.requestApply();
        logger.info("path changed", { path: name, changed });
        return get(name);
      }
      throw new AppError({ kind: "unavailable", message: `change path "${name}": others keep changing it` });
    },
    remove: async (name, actor) => {
      await deletePath(catalog, name, changeBy(deps, actor, { verb: "delete", summary: `${name} removed` }));
      deps.requestApply();
      logger.info("path removed", { path: name });
    },
  };
}

function changeBy(
  { seal }: PathAdminDeps,
  actor: Actor,
  { verb, summary }: { readonly verb: string; readonly summary: string },
): ConfigChange<PathRow> {
  return { actor, reason: "edit", action: `path.${verb}`, summary, seal };
}

/** Throws `invalid-argument`. */
export function factsOf(path: NewPath): PathFacts {
  const { name, enabled, archive, localRetention, archiveRetention, labels, group, ...settings } = path;
  const ours = { name, enabled, archive, localRetention, archiveRetention, labels, group };
  return { ...ours, settings: checkSettings(settings) };
}

/** A password that was shown masked and comes back masked stays what it was. */
export function mergePath(before: PathFacts, patch: PathPatch): PathFacts {
  const settings = new Map(Object.entries(before.settings));
  const changes: Partial<Record<(typeof OURS)[number], unknown>> = {};
  for (const [key, value] of Object.entries(patch)) {
    const own = OURS.find((name) => name === key);
    if (own !== undefined) changes[own] = value;
    else if (value === null) settings.delete(key);
    else if (!isMaskOf(key, value, before.settings[key])) settings.set(key, value);
  }
  return { ...before, ...(changes as Partial<PathFacts>), settings: checkSettings(Object.fromEntries(settings)) };
}

function isMaskOf(key: string, value: unknown, known: unknown): boolean {
  return typeof value === "string" && value !== known && value === maskSetting(key, known);
}

/** Rules that need several settings together. Throws `invalid-argument` that names the field. */
function checkSettings(settings: Record<string, unknown>): Record<string, unknown> {
  const defined = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const parsed = pathSettingsSchema.safeParse(defined);
  const masked = Object.entries(defined).find(([key, value]) => isMaskedSetting(key, value));
  if (masked !== undefined) throw refuseMask(masked[0]);
  if (parsed.success) return defined;
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join("."), message }));
  const [first] = fields;
  throw new AppError({
    kind: "invalid-argument",
    message: `the path is not accepted: ${first?.field ?? ""} ${first?.message ?? ""}`,
    fields,
  });
}

/** Otherwise the camera would be asked with the mask for a password. */
function refuseMask(field: string): AppError {
  const message = "holds the mask *** in place of a password; to change the rest, write the password out as well";
  return new AppError({
    kind: "invalid-argument",
    message: `the path is not accepted: ${field} ${message}`,
    fields: [{ field, message }],
  });
}

async function validateWith(deps: PathAdminDeps, candidate: PathFacts): Promise<void> {
  const others = (await listPaths(deps.catalog)).filter(({ name }) => name !== candidate.name);
  await deps.validatePaths([...others, candidate].map(configuredPathOf));
}

type PolicyDeps = Pick<PathAdminDeps, "catalog" | "localRetentionMs" | "wake">;

/** Rows that wait under the old rules follow the new ones. */
export async function applyPolicies(deps: PolicyDeps, before: PathFacts, after: PathFacts): Promise<void> {
  const { catalog } = deps;
  if (before.localRetention !== after.localRetention) {
    const own = after.localRetention;
    const retentionMs = own === null ? deps.localRetentionMs : parseDurationMs(own, "localRetention");
    await rescheduleReleases(catalog, after.name, retentionMs);
  }
  if (before.archive === "none" && after.archive === "all") await queueUnarchived(catalog, after.name);
  deps.wake();
}
