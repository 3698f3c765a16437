/**
 * Where the table of paths (as it is rendered), the file mediamtx.yml and the running server say different things. Of a
 * path what counts for it is compared, whether its own entry or the defaults say so.
 */
import { parse } from "yaml";

import { maskSetting } from "../contract/secret-settings.js";
import { redactFields, redactText } from "../core/redact.js";
import { BUILT_IN } from "./config-diff.js";
import { isSame, type ServerConfig } from "./config-drift.js";
import type { Settings } from "./control-api.js";

/** Secrets and all: for us, not for answers. */
export interface ConfigDifference {
  readonly where: "global" | "pathDefaults" | "path";
  /** Null but for `path`; may be a pattern of the base. */
  readonly path: string | null;
  /** Empty: the entry as a whole is there or not, and `file` holds it. */
  readonly setting: string;
  /** Null: the entry is there and does not set it. Undefined: not told. */
  readonly table: unknown;
  readonly file: unknown;
  readonly server: unknown;
}

interface Compared {
  readonly table: string;
  /** Null: there is no file. */
  readonly file: string | null;
  /** Null: it cannot be asked. */
  readonly server: ServerConfig | null;
}

/** What recordings and their proof rest on: nobody's to change by hand. */
const OURS =
  /^(?:record(?:Path|DeleteAfter)|runOn(?:Ready|NotReady|Available|Unavailable|RecordSegment.*)|api.*|auth.*|metrics.*|playback.*)$/;
const SECRET = /(pass|secret|token|passphrase|authInternalUsers)/i;

/** Throws when the file is no YAML. */
export function compareThree({ table, file, server }: Compared): readonly ConfigDifference[] {
  const [meant, found] = [partsOf(table), file === null ? null : partsOf(file)];
  const running = server === null ? null : new Map(server.paths.map((path) => [path.name, path]));
  const names = new Set([...meant.paths.keys(), ...(found?.paths.keys() ?? []), ...(running?.keys() ?? [])]);
  return [
    ...compareSection("global", [meant.global, found?.global ?? null, server?.global ?? null]),
    ...compareSection("pathDefaults", [meant.pathDefaults, found?.pathDefaults ?? null, server?.pathDefaults ?? null]),
    ...[...names].sort().flatMap((name) => comparePath(name, { meant, found, running })),
  ];
}

/**
 * What a file is that somebody else changed: `alike` says the same in other words or with other comments, `waits` may stay
 * until a person has decided, `wrong` is put right at once.
 */
export function judgeFile(table: string, file: string): "alike" | "waits" | "wrong" {
  try {
    const differences = compareThree({ table, file, server: null });
    if (differences.length === 0) return "alike";
    return differences.some(({ setting }) => OURS.test(setting)) ? "wrong" : "waits";
  } catch {
    // MediaMTX could not read it either.
    return "wrong";
  }
}

/** As text, without secrets; null: not set, or not told. */
export function shownValue({ setting }: Pick<ConfigDifference, "setting">, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (setting === "") return "configured";
  if (SECRET.test(setting)) return "***";
  const masked = redactFields(setting, maskSetting(setting, value));
  return redactText(typeof masked === "string" ? masked : JSON.stringify(masked));
}

interface Parts {
  readonly global: Settings;
  readonly pathDefaults: Settings;
  readonly paths: ReadonlyMap<string, Settings>;
}

function partsOf(yaml: string): Parts {
  const { pathDefaults, paths, ...global } = asSettings(parse(yaml));
  const entries = Object.entries(asSettings(paths)).map(([name, entry]) => [name, asSettings(entry)] as const);
  return { global, pathDefaults: asSettings(pathDefaults), paths: new Map(entries) };
}

function compareSection(
  where: "global" | "pathDefaults",
  [table, file, server]: readonly [Settings, Settings | null, Settings | null],
): ConfigDifference[] {
  const names = new Set([...Object.keys(table), ...Object.keys(file ?? {})]);
  return [...names].sort().flatMap((setting) => {
    const values = { table: table[setting], file: file?.[setting], server: server?.[setting] };
    const isOdd = file !== null && !isSameText(setting, values.table, values.file);
    const runsOdd = server !== null && setting in server && setting in table && !same(setting, table, server);
    return isOdd || runsOdd ? [{ where, path: null, setting, ...values }] : [];
  });
}

function same(setting: string, expected: Settings, actual: Settings): boolean {
  return isSame(setting, expected[setting], actual[setting]);
}

/** Of two texts neither masks anything, nor says more than it was told: what one of them adds inside of a value counts. */
function isSameText(setting: string, one: unknown, other: unknown): boolean {
  return isSame(setting, one, other) && isSame(setting, other, one);
}

interface Three {
  readonly meant: Parts;
  readonly found: Parts | null;
  readonly running: ReadonlyMap<string, Settings> | null;
}

function comparePath(name: string, { meant, found, running }: Three): ConfigDifference[] {
  const entries = [meant.paths.get(name), found?.paths.get(name), running?.get(name)] as const;
  const [table, file, server] = entries;
  const common = { where: "path", path: name } as const;
  const isThere = table !== undefined;
  const whole = { ...common, setting: "", table, file, server };
  const differs =
    (found !== null && isThere !== (file !== undefined)) || (running !== null && isThere !== (server !== undefined));
  if (!isThere) return differs ? [whole] : [];
  const counts = (parts: Parts, entry: Settings): Settings => ({ ...BUILT_IN, ...parts.pathDefaults, ...entry });
  const wanted = counts(meant, table);
  const written = found === null || file === undefined ? null : counts(found, file);
  const names = new Set([...Object.keys(wanted), ...Object.keys(written ?? {})]);
  const settings = [...names].sort().flatMap((setting) => {
    const inFile = written === null ? undefined : (written[setting] ?? null);
    const values = { table: wanted[setting], file: inFile, server: server?.[setting] };
    const isOwn = setting in table || (file !== undefined && setting in file);
    const isOdd = isOwn && written !== null && !isSameText(setting, wanted[setting], written[setting]);
    const runsOdd = server !== undefined && setting in server && !same(setting, wanted, server);
    // What comes from other defaults is told of the defaults.
    const isInherited =
      !isOwn &&
      written !== null &&
      server !== undefined &&
      !same(setting, wanted, written) &&
      same(setting, written, server);
    return isOdd || (runsOdd && !isInherited) ? [{ ...common, setting, ...values }] : [];
  });
  return differs ? [whole, ...settings] : settings;
}

function asSettings(value: unknown): Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
