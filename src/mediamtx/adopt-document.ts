/**
 * An existing mediamtx.yml, taken apart: entries of paths that become rows, and a base file that keeps all the rest with
 * its comments. What Reelkeeper sets itself is left out and told. Commands never come along: a path may name one that the
 * deployer's templates hold already.
 */
import { isDeepStrictEqual } from "node:util";

import { isMap, isScalar, isSeq, type YAMLMap } from "yaml";

import { isReservedPathName, pathSettingsSchema, type PathSettings } from "../contract/path-settings.js";
import { isMaskedSetting } from "../contract/secret-settings.js";
import { SETTING_NAMES, settingFacts, type SettingName } from "../contract/setting-facts.js";
import { isPathName, type PathName } from "../core/path-name.js";
import { hostOfUrl, whyNotSourceHost } from "../core/source-host.js";
import { parsePlainYaml, refusePlainYaml } from "../platform/plain-yaml.js";
import { keyText } from "./base-document.js";
import type { Template } from "./templates.js";
import { compareVersions } from "./version.js";

interface Place {
  /** `global`, `pathDefaults` or `paths/NAME`. */
  readonly where: string;
  /** Empty: the entry as a whole. */
  readonly setting: string;
}

interface AdoptionNote extends Place {
  readonly why: string;
  /** told: nothing to do · command: is left behind only when that is asked for · blocks: must be solved first. */
  readonly kind: "told" | "command" | "blocks";
}

export interface Adoption {
  readonly paths: readonly { readonly name: PathName; readonly settings: PathSettings }[];
  /** What stays in the base file. */
  readonly kept: readonly Place[];
  /** What is neither in a row nor in the base file. */
  readonly left: readonly AdoptionNote[];
  /** A text for the file of MEDIAMTX_TEMPLATES that would keep the commands; null: there are none to keep. */
  readonly templates: string | null;
  readonly baseYaml: string;
}

const SUBJECT = "the configuration to adopt";
const COMMAND = "runOn";
const OLD_RECORD_SETTING = /^record(?:Path|Format|PartDuration|SegmentDuration|DeleteAfter)?$/;
const OLD_CREDENTIAL = /^(?:publish|read)(?:User|Pass|IPs)$/;
/** Files of the server that it reads or writes; its own defaults lie in its working directory. */
const NAMES_A_FILE = /^(?:logFile|hlsDirectory|alwaysAvailableFile|.*[sS]erver(?:Key|Cert))$/;
/** Where MediaMTX itself connects to. */
const CONNECTS = /^(?:source|forward|authHTTPAddress|externalAuthenticationURL|authJWTJWKS)$/;
const HARMLESS_FILE = /^(?:[\w-]+\.(?:key|crt|log))?$/;

interface Context {
  readonly templates: readonly Template[];
  readonly version: string;
  /** False: what names files of the server is left to whoever deploys. */
  readonly mayNameFiles: boolean;
  readonly paths: { name: PathName; settings: PathSettings }[];
  readonly kept: Place[];
  readonly left: AdoptionNote[];
  readonly commands: Map<string, Readonly<Record<string, unknown>>>;
}

/** Throws `invalid-argument` for a text that is no plain YAML mapping. */
export function takeApart(
  text: string,
  of: { readonly templates: readonly Template[]; readonly version: string; readonly mayNameFiles: boolean },
): Adoption {
  const { document } = parsePlainYaml(text, SUBJECT);
  const root = document.contents;
  if (!isMap(root)) throw refusePlainYaml(SUBJECT, "is no mapping at the top level");
  const context: Context = { ...of, paths: [], kept: [], left: [], commands: new Map() };
  const [defaults, paths] = [mapAt(root, "pathDefaults"), mapAt(root, "paths")];
  takeGlobal(root, context);
  if (defaults !== undefined) takeDefaults(defaults, context);
  if (paths !== undefined) for (const name of settingsIn(paths)) takePath(paths, name, context);
  const { commands, kept, left } = context;
  const templates = commands.size === 0 ? null : templateText(commands);
  return { paths: context.paths, kept, left, templates, baseYaml: document.toString({ lineWidth: 0 }) };
}

function mapAt(parent: YAMLMap, key: string): YAMLMap | undefined {
  const value = parent.get(key, true);
  if (isMap(value)) return value;
  if (value === undefined || (isScalar(value) && (value.value === null || value.value === ""))) return undefined;
  throw refusePlainYaml(SUBJECT, `holds ${isSeq(value) ? "a list" : "a value"} at "${key}"`, "expected a mapping");
}

