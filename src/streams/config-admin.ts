/**
 * The configuration as a whole: what a change would do before it is made, what it was, and back to that. The admin's base
 * file is never written: a version whose base was another one is refused, and the difference is shown.
 */
import { type Actor, REELKEEPER } from "../catalog/audit.js";
import { type ConfigVersion, getConfigVersion, listConfigVersions } from "../catalog/config-history.js";
import type { PathFacts } from "../catalog/path-row.js";
import { listPaths, noteConfigNow, replacePaths, unknownPath } from "../catalog/paths.js";
import { newPathSchema, pathPatchSchema } from "../contract/paths.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import { faultPoint } from "../platform/fault-point.js";
import { openConfig, type RenderedConfig, sealConfig, sha256Of, type SnapshotDeps } from "./config-snapshot.js";
import { checkSources } from "./check-sources.js";
import { configuredPathOf } from "./configured-paths.js";
import { type ChangeEffects, effectsOf, type NamedWarning, seldomMeant } from "./change-effects.js";
import { applyPolicies, mergePath } from "./path-admin.js";
import { parsePathFields } from "./parse-path-fields.js";
import type { PathBatchDeps } from "./path-batch.js";

export interface ConfigAdminDeps extends PathBatchDeps, SnapshotDeps {
  readonly mask: (yaml: string) => string;
}

type PathChange =
  | { readonly action: "create" | "update"; readonly name: PathName; readonly settings: Record<string, unknown> }
  | { readonly action: "delete"; readonly name: PathName };

/** Either of them. */
interface PreviewOf {
  readonly changes?: readonly PathChange[] | undefined;
  /** A version. */
  readonly rollbackTo?: number | undefined;
}

interface ConfigPreview extends Pick<ChangeEffects, "diff" | "reconnects"> {
  readonly yaml: string;
  readonly warnings: readonly NamedWarning[];
}

interface ShownVersion {
  readonly yaml: string;
  readonly diff: string;
  readonly diffToNow: string;
  /** False: a rollback is refused. */
  readonly sameBase: boolean;
  /** From the base of now. */
  readonly baseDiff: string;
}

export interface ConfigAdmin {
  /** Changes nothing. Throws what the change itself would throw. */
  preview(of: PreviewOf): Promise<ConfigPreview>;
  list(of: { readonly before?: number | undefined; readonly limit: number }): Promise<readonly ConfigVersion[]>;
  /** Throws `not-found`. */
  show(version: number): Promise<ShownVersion>;
  /** Throws `not-found`, and `failed-precondition` when the base is another one or MediaMTX refuses the result. */
  rollback(version: number, actor: Actor): Promise<{ readonly version: number; readonly isExact: boolean }>;
  /** What changed while nobody was there to note it: the base, MediaMTX's version, or the rows. */
  noteStart(): Promise<void>;
  newestVersion(): Promise<number | null>;
}

export function createConfigAdmin(deps: ConfigAdminDeps): ConfigAdmin {
  const { catalog } = deps;
  return {
    preview: (of) => preview(deps, of),
    list: (of) => listConfigVersions(catalog, of),
    show: async (version) => {
      const { yaml, baseYaml } = openConfig(deps, (await getConfigVersion(catalog, version)).sealed);
      const [before] = await listConfigVersions(catalog, { before: version, limit: 1 });
      const known = before === undefined ? "" : openConfig(deps, before.sealed).yaml;
      const now = await deps.render((await listPaths(catalog)).map(configuredPathOf));
      return {
        yaml: deps.mask(yaml),
        diff: deps.compare(known, yaml).diff,
        diffToNow: deps.compare(yaml, now.yaml).diff,
        sameBase: now.baseYaml === baseYaml,
        baseDiff: deps.compare(now.baseYaml, baseYaml).diff,
      };
    },
    rollback: (version, actor) => rollback(deps, version, actor),
    noteStart: () =>
      noteConfigNow(catalog, {
        ...{ actor: REELKEEPER, reason: "start", action: "config.start", summary: "as found at the start" },
        seal: (paths) => sealConfig(deps, paths),
      }),
    newestVersion: async () => (await listConfigVersions(catalog, { limit: 1 }))[0]?.version ?? null,
  };
}

