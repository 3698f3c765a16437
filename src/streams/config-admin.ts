/**
 * The configuration as a whole: what a change would do before it is made, what it was, and back to that. The admin's base
 * file is never written: a version whose base was another one is refused, and the difference is shown.
 */
import { type Actor, REELKEEPER } from "../catalog/audit.js";
import { type ConfigVersion, getConfigVersion, listConfigVersions } from "../catalog/config-history.js";
import { listPaths, noteConfigNow, type PathFacts, replacePaths, unknownPath } from "../catalog/paths.js";
import { newPathSchema, pathPatchSchema } from "../contract/paths.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import { openConfig, type RenderedConfig, sealConfig, sha256Of, type SnapshotDeps } from "./config-snapshot.js";
import { configuredPathOf } from "./configured-paths.js";
import { applyPolicies, mergePath, type PathAdminDeps } from "./path-admin.js";

interface ChangeEffects {
  /** Unified, secrets masked. */
  readonly diff: string;
  readonly reconnects: readonly { readonly path: string; readonly reason: string }[];
  readonly recorderRestarts: readonly { readonly path: string; readonly reason: string }[];
}

export interface ConfigAdminDeps extends PathAdminDeps, SnapshotDeps {
  readonly mask: (yaml: string) => string;
  readonly compare: (before: string, after: string) => ChangeEffects;
}

type PathChange =
  | { readonly action: "create" | "update"; readonly name: PathName; readonly settings: Record<string, unknown> }
  | { readonly action: "delete"; readonly name: PathName };

interface ConfigPreview extends Pick<ChangeEffects, "diff" | "reconnects"> {
  readonly yaml: string;
  readonly warnings: readonly { readonly path: string; readonly field: string; readonly message: string }[];
}

export interface ConfigAdmin {
  /** Changes nothing. Throws what the change itself would throw. */
  preview(changes: readonly PathChange[]): Promise<ConfigPreview>;
  list(of: { readonly before?: number | undefined; readonly limit: number }): Promise<readonly ConfigVersion[]>;
  /** Throws `not-found`. */
  show(version: number): Promise<{ readonly yaml: string; readonly diff: string }>;
  /** Throws `not-found`, and `failed-precondition` when the base is another one or MediaMTX refuses the result. */
  rollback(version: number, actor: Actor): Promise<{ readonly version: number; readonly isExact: boolean }>;
  /** What changed while nobody was there to note it: the base, MediaMTX's version, or the rows. */
  noteStart(): Promise<void>;
  newestVersion(): Promise<number | null>;
}

export function createConfigAdmin(deps: ConfigAdminDeps): ConfigAdmin {
  const { catalog } = deps;
  return {
    preview: (changes) => preview(deps, changes),
    list: (of) => listConfigVersions(catalog, of),
    show: async (version) => {
      const { yaml } = openConfig(deps, (await getConfigVersion(catalog, version)).sealed);
      const [before] = await listConfigVersions(catalog, { before: version, limit: 1 });
      const known = before === undefined ? "" : openConfig(deps, before.sealed).yaml;
      return { yaml: deps.mask(yaml), diff: deps.compare(known, yaml).diff };
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

async function preview(deps: ConfigAdminDeps, changes: readonly PathChange[]): Promise<ConfigPreview> {
  const rows = await listPaths(deps.catalog);
  const after = changes.reduce<ReadonlyMap<PathName, PathFacts>>(
    withChange,
    new Map(rows.map((row) => [row.name, row])),
  );
  const wanted = [...after.values()].map(configuredPathOf);
  await deps.validatePaths(wanted);
  const [was, is] = [(await deps.render(rows.map(configuredPathOf))).yaml, (await deps.render(wanted)).yaml];
  const { diff, reconnects, recorderRestarts } = deps.compare(was, is);
  const warnings = recorderRestarts.map(({ path, reason }) => ({ path, field: "record", message: reason }));
  return { yaml: deps.mask(is), diff, reconnects, warnings };
}

function withChange(rows: ReadonlyMap<PathName, PathFacts>, change: PathChange): ReadonlyMap<PathName, PathFacts> {
  const { name } = change;
  const [known, after] = [rows.get(name), new Map(rows)];
  if (change.action === "create") {
    if (known !== undefined) throw new AppError({ kind: "already-exists", message: `a path named "${name}" exists` });
    const facts = new Map(Object.entries(parseSettings(newPathSchema, change, { name, ...change.settings })));
    facts.delete("name");
    return after.set(name, mergePath({ ...NEW_PATH, name }, Object.fromEntries(facts)));
  }
  if (known === undefined) throw unknownPath(name);
  if (change.action === "delete") {
    after.delete(name);
    return after;
  }
  return after.set(name, mergePath(known, parseSettings(pathPatchSchema, change, change.settings)));
}

const NEW_PATH = {
  ...({ settings: {}, enabled: true, archive: "all", localRetention: null, archiveRetention: null } as const),
  labels: [],
};

/** Under the same schemas as the change itself. */
function parseSettings<T>(
  schema: { safeParse(value: unknown): Parsed<T> },
  { name }: PathChange,
  settings: Record<string, unknown>,
): T {
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.map(String).join("."), message }));
  const [first] = fields;
  throw new AppError({
    kind: "invalid-argument",
    message: `the change of ${name} is not accepted: ${first?.field ?? ""} ${first?.message ?? ""}`,
    fields,
  });
}

type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false;
      readonly error: {
        readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
      };
    };

async function rollback(deps: ConfigAdminDeps, version: number, actor: Actor) {
  const { catalog } = deps;
  const wanted = await getConfigVersion(catalog, version);
  const snapshot = openConfig(deps, wanted.sealed);
  const paths = snapshot.paths.map(configuredPathOf);
  const now = await deps.render(paths);
  refuseOtherBase(deps, { version, now, then: snapshot });
  await deps.validatePaths(paths);
  const before = new Map((await listPaths(catalog)).map((row) => [row.name, row]));
  const made = await replacePaths(catalog, snapshot.paths, {
    ...{ actor, reason: "rollback", action: "config.rollback", summary: `back to version ${String(version)}` },
    seal: (rows) => sealConfig(deps, rows),
  });
  for (const facts of snapshot.paths) {
    const known = before.get(facts.name);
    if (known !== undefined) await applyPolicies(deps, known, facts);
  }
  deps.requestApply();
  deps.logger.info("configuration rolled back", { to: version, version: made });
  return { version: made, isExact: sha256Of(now.yaml) === wanted.sha256 };
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