function takeGlobal(root: YAMLMap, context: Context): void {
  for (const setting of settingsIn(root)) {
    if (setting === "paths" || setting === "pathDefaults") continue;
    const place = { where: "global", setting };
    if (OLD_RECORD_SETTING.test(setting)) {
      context.left.push({ ...place, why: "is MediaMTX's old way: move it below pathDefaults", kind: "blocks" });
    } else if (setting.startsWith(COMMAND)) takeCommand(root, place, context);
    else keep(root, place, context);
  }
}

function takeDefaults(defaults: YAMLMap, context: Context): void {
  for (const setting of settingsIn(defaults)) takeOwned(defaults, { where: "pathDefaults", setting }, context);
}

/** What Reelkeeper sets, what it cannot have, or what stays in the base. */
function takeOwned(map: YAMLMap, place: Place, context: Context): void {
  const { setting } = place;
  if (setting.startsWith(COMMAND)) takeCommand(map, place, context);
  else if (setting === "recordPath") leave(map, { ...place, why: RECORD_PATH }, context);
  else if (setting === "recordDeleteAfter") leave(map, { ...place, why: DELETE_AFTER }, context);
  else if (OLD_CREDENTIAL.test(setting)) {
    if (isEmpty(map, setting)) map.delete(setting);
    else context.left.push({ ...place, why: "is MediaMTX's old way: use authInternalUsers instead", kind: "blocks" });
  } else keep(map, place, context);
}

const RECORD_PATH =
  "Reelkeeper sets where segments go, below RECORD_DIR; recordings of before are found by IMPORT_RECORD_PATHS";
const DELETE_AFTER =
  "MediaMTX must not delete what is not proven: LOCAL_RETENTION, or localRetention of a path, says how long files stay";

const MASKED = "holds the mask *** in place of a secret: write it out";
const FOR_THE_DEPLOYER =
  "names a file of the server, which is for whoever deploys: adopt by the command reelkeeper config adopt";

function leave(map: YAMLMap, place: Place & Pick<AdoptionNote, "why">, { left }: Context): void {
  if (!isEmpty(map, place.setting)) left.push({ ...place, kind: "told" });
  map.delete(place.setting);
}

function keep(map: YAMLMap, place: Place, { kept, left, mayNameFiles }: Context): void {
  const value = map.get(place.setting);
  const why = mayNameFiles || !CONNECTS.test(place.setting) ? undefined : whyNotUrls(value);
  if (why !== undefined)
    left.push({ ...place, why: `${why}; or let whoever deploys adopt it by command`, kind: "blocks" });
  else if (
    !mayNameFiles &&
    NAMES_A_FILE.test(place.setting) &&
    typeof value === "string" &&
    !HARMLESS_FILE.test(value)
  ) {
    left.push({ ...place, why: FOR_THE_DEPLOYER, kind: "blocks" });
  } else kept.push(place);
}

/** Of the URLs in it, one to which no request may send MediaMTX. */
function whyNotUrls(value: unknown): string | undefined {
  if (typeof value === "string") {
    const leadsTo = hostOfUrl(value);
    return leadsTo === undefined ? undefined : whyNotSourceHost(leadsTo.scheme, leadsTo.host);
  }
  const plain: unknown = isSeq(value) || isMap(value) ? value.toJSON() : value;
  if (typeof plain !== "object" || plain === null) return undefined;
  return Object.values(plain)
    .map(whyNotUrls)
    .find((why) => why !== undefined);
}

/** No command comes along. One that is empty, or a flag of none, is nothing. */
function takeCommand(map: YAMLMap, place: Place, { left, commands }: Context): void {
  const value = map.get(place.setting);
  const isCommand =
    typeof value === "string" && value.trim() !== "" && !/(?:Restart|Timeout|CloseAfter)$/.test(place.setting);
  if (isCommand) {
    const isOurs = /^runOn(?:Ready|NotReady|Available|Unavailable|RecordSegment)/.test(place.setting);
    const why = isOurs
      ? "is how Reelkeeper hears of cameras and segments; GET /api/v1/recordings and the audit log tell others"
      : "is a command: only those of the file MEDIAMTX_TEMPLATES run, and only for paths that name one by template";
    left.push({ ...place, why, kind: "command" });
    if (!isOurs && place.where.startsWith("paths/")) {
      const name = place.where.slice("paths/".length);
      commands.set(name, { ...commands.get(name), [place.setting]: value });
    }
  }
  map.delete(place.setting);
}

