/** A row of `paths` as it is stored, and as it is meant: secret settings are sealed apart, null stands in their place. */
import { isDeepStrictEqual } from "node:util";

import { z } from "zod";

import type { PathName } from "../core/path-name.js";
import type { Sealing } from "./sealing.js";

type Settings = Readonly<Record<string, unknown>>;

export interface PathRow {
  readonly name: PathName;
  /** MediaMTX's own settings, by its own names; only those that an admin has set. */
  readonly settings: Settings;
  readonly enabled: boolean;
  readonly archive: "all" | "none";
  /** Duration; null: LOCAL_RETENTION. */
  readonly localRetention: string | null;
  /** Duration; null: for ever. */
  readonly archiveRetention: string | null;
  readonly labels: readonly string[];
  /** What the path is listed under. */
  readonly group: string | null;
  readonly createdAtUs: number;
  readonly updatedAtUs: number;
}

export type PathFacts = Omit<PathRow, "createdAtUs" | "updatedAtUs" | "group"> & { readonly group?: string | null };

const settingsSchema = z.record(z.string(), z.unknown());
const rowSchema = z.object({
  name: z.string(),
  settings: z.string(),
  secrets: z.string().nullable(),
  enabled: z.union([z.boolean(), z.number()]),
  archive: z.enum(["all", "none"]),
  local_retention: z.string().nullable(),
  archive_retention: z.string().nullable(),
  labels: z.string(),
  path_group: z.string().nullable(),
  created_at_us: z.coerce.number(),
  updated_at_us: z.coerce.number(),
});

/** After `lockSealing`. */
export function columnsOf(sealing: Sealing, facts: PathFacts) {
  return {
    name: facts.name,
    ...settingColumns(sealing, facts.name, facts.settings),
    enabled: facts.enabled,
    archive: facts.archive,
    local_retention: facts.localRetention,
    archive_retention: facts.archiveRetention,
    labels: JSON.stringify(facts.labels),
    path_group: facts.group ?? null,
  };
}

export function settingColumns({ box, isSecret }: Sealing, name: string, settings: Settings) {
  const secrets = Object.entries(settings).filter(([setting, value]) => isSecret(setting, value));
  if (secrets.length === 0) return { settings: JSON.stringify(settings), secrets: null };
  const places = secrets.map(([setting]) => [setting, null] as const);
  return {
    settings: JSON.stringify({ ...settings, ...Object.fromEntries(places) }),
    secrets: box.seal(JSON.stringify(Object.fromEntries(secrets)), pathContext(name)),
  };
}

/** What the secrets of a path are bound to. */
export function pathContext(name: string): string {
  return `path ${name}`;
}

/** Throws `UnreadableSecret` when the key of its secrets is not there. */
export function pathFromRow({ box }: Pick<Sealing, "box">, raw: unknown): PathRow {
  const row = rowSchema.parse(raw);
  const secrets =
    row.secrets === null ? {} : settingsSchema.parse(JSON.parse(box.open(row.secrets, pathContext(row.name))));
  return {
    name: row.name as PathName,
    settings: { ...settingsSchema.parse(JSON.parse(row.settings)), ...secrets },
    enabled: Boolean(row.enabled),
    archive: row.archive,
    localRetention: row.local_retention,
    archiveRetention: row.archive_retention,
    labels: z.array(z.string()).parse(JSON.parse(row.labels)),
    group: row.path_group,
    createdAtUs: row.created_at_us,
    updatedAtUs: row.updated_at_us,
  };
}

/** But for when it was written. What is sealed never looks the same twice, so rows cannot be compared by their columns. */
export function saysTheSame(one: PathFacts, other: PathFacts): boolean {
  return isDeepStrictEqual(meant(one), meant(other));
}

function meant(facts: PathFacts): unknown {
  const { name, enabled, archive, localRetention, archiveRetention, labels, group = null } = facts;
  const settings: unknown = JSON.parse(JSON.stringify(facts.settings));
  return { name, settings, enabled, archive, localRetention, archiveRetention, labels, group };
}
