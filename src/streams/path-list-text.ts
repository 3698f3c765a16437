/**
 * Lists of paths as CSV and YAML, to and from files that people edit. A cell that a spreadsheet would run as a formula
 * gets a ' before it, which reading takes away again; YAML is plain (platform/plain-yaml.ts).
 */
import { CsvError, type Info, parse } from "csv-parse/sync";
import { isMap, isScalar } from "yaml";

import type { PathRow } from "../catalog/path-row.js";
import { maskSettings } from "../contract/secret-settings.js";
import { SETTING_NAMES, settingFacts, type SettingName } from "../contract/setting-facts.js";
import { AppError, isAppError } from "../core/errors.js";
import { parsePlainYaml, refusePlainYaml, writePlainYaml } from "../platform/plain-yaml.js";

export type ListFormat = "csv" | "yaml";

export interface ListedPath {
  /** In the file, from 1. */
  readonly line: number;
  readonly name: string;
  /** What the file says of it; null: inherited. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const OURS = ["enabled", "archive", "localRetention", "archiveRetention", "labels", "group"] as const;
const COLUMNS: readonly string[] = ["name", ...OURS, ...SETTING_NAMES];
/** An empty cell says nothing of these; of the others that they are inherited. */
const NEVER_EMPTY = new Set(["enabled", "archive"]);
const FORMULA = /^'*[=+\-@\t\r]/;
const NEUTRALISED = /^'+[=+\-@\t\r]/;

export function writePathList(rows: readonly PathRow[], format: ListFormat): string {
  const listed = rows.map((row) => ({ name: row.name, fields: fieldsOf(row) }));
  if (format === "yaml") {
    return writePlainYaml({ paths: Object.fromEntries(listed.map(({ name, fields }) => [name, fields])) });
  }
  const lines = listed.map(({ name, fields }) =>
    COLUMNS.map((column) => cell(column === "name" ? name : fields[column])).join(","),
  );
  return [COLUMNS.join(","), ...lines, ""].join("\r\n");
}

function fieldsOf(row: PathRow): Record<string, unknown> {
  return { ...Object.fromEntries(OURS.map((name) => [name, row[name]])), ...maskSettings(row.settings) };
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = value === "" ? '""' : typeof value === "string" ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Throws `invalid-argument` for a text that is no list at all. */
export function readPathList(text: string, format: ListFormat): ListedPath[] {
  try {
    return withoutTwins(format === "yaml" ? readYaml(text) : readCsv(text));
  } catch (error) {
    if (!isAppError(error, "invalid-argument")) throw error;
    const { kind, message, hint } = error;
    const fields = [{ field: "text", message }];
    throw new AppError({ kind, message, fields, cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

function withoutTwins(listed: ListedPath[]): ListedPath[] {
  const seen = new Set<string>();
  for (const { name, line } of listed) {
    if (seen.has(name)) throw refuse(`line ${String(line)}: the path "${name.slice(0, 80)}" is there twice`);
    seen.add(name);
  }
  return listed;
}

function readCsv(text: string): ListedPath[] {
  const [head, ...records] = csvRecords(text);
  const columns = head?.record ?? [];
  const odd = columns.find((column) => !COLUMNS.includes(column));
  if (odd !== undefined) {
    throw refuse(`line 1: no column is named "${odd.slice(0, 80)}", expected ${COLUMNS.join(", ")}`);
  }
  if (!columns.includes("name")) throw refuse("line 1: expected a column name");
  if (new Set(columns).size < columns.length) throw refuse("line 1: a column is there twice");
  return records.map(({ record, line }) => {
    const pairs = columns.map((column, index) => [column, valueIn(column, record[index] ?? "")] as const);
    const fields = Object.fromEntries(pairs.filter(([column, value]) => column !== "name" && value !== undefined));
    return { line, name: unescaped(record[columns.indexOf("name")] ?? ""), fields };
  });
}

function csvRecords(text: string): { record: string[]; line: number }[] {
  try {
    const options = { bom: true, info: true, skip_empty_lines: true, max_record_size: 65_536 } as const;
    const parsed = parse(text, options) as unknown as { record: string[]; info: Info }[];
    // A record may span lines; its last one is where the reader stood.
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new AppError({
      kind: "invalid-argument",
      message: `the CSV is not understood: ${error.message}`,
      cause: error,
    });
  }
}

function unescaped(text: string): string {
  return NEUTRALISED.test(text) ? text.slice(1) : text;
}

/** Undefined: the cell says nothing. What is no value of the column's type goes on as text, and is refused by name. */
function valueIn(column: string, given: string): unknown {
  const text = unescaped(given);
  if (text === "") return column === "labels" ? [] : NEVER_EMPTY.has(column) ? undefined : null;
  if (text === '""') return "";
  const type = typeOf(column);
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (type === "integer") return /^\d{1,15}$/.test(text) ? Number(text) : text;
  return type === "list" ? listIn(text) : text;
}

function typeOf(column: string): string {
  if (column === "enabled") return "boolean";
  if (column === "labels") return "list";
  return isSetting(column) ? settingFacts(column).type : "text";
}

function isSetting(column: string): column is SettingName {
  return (SETTING_NAMES as readonly string[]).includes(column);
}

/** JSON as it is exported, or `a; b` as people write it. */
function listIn(text: string): unknown {
  if (!text.startsWith("[")) return text.split(";").map((part) => part.trim());
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const SUBJECT = "the YAML";

function readYaml(text: string): ListedPath[] {
  const { document, lineOf } = parsePlainYaml(text.replace(/^\ufeff/, ""), SUBJECT);
  const root = document.contents;
  const paths = isMap(root) ? root.get("paths", true) : undefined;
  if (!isMap(root) || root.items.length !== 1 || !isMap(paths)) {
    throw refusePlainYaml(SUBJECT, "holds no mapping of paths alone", "expected paths: { NAME: { SETTING: VALUE } }");
  }
  return paths.items.map(({ key, value }) => {
    const name = String(isScalar(key) ? key.value : key);
    const line = lineOf(key);
    if (isScalar(value) && value.value === null) return { line, name, fields: {} };
    if (!isMap(value))
      throw refusePlainYaml(SUBJECT, `line ${String(line)}: expected a mapping at "${name.slice(0, 80)}"`);
    return { line, name, fields: value.toJSON() as Record<string, unknown> };
  });
}

function refuse(message: string): AppError {
  return new AppError({ kind: "invalid-argument", message: `the CSV or YAML is not accepted: ${message}` });
}