async function preview(deps: ConfigAdminDeps, { changes = [], rollbackTo }: PreviewOf): Promise<ConfigPreview> {
  const rows = await listPaths(deps.catalog);
  const before = new Map<PathName, PathFacts>(rows.map((row) => [row.name, row]));
  const after =
    rollbackTo === undefined
      ? changes.reduce<ReadonlyMap<PathName, PathFacts>>(withChange, before)
      : new Map((await readForRollback(deps, rollbackTo)).paths.map((facts) => [facts.name, facts]));
  const unknownSources = await checkSources(deps, sourcesOf(before, [...after.values()]));
  await deps.validatePaths([...after.values()].map(configuredPathOf));
  const effects = await effectsOf(deps, { before: rows, after: [...after.values()] });
  const { yaml, diff, reconnects, recorderRestarts } = effects;
  const touched = [...after.values()].filter((facts) => !isConfiguredAs(facts, before.get(facts.name)));
  const warnings = [...recorderRestarts, ...unknownSources, ...(await seldomMeant(deps, touched))];
  return { yaml: deps.mask(yaml), diff, reconnects, warnings };
}

function sourcesOf(before: ReadonlyMap<PathName, PathFacts>, paths: readonly PathFacts[]) {
  return paths.map((after) => ({ before: before.get(after.name), after }));
}

function isConfiguredAs(facts: PathFacts, before: PathFacts | undefined): boolean {
  if (before === undefined) return false;
  return JSON.stringify(configuredPathOf(facts)) === JSON.stringify(configuredPathOf(before));
}

function withChange(rows: ReadonlyMap<PathName, PathFacts>, change: PathChange): ReadonlyMap<PathName, PathFacts> {
  const { name } = change;
  const [known, after, what] = [rows.get(name), new Map(rows), `the change of ${name}`];
  if (change.action === "create") {
    if (known !== undefined) throw new AppError({ kind: "already-exists", message: `a path named "${name}" exists` });
    const facts = new Map(Object.entries(parsePathFields(newPathSchema, { name, ...change.settings }, what)));
    facts.delete("name");
    return after.set(name, mergePath({ ...NEW_PATH, name }, Object.fromEntries(facts)));
  }
  if (known === undefined) throw unknownPath(name);
  if (change.action === "delete") {
    after.delete(name);
    return after;
  }
  return after.set(name, mergePath(known, parsePathFields(pathPatchSchema, change.settings, what)));
}

const NEW_PATH = {
  ...({ settings: {}, enabled: true, archive: "all", localRetention: null, archiveRetention: null } as const),
  labels: [],
};

async function rollback(deps: ConfigAdminDeps, version: number, actor: Actor) {
  const { catalog } = deps;
  const snapshot = await readForRollback(deps, version);
  const { now } = snapshot;
  const before = new Map((await listPaths(catalog)).map((row) => [row.name, row]));
  await checkSources(deps, sourcesOf(before, snapshot.paths));
  await deps.validatePaths(snapshot.paths.map(configuredPathOf));
  const made = await replacePaths(catalog, snapshot.paths, {
    ...{ actor, reason: "rollback", action: "config.rollback", summary: `back to version ${String(version)}` },
    seal: (rows) => sealConfig(deps, rows),
  });
  await faultPoint("edit.after-commit");
  for (const facts of snapshot.paths) {
    const known = before.get(facts.name);
    if (known !== undefined) await applyPolicies(deps, known, facts);
  }
  await faultPoint("edit.before-apply");
  deps.requestApply();
  deps.logger.info("configuration rolled back", { to: version, version: made });
  return { version: made, isExact: sha256Of(now.yaml) === snapshot.sha256 };
}

/** Its paths, and what they make today. Throws `not-found`, and `failed-precondition` when the base is another one. */
async function readForRollback(deps: ConfigAdminDeps, version: number) {
  const { sealed, sha256 } = await getConfigVersion(deps.catalog, version);
  const then = openConfig(deps, sealed);
  const now = await deps.render(then.paths.map(configuredPathOf));
  refuseOtherBase(deps, { version, now, then });
  return { paths: then.paths, now, sha256 };
}

function refuseOtherBase(
  { compare }: ConfigAdminDeps,
  of: { readonly version: number; readonly now: RenderedConfig; readonly then: RenderedConfig },
): void {
  const { version, now, then } = of;
  if (now.baseYaml === then.baseYaml) return;
  throw new AppError({
    kind: "failed-precondition",
    message: `version ${String(version)} was made from another base configuration than the one that is there now`,
    hint: `make the base file what it was, then roll back again:\n${compare(now.baseYaml, then.baseYaml).diff}`,
  });
}
