/**
 * Commands that MediaMTX runs for a path, by name: whoever deploys writes them into a file, a request can only name one.
 * MediaMTX splits a command first and expands `$MTX_PATH` and the like inside its words after, so the only text that
 * comes from outside is the path's name.
 */
import { readFile } from "node:fs/promises";

import { isMap, isScalar, type YAMLMap } from "yaml";

import { isDuration } from "../core/duration.js";
import { AppError } from "../core/errors.js";
import { parsePlainYaml, refusePlainYaml } from "../platform/plain-yaml.js";
import { keyText } from "./base-document.js";
import { compareVersions } from "./version.js";

export interface Template {
  readonly id: string;
  readonly description: string;
  readonly settings: Readonly<Record<string, string | boolean>>;
}

const COMMANDS = [
  "runOnInit",
  "runOnDemand",
  "runOnUnDemand",
  "runOnOnline",
  "runOnOffline",
  "runOnRead",
  "runOnUnread",
];
const FLAGS = ["runOnInitRestart", "runOnDemandRestart", "runOnOnlineRestart", "runOnReadRestart"];
const DURATIONS = ["runOnDemandStartTimeout", "runOnDemandCloseAfter"];
/** These are how Reelkeeper hears of cameras and segments. */
const OURS = /^runOn(?:Ready|NotReady|Available|Unavailable|RecordSegment)/;
const ONLINE_SINCE = "1.19.3";

/** None without a file. Throws `failed-precondition` or `invalid-argument` that names the entry. */
export async function readTemplates(file: string | null): Promise<readonly Template[]> {
  if (file === null) return [];
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new AppError({ kind: "failed-precondition", message: `read the file of MEDIAMTX_TEMPLATES: ${file}`, cause });
  });
  return parseTemplates(text);
}

export function parseTemplates(text: string): readonly Template[] {
  const { contents } = parsePlainYaml(text, SUBJECT).document;
  if (contents === null) return [];
  if (!isMap(contents)) throw refuse("is no mapping of ids");
  return contents.items.map(({ key, value }) => templateOf(keyText(key), value));
}

const SUBJECT = "the file of MEDIAMTX_TEMPLATES";

function templateOf(id: string, value: unknown): Template {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(id)) throw refuse(`has the id "${id}", expected a-z, 0-9, _ and -`);
  if (!isMap(value)) throw refuse(`holds no mapping at "${id}"`);
  const settings: Record<string, string | boolean> = {};
  for (const { key, value: node } of value.items) {
    const name = keyText(key);
    if (name !== "description") settings[name] = settingOf(`${id}.${name}`, name, isScalar(node) ? node.value : node);
  }
  return { id, description: descriptionIn(value), settings };
}

function descriptionIn(map: YAMLMap): string {
  const text = map.get("description");
  return typeof text === "string" ? text : "";
}

function settingOf(where: string, name: string, value: unknown): string | boolean {
  if (OURS.test(name)) throw refuse(`sets ${where}`, "that is Reelkeeper's own; use runOnOnline and runOnOffline");
  if (COMMANDS.includes(name)) {
    if (typeof value === "string" && /^[^\r\n\0]*[^\s\0][^\r\n\0]*$/.test(value)) return value;
    throw refuse(`holds no command of one line at ${where}`);
  }
  if (FLAGS.includes(name)) {
    if (typeof value === "boolean") return value;
    throw refuse(`holds neither true nor false at ${where}`);
  }
  if (!DURATIONS.includes(name)) {
    throw refuse(`sets ${where}`, `known are description, ${[...COMMANDS, ...FLAGS, ...DURATIONS].join(", ")}`);
  }
  if (typeof value === "string" && value !== "" && isDuration(value)) return value;
  throw refuse(`holds no duration at ${where}`);
}

/** What MediaMTX of this version is told. Throws `invalid-argument`. */
export function templateSettings({ id, settings }: Template, version: string): Template["settings"] {
  const tooNew = Object.keys(settings).find((name) => /^runOn(?:Online|Offline)/.test(name));
  if (tooNew !== undefined && compareVersions(version, ONLINE_SINCE) < 0) {
    throw refuse(`sets ${id}.${tooNew}, which needs MediaMTX ${ONLINE_SINCE}, this one is ${version}`);
  }
  return settings;
}

function refuse(what: string, hint?: string): AppError {
  return refusePlainYaml(SUBJECT, what, hint);
}