function takePath(paths: YAMLMap, name: string, context: Context): void {
  const where = `paths/${name}`;
  const entry = mapAt(paths, name);
  if (!isPathName(name) || isReservedPathName(name)) {
    if (entry !== undefined) for (const setting of settingsIn(entry)) takeOwned(entry, { where, setting }, context);
    context.kept.push({ where, setting: "" });
    return;
  }
  const settings = entry === undefined ? {} : takeSettings(entry, where, context);
  if (entry === undefined || entry.items.length === 0) paths.delete(name);
  context.paths.push({ name, settings });
}

/** Into the row what a row can hold; the rest stays in the base's entry of the path. */
function takeSettings(entry: YAMLMap, where: string, context: Context): PathSettings {
  const template = templateOf(entry, context);
  const offered = new Map<string, unknown>(template === undefined ? [] : [["template", template]]);
  for (const setting of settingsIn(entry)) {
    if (!isSetting(setting) || setting === "template") {
      takeOwned(entry, { where, setting }, context);
      continue;
    }
    const value = plainValue(setting, entry.get(setting));
    const { minVersion = "0.0.0" } = settingFacts(setting);
    if (value === null || value === "") entry.delete(setting);
    else if (isMaskedSetting(setting, value)) context.left.push({ where, setting, why: MASKED, kind: "blocks" });
    else if (compareVersions(context.version, minVersion) >= 0) offered.set(setting, value);
    else keep(entry, { where, setting }, context);
  }
  const settings = acceptable(offered);
  for (const setting of offered.keys()) {
    if (Object.hasOwn(settings, setting)) entry.delete(setting);
    else keep(entry, { where, setting }, context);
  }
  return settings;
}

/** As many as are accepted together. */
function acceptable(offered: ReadonlyMap<string, unknown>): PathSettings {
  const left = new Map(offered);
  for (;;) {
    const parsed = pathSettingsSchema.safeParse(Object.fromEntries(left));
    if (parsed.success) return parsed.data;
    for (const { path } of parsed.error.issues) left.delete(String(path[0]));
  }
}

function isSetting(name: string): name is SettingName {
  return (SETTING_NAMES as readonly string[]).includes(name);
}

/** MediaMTX's reader takes more words for true and false than ours, and numbers for texts. */
function plainValue(setting: SettingName, node: unknown): unknown {
  const value: unknown = isSeq(node) || isMap(node) ? node.toJSON() : node;
  const { type } = settingFacts(setting);
  if (type === "boolean") return asBoolean(value);
  return type === "text" && typeof value === "number" ? String(value) : value;
}

function asBoolean(value: unknown): unknown {
  if (typeof value !== "string" || !/^(?:yes|on|true|no|off|false)$/i.test(value)) return value;
  return /^(?:yes|on|true)$/i.test(value);
}

/** The template that says what the commands of this entry say, which are taken out of it then. */
function templateOf(entry: YAMLMap, { templates }: Context): string | undefined {
  const settings = commandsIn(entry);
  if (Object.keys(settings).length === 0) return undefined;
  const found = templates.find((template) => isDeepStrictEqual({ ...template.settings }, settings));
  if (found === undefined) return undefined;
  for (const setting of Object.keys(settings)) entry.delete(setting);
  return found.id;
}

/** But for flags of commands that are not there. */
function commandsIn(entry: YAMLMap): Record<string, unknown> {
  const all = Object.entries(entry.toJSON() as Record<string, unknown>).filter(([name]) => name.startsWith(COMMAND));
  const plain = all.map(([name, value]) => [name, asBoolean(value)] as const);
  return Object.fromEntries(plain.filter(([, value]) => value !== null && value !== "" && value !== false));
}

function templateText(commands: Context["commands"]): string {
  const lines = [...commands].map(([name, settings], at) => {
    const id =
      name
        .toLowerCase()
        .replace(/[^a-z0-9_-]+/g, "-")
        .replace(/^[^a-z0-9]+/, "")
        .slice(0, 60) || `path-${String(at)}`;
    const own = Object.entries(settings).map(([setting, command]) => `  ${setting}: ${JSON.stringify(command)}\n`);
    return `${id}:\n  description: ${JSON.stringify(`of ${name}`)}\n${own.join("")}`;
  });
  return lines.join("");
}

function settingsIn(map: YAMLMap): string[] {
  return map.items.map(({ key }) => keyText(key));
}

function isEmpty(map: YAMLMap, setting: string): boolean {
  const value = map.get(setting);
  return value === null || value === undefined || value === "" || (isSeq(value) && value.items.length === 0);
}
