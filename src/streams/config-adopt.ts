/**
 * An existing mediamtx.yml becomes rows and a base file. First the rows, then the base: killed in between, every camera is
 * configured by its row already, and adopting again does the rest.
 */
import type { Actor, AuditNote } from "../catalog/audit.js";
import type { PathFacts, PathRow } from "../catalog/path-row.js";
import { listPaths, noteConfigNow, writePaths } from "../catalog/paths.js";
import type { PathSettings } from "../contract/path-settings.js";
import { maskSettings } from "../contract/secret-settings.js";
import { AppError, isAppError } from "../core/errors.js";
import { stampOf } from "../core/object-key.js";
import type { PathName } from "../core/path-name.js";
import { faultPoint } from "../platform/fault-point.js";
import type { ConfigAdminDeps } from "./config-admin.js";
import { checkSources } from "./check-sources.js";
import { type ConfiguredPath, configuredPathOf } from "./configured-paths.js";

interface Place {
  readonly where: string;
  readonly setting: string;
}

interface Note extends Place {
  readonly why: string;
  readonly kind: "told" | "command" | "blocks";
}

interface Adoption {
  readonly paths: readonly { readonly name: PathName; readonly settings: PathSettings }[];
  readonly kept: readonly Place[];
  readonly left: readonly Note[];
  readonly templates: string | null;
  readonly baseYaml: string;
}

export interface ConfigAdoptDeps extends Pick<
  ConfigAdminDeps,
  "catalog" | "logger" | "findAddresses" | "seal" | "compare" | "requestApply"
> {
  readonly takeApart: (text: string, of: { readonly mayNameFiles: boolean }) => Promise<Adoption>;
  /** The text that these paths would make over this base. Throws when MediaMTX would refuse it. */
  readonly tryBase: (baseYaml: string, paths: readonly ConfiguredPath[]) => Promise<string>;
  readonly base: {
    read(): Promise<string>;
    /** Throws when it may not be written. */
    assertOwn(): void;
    /** Where the one of before is kept. */
    replace(text: string, stamp: string): Promise<string | null>;
  };
}

interface AdoptHow {
  readonly dryRun: boolean;
  /** Commands are lost, which is known. */
  readonly leaveCommands: boolean;
  /** False: asked for by a request. */
  readonly mayNameFiles: boolean;
  readonly actor: Actor;
}

export interface AdoptReport {
  readonly dryRun: boolean;
  readonly create: readonly { readonly path: PathName; readonly settings: PathSettings }[];
  /** There already, and the same. */
  readonly unchanged: readonly PathName[];
  readonly kept: readonly Place[];
  readonly left: readonly Note[];
  readonly templates: string | null;
  /** Of the base file. */
  readonly baseDiff: string;
  /** From the given text to what MediaMTX would get. */
  readonly diff: string;
  /** Of what Reelkeeper's MediaMTX runs now. */
  readonly reconnects: readonly { readonly path: string; readonly reason: string }[];
}

export interface ConfigAdopt {
  /**
   * Throws `invalid-argument` for what is no configuration, and `failed-precondition` when something blocks or MediaMTX
   * would refuse the result. Nothing is changed then.
   */
  adopt(text: string, how: AdoptHow): Promise<AdoptReport>;
}

export function createConfigAdopt(deps: ConfigAdoptDeps): ConfigAdopt {
  return {
    adopt: async (text, how) => {
      const { base, compare } = deps;
      const adoption = await ofText(() => deps.takeApart(text, how));
      const known = await listPaths(deps.catalog);
      const sorted = sortOut(adoption, known);
      const left = [...adoption.left, ...sorted.taken];
      const blocking = left.filter(({ kind }) => kind === "blocks" || (kind === "command" && !how.leaveCommands));
      if (!how.dryRun && blocking.length > 0) throw refuse(blocking);
      const baseBefore = await base.read();
      const baseNotes = baseBefore === adoption.baseYaml ? [] : notesOfBase(base, how);
      // What blocks may be what MediaMTX or the base would refuse.
      const isBlocked = left.some(({ kind }) => kind === "blocks");
      const made = sorted.create.map((after) => ({ after }));
      await ofText(() => checkSources(deps, made));
      const wanted = [...known, ...sorted.create].map(configuredPathOf);
      const rendered = isBlocked ? null : await ofText(() => deps.tryBase(adoption.baseYaml, wanted));
      const running = isBlocked ? null : await deps.tryBase(baseBefore, known.map(configuredPathOf));
      if (!how.dryRun) await carryOut(deps, { ...sorted, adoption, baseBefore }, how.actor);
      const { kept, templates } = adoption;
      return {
        ...{ dryRun: how.dryRun, unchanged: sorted.unchanged, kept, left: [...left, ...baseNotes], templates },
        create: sorted.create.map(({ name, settings }) => ({ path: name, settings: maskSettings(settings) })),
        baseDiff: compare(baseBefore, adoption.baseYaml).diff,
        diff: rendered === null ? "" : compare(text, rendered).diff,
        reconnects: rendered === null || running === null ? [] : compare(running, rendered).reconnects,
      };
    },
  };
}

