/**
 * When table, file and server disagree a person decides. What they name is taken over into the table, as an edit of it
 * would be; everything else becomes again what the table says.
 */
import { type Actor, noteAudit } from "../catalog/audit.js";
import type { Catalog } from "../catalog/catalog.js";
import { isReservedPathName } from "../contract/path-settings.js";
import { SETTING_NAMES } from "../contract/setting-facts.js";
import { AppError } from "../core/errors.js";
import { isPathName, parsePathName, type PathName } from "../core/path-name.js";
import type { EffectDeps, NamedWarning } from "./change-effects.js";
import type { PathBatches } from "./path-batch.js";

/** With secrets. */
interface Difference {
  readonly where: "global" | "pathDefaults" | "path";
  readonly path: string | null;
  /** Empty: the entry as a whole. */
  readonly setting: string;
  readonly table: unknown;
  readonly file: unknown;
  readonly server: unknown;
}

interface DriftLook {
  readonly differences: readonly Difference[];
  /** Why the server cannot be asked; its values are null then. */
  readonly serverError: string | null;
  /** What paths and base make, and what lies on the disk; null: nothing. */
  readonly table: string;
  readonly file: string | null;
  /** Whom that file would cut off. */
  readonly reconnectsTo: (after: string) => readonly { readonly path: string; readonly reason: string }[];
}

interface ShownDifference {
  readonly where: Difference["where"];
  readonly path: string | null;
  readonly setting: string;
  readonly table: string | null;
  readonly file: string | null;
  readonly server: string | null;
  /** Of which side it can become the path's own. */
  readonly canTakeOver: readonly ("file" | "server")[];
}

interface TakeOver {
  readonly path: PathName;
  readonly from: "file" | "server";
  /** Absent: all that differ there. */
  readonly settings?: readonly string[] | undefined;
}

export interface ConfigDriftDeps extends Pick<EffectDeps, "compare"> {
  readonly catalog: Catalog;
  readonly look: () => Promise<DriftLook>;
  readonly show: (of: { readonly setting: string }, value: unknown) => string | null;
  readonly batches: Pick<PathBatches, "takeOver">;
  readonly requestApply: () => void;
}

interface DriftReport {
  readonly items: readonly ShownDifference[];
  readonly serverError: string | null;
  /** Perhaps by comments alone: then there are no items. */
  readonly fileDiffers: boolean;
}

interface ResolvedDrift {
  readonly dryRun: boolean;
  readonly takenOver: readonly PathName[];
  readonly warnings: readonly NamedWarning[];
  /** Of a dry run; otherwise null. From the file on the disk, and from what MediaMTX runs, to what would be. */
  readonly effects: { readonly diff: string; readonly reconnects: ReturnType<DriftLook["reconnectsTo"]> } | null;
}

export interface ConfigDrift {
  find(): Promise<DriftReport>;
  /** Throws `not-found` for what differs no more, `invalid-argument` as an edit does. Nothing is changed then. */
  resolve(
    takeOvers: readonly TakeOver[],
    how: { readonly dryRun: boolean; readonly actor: Actor },
  ): Promise<ResolvedDrift>;
}

/** Reelkeeper writes it into each entry itself. */
const EVERYWHERE = "recordDeleteAfter";
const REDACTED = "<redacted>";

export function createConfigDrift(deps: ConfigDriftDeps): ConfigDrift {
  const { catalog, look, show, batches, requestApply } = deps;
  const shown = (one: Difference): ShownDifference => {
    const { where, path, setting } = one;
    const [table, file, server] = [show(one, one.table), show(one, one.file), show(one, one.server)];
    return { where, path, setting, table, file, server, canTakeOver: sidesOf(one) };
  };
  return {
    find: async () => {
      const { differences, serverError, file, table } = await look();
      return { items: differences.map(shown), serverError, fileDiffers: file !== null && file !== table };
    },
    resolve: async (takeOvers, { dryRun, actor }) => {
      const { differences, file, table, reconnectsTo } = await look();
      const wanted = takeOvers.map((takeOver, at) => changeOf(takeOver, differences, `takeOver.${String(at)}`));
      const changes = mergedByPath(wanted);
      const nothing = { names: [], warnings: [], yaml: table };
      const taken = changes.length === 0 ? nothing : await batches.takeOver(changes, { dryRun, actor });
      const { names: takenOver, warnings, yaml } = taken;
      if (dryRun) {
        const effects = { diff: deps.compare(file ?? "", yaml).diff, reconnects: reconnectsTo(yaml) };
        return { dryRun, takenOver, warnings, effects };
      }
      // Also where nothing of the table changed: then the file is written again, and the server reads it again.
      requestApply();
      await noteAudit(catalog, {
        ...{ actor, action: "drift.resolve", target: "config", before: { differences: differences.map(shown) } },
        after: { takenOver },
      });
      return { dryRun, takenOver, warnings, effects: null };
    },
  };
}

function sidesOf(difference: Difference): ShownDifference["canTakeOver"] {
  const { where, path, setting, table } = difference;
  if (where !== "path" || path === null || !isPathName(path) || isReservedPathName(path)) return [];
  if (setting === "") return table === undefined && difference.file !== undefined ? ["file"] : [];
  if (!(SETTING_NAMES as readonly string[]).includes(setting)) return [];
  return (["file", "server"] as const).filter((side) => {
    const value = difference[side];
    return value !== undefined && !JSON.stringify(value).includes(REDACTED) && !isAlike(value, table);
  });
}

function isAlike(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What an edit of the path would say. */
function changeOf({ path, from, settings }: TakeOver, differences: readonly Difference[], field: string) {
  const ofPath = differences.filter((one) => one.path === path && sidesOf(one).includes(from));
  const wanted = settings === undefined ? ofPath : ofPath.filter(({ setting }) => settings.includes(setting));
  const absent = settings?.find((name) => !ofPath.some(({ setting }) => setting === name));
  if (wanted.length === 0 || absent !== undefined) {
    const what = absent === undefined ? `nothing of "${path}"` : `"${absent}" of "${path}"`;
    throw new AppError({
      kind: "not-found",
      message: `${what} can be taken over from the ${from}`,
      hint: "GET /api/v1/config/drift tells what differs now, and which side of it can be taken over",
      fields: [{ field, message: `nothing to take over from the ${from}` }],
    });
  }
  const entry = wanted.find(({ setting }) => setting === "");
  const fields =
    entry === undefined
      ? Object.fromEntries(wanted.map((one) => [one.setting, one[from]]))
      : Object.fromEntries(Object.entries(entry[from] ?? {}).filter(([name]) => name !== EVERYWHERE));
  return { name: parsePathName(path), fields, from: [from] };
}

type Taken = ReturnType<typeof changeOf>;

/** Of one path some of the file and some of the server may count: that is one change of it. */
function mergedByPath(changes: readonly Taken[]): readonly Taken[] {
  const merged = new Map<PathName, Taken>();
  for (const { name, fields, from } of changes) {
    const known = merged.get(name);
    merged.set(name, { name, fields: { ...known?.fields, ...fields }, from: [...(known?.from ?? []), ...from] });
  }
  return [...merged.values()];
}
