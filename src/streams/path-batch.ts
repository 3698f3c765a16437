/** Many paths at once: one validation, one transaction, one apply. All of it happens or nothing. */
import type { Actor, AuditNote } from "../catalog/audit.js";
import type { PathFacts, PathRow } from "../catalog/path-row.js";
import { listPaths, type PathWrites, unknownPath, writePaths } from "../catalog/paths.js";
import { maskSettings } from "../contract/secret-settings.js";
import { newPathSchema, type PathPatch, pathPatchSchema } from "../contract/paths.js";
import { AppError, isAppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import { checkSources } from "./check-sources.js";
import { configuredPathOf } from "./configured-paths.js";
import { type ChangeEffects, type EffectDeps, effectsOf, type NamedWarning, seldomMeant } from "./change-effects.js";
import { applyPolicies, factsOf, mergePath, type PathAdminDeps } from "./path-admin.js";
import { parsePathFields } from "./parse-path-fields.js";
import { type ListedPath, type ListFormat, readPathList, writePathList } from "./path-list-text.js";

export interface PathBatchDeps extends PathAdminDeps, EffectDeps {}

interface BatchReport {
  readonly dryRun: boolean;
  readonly created: readonly PathName[];
  readonly changed: readonly PathName[];
  readonly unchanged: readonly PathName[];
  readonly removed: readonly PathName[];
  /** Only of a dry run: else they are thrown. */
  readonly errors: readonly RowError[];
  readonly warnings: readonly NamedWarning[];
  /** Of a dry run; otherwise null. */
  readonly effects: Pick<ChangeEffects, "diff" | "reconnects"> | null;
}

interface RowError {
  readonly line: number;
  readonly path: string;
  readonly field: string;
  readonly message: string;
}

interface How {
  readonly dryRun: boolean;
  readonly actor: Actor;
}

interface TakenOver {
  readonly name: PathName;
  /** As an edit of the path would say it, or all that there is of a new one. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly from: readonly ("file" | "server")[];
}

interface TakeOverReport {
  /** Of what changed. */
  readonly names: readonly PathName[];
  readonly warnings: readonly NamedWarning[];
  /** The configuration as it is then. */
  readonly yaml: string;
}

export interface PathBatches {
  /** Throws `not-found`, `invalid-argument`, `failed-precondition`, and `unavailable` when others change the same paths. */
  patchAll(names: readonly PathName[], patch: PathPatch, how: How): Promise<BatchReport>;
  exportAll(format: ListFormat): Promise<string>;
  /** `merge` leaves alone what the text does not mention, `replace` removes it. Recordings stay. */
  importAll(
    list: { readonly text: string; readonly format: ListFormat; readonly mode: "merge" | "replace" },
    how: How,
  ): Promise<BatchReport>;
  /** What was set past the table becomes its own. Throws as `patchAll`. */
  takeOver(changes: readonly TakenOver[], how: How): Promise<TakeOverReport>;
}

interface Plan extends PathWrites {
  readonly unchanged: readonly PathName[];
}

export function createPathBatches(deps: PathBatchDeps): PathBatches {
  return {
    patchAll: async (names, patch, how) => {
      const known = new Map((await listPaths(deps.catalog)).map((row) => [row.name, row]));
      const pairs = [...new Set(names)].map((name) => {
        const before = known.get(name);
        if (before === undefined) throw unknownPath(name);
        return { before, after: mergePath(before, patch) };
      });
      return carryOut(deps, { plan: { ...sortOut(pairs), created: [], removed: [] }, known, errors: [] }, how);
    },
    exportAll: async (format) => writePathList(await listPaths(deps.catalog), format),
    importAll: async ({ text, format, mode }, how) => {
      const known = new Map((await listPaths(deps.catalog)).map((row) => [row.name, row]));
      const { created, pairs, errors } = readRows(readPathList(text, format), known);
      if (errors.length > 0 && !how.dryRun) throw refuseRows(errors);
      const kept = new Set<string>(pairs.map(({ before }) => before.name));
      const removed = mode === "replace" ? [...known.values()].filter(({ name }) => !kept.has(name)) : [];
      return carryOut(deps, { plan: { ...sortOut(pairs), created, removed }, known, errors }, how);
    },
    takeOver: async (changes, how) => {
      const known = new Map((await listPaths(deps.catalog)).map((row) => [row.name, row]));
      const listed = changes.map(({ name, fields }) => ({ line: 0, name, fields }));
      const { created, pairs, errors } = readRows(listed, known);
      if (errors.length > 0) throw refuseTakeOver(errors);
      const sides = [...new Set(changes.flatMap(({ from }) => from))].join(" and the ");
      const as = { reason: "adopt", summary: (what: string) => `taken over from the ${sides}: ${what}` } as const;
      const plan = { ...sortOut(pairs), created, removed: [] };
      const report = await carryOut(deps, { plan, known, errors, as }, how);
      const { yaml } = await deps.render([...afterOf(plan, known).values()].map(configuredPathOf));
      return { names: [...report.created, ...report.changed], warnings: report.warnings, yaml };
    },
  };
}

interface Pair {
  readonly before: PathRow;
  readonly after: PathFacts;
}

function sortOut(pairs: readonly Pair[]): Pick<Plan, "changed" | "unchanged"> {
  const isSame = ({ before, after }: Pair): boolean =>
    JSON.stringify({ ...before, ...after, settings: sorted(after.settings) }) ===
    JSON.stringify({ ...before, settings: sorted(before.settings) });
  return {
    changed: pairs.filter((pair) => !isSame(pair)),
    unchanged: pairs.filter(isSame).map(({ before }) => before.name),
  };
}

function sorted(settings: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const ROW = "the row";

function readRows(listed: readonly ListedPath[], known: ReadonlyMap<string, PathRow>) {
  const created: PathFacts[] = [];
  const pairs: Pair[] = [];
  const errors: RowError[] = [];
  for (const row of listed) {
    try {
      const before = known.get(row.name);
      if (before === undefined)
        created.push(factsOf(parsePathFields(newPathSchema, { ...named(row), name: row.name }, ROW)));
      else pairs.push({ before, after: mergePath(before, parsePathFields(pathPatchSchema, row.fields, ROW)) });
    } catch (error) {
      if (!isAppError(error, "invalid-argument")) throw error;
      const fields = error.fields.length > 0 ? error.fields : [{ field: "", message: error.message }];
      errors.push(...fields.map((each) => ({ line: row.line, path: row.name.slice(0, 200), ...each })));
    }
  }
  return { created, pairs, errors };
}

/** A new path inherits what is not said. */
function named({ fields }: ListedPath): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function refuseRows(errors: readonly RowError[]): AppError {
  const fields = errors.map(({ line, path, field, message }) => ({
    field: `line ${String(line)}: ${field}`,
    message: `${path}: ${message}`,
  }));
  return new AppError({
    kind: "invalid-argument",
    message: `nothing is changed: ${fields[0]?.field ?? ""} ${fields[0]?.message ?? ""}`,
    fields: fields.slice(0, 100),
  });
}

function refuseTakeOver(errors: readonly RowError[]): AppError {
  const fields = errors.map(({ path, field, message }) => ({ field: `${path}: ${field}`, message }));
  const [first] = fields;
  const message = `nothing is taken over: ${first?.field ?? ""} ${first?.message ?? ""}`;
  return new AppError({ kind: "invalid-argument", message, fields });
}

interface Work {
  readonly plan: Plan;
  readonly known: ReadonlyMap<PathName, PathRow>;
  readonly errors: readonly RowError[];
  /** Of its version; default: an edit. */
  readonly as?: { readonly reason: "adopt"; readonly summary: (what: string) => string };
}

async function carryOut(deps: PathBatchDeps, { plan, known, errors, as }: Work, how: How): Promise<BatchReport> {
  const { created, changed, removed, unchanged } = plan;
  const after = afterOf(plan, known);
  const isEmpty = created.length + changed.length + removed.length === 0;
  const unknownSources = await checkSources(deps, [...created.map((facts) => ({ after: facts })), ...changed]);
  if (!isEmpty) await deps.validatePaths([...after.values()].map(configuredPathOf));
  if (!isEmpty && !how.dryRun) {
    const what = `${String(created.length)} added, ${String(changed.length)} changed, ${String(removed.length)} removed`;
    const { actor } = how;
    const summary = as?.summary(what) ?? what;
    const change = { actor, reason: as?.reason ?? "edit", action: "paths.update", summary, seal: deps.seal } as const;
    await writePaths(deps.catalog, plan, { notes: notesOf(plan, how.actor), change });
    for (const pair of changed) await applyPolicies(deps, pair.before, pair.after);
    deps.requestApply();
    deps.logger.info("paths changed", { created: created.length, changed: changed.length, removed: removed.length });
  }
  const effects = how.dryRun
    ? await effectsOf(deps, { before: [...known.values()], after: [...after.values()] })
    : null;
  const touched = [...created, ...changed.map((pair) => pair.after)];
  return {
    dryRun: how.dryRun,
    created: created.map(({ name }) => name),
    changed: changed.map(({ before }) => before.name),
    unchanged,
    removed: removed.map(({ name }) => name),
    errors,
    warnings: [...(effects?.recorderRestarts ?? []), ...unknownSources, ...(await seldomMeant(deps, touched))],
    effects: effects === null ? null : { diff: effects.diff, reconnects: effects.reconnects },
  };
}

function afterOf({ created, changed, removed }: Plan, known: Work["known"]): ReadonlyMap<PathName, PathFacts> {
  const after = new Map<PathName, PathFacts>(known);
  for (const facts of [...created, ...changed.map((pair) => pair.after)]) after.set(facts.name, facts);
  for (const { name } of removed) after.delete(name);
  return after;
}

function notesOf({ created, changed, removed }: PathWrites, actor: Actor): AuditNote[] {
  return [
    ...created.map((after) => ({ actor, action: "path.create", target: after.name, after: shown(after) })),
    ...changed.map(({ before, after }) => ({
      ...{ actor, action: "path.update", target: after.name },
      ...{ before: shown(before), after: shown(after) },
    })),
    ...removed.map((before) => ({ actor, action: "path.delete", target: before.name, before: shown(before) })),
  ];
}

function shown(facts: PathFacts): PathFacts {
  return { ...facts, settings: maskSettings(facts.settings) };
}