/** What is wrong with it is wrong with the text that was given. */
async function ofText<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAppError(error, "invalid-argument")) throw error;
    const { kind, message, hint } = error;
    const fields = [{ field: "yaml", message }];
    throw new AppError({ kind, message, fields, cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

function sortOut({ paths }: Adoption, known: readonly PathRow[]) {
  const rows = new Map(known.map((row) => [row.name, row]));
  const create: PathFacts[] = [];
  const unchanged: PathName[] = [];
  const taken: Note[] = [];
  for (const { name, settings } of paths) {
    const row = rows.get(name);
    if (row === undefined) create.push({ ...NEW_PATH, name, settings });
    else if (isAlike(row.settings, settings)) unchanged.push(name);
    else taken.push({ where: `paths/${name}`, setting: "", why: TAKEN, kind: "told" });
  }
  return { create, unchanged, taken };
}

const NEW_PATH = {
  ...({ enabled: true, archive: "all", localRetention: null, archiveRetention: null, group: null } as const),
  labels: [],
};
const TAKEN = "is a path with other settings already, and stays as it is";

function isAlike(one: object, other: object): boolean {
  const sorted = (settings: object) => JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(one) === sorted(other);
}

/** Throws when it may not be written; a dry run tells. */
function notesOfBase(base: ConfigAdoptDeps["base"], { dryRun }: AdoptHow): readonly Note[] {
  try {
    base.assertOwn();
    return [];
  } catch (error) {
    if (!dryRun || !isAppError(error, "failed-precondition")) throw error;
    const why = [error.message, ...(error.hint === undefined ? [] : [error.hint])].join("; ");
    return [{ where: "base", setting: "", why, kind: "blocks" }];
  }
}

function refuse(blocking: readonly Note[]): AppError {
  const fields = blocking.map(({ where, setting, why }) => ({ field: `${where} ${setting}`.trim(), message: why }));
  const [first] = fields;
  const onlyCommands = blocking.every(({ kind }) => kind === "command");
  return new AppError({
    kind: "failed-precondition",
    message: `nothing is adopted: ${first?.field ?? ""} ${first?.message ?? ""}`,
    hint: onlyCommands
      ? "put the templates that the dry run shows into the file MEDIAMTX_TEMPLATES and adopt again, or ask to leave commands behind"
      : "the dry run lists all that has to be solved first",
    fields: fields.slice(0, 100),
  });
}

interface Work {
  readonly create: readonly PathFacts[];
  readonly adoption: Adoption;
  readonly baseBefore: string;
}

async function carryOut(deps: ConfigAdoptDeps, { create, adoption, baseBefore }: Work, actor: Actor): Promise<void> {
  const { catalog, base, logger, seal } = deps;
  const summary = `${String(create.length)} paths adopted`;
  const change = { actor, reason: "adopt", action: "config.adopt", summary, seal } as const;
  if (create.length > 0) {
    const notes = create.map((facts): AuditNote => ({
      ...{ actor, action: "path.create", target: facts.name },
      after: { ...facts, settings: maskSettings(facts.settings) },
    }));
    await writePaths(catalog, { created: create, changed: [], removed: [] }, { notes, change });
  }
  await faultPoint("adopt.after-rows");
  if (baseBefore !== adoption.baseYaml) {
    const kept = await base.replace(adoption.baseYaml, stampOf(catalog.clock.nowUs()));
    await faultPoint("adopt.after-base");
    await noteConfigNow(catalog, { ...change, summary: `${summary}, with the base` });
    logger.info("base configuration replaced by the one that was adopted", { kept });
  }
  deps.requestApply();
  logger.info("configuration adopted", { paths: create.length });
}
