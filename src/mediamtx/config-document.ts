/**
 * Rendering of mediamtx.yml: a pure function of the admin's base.yml and the rows of `paths`. Comments and keys that
 * are not ours stay; what our promises rest on is set, whatever the base says: where segments go, that MediaMTX never
 * deletes one, who may use the Control API, and the hooks (in pathDefaults only: a changed hook string disconnects
 * every camera).
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

import { type Document, isMap, isSeq, parse, Scalar, YAMLMap, YAMLSeq } from "yaml";

import { isReservedPathName, type PathSettings, pathSettingsSchema } from "../contract/path-settings.js";
import { SETTING_NAMES, settingFacts } from "../contract/setting-facts.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import { type ServerAuth, setAuth, withDigest } from "./auth-settings.js";
import { type BaseDocument, keyText, parseBaseDocument } from "./base-document.js";
import { loopbackAddresses } from "./listen-addresses.js";
import { OUR_RECORD_PATH } from "./record-path.js";
import { type Template, templateSettings } from "./templates.js";
import { compareVersions, whyUnsupported } from "./version.js";

export interface ConfiguredPath {
  readonly name: PathName;
  /** False: not configured, neither pulled nor recorded. */
  readonly enabled: boolean;
  readonly settings: PathSettings;
}

export interface ConfigInput {
  readonly baseYaml: string;
  readonly paths: readonly ConfiguredPath[];
  /** As MediaMTX sees it, absolute. */
  readonly recordDir: string;
  /** A constant command to which the event is appended; null for no hooks. */
  readonly hookCommand: string | null;
  readonly api: {
    /** `host:port` of the Control API; null leaves it to the base (external servers). */
    readonly address: string | null;
    readonly user: string;
    readonly password: string;
  };
  readonly mode: "embedded" | "external";
  /** Who reaches the media ports of an embedded server. */
  readonly listen: "loopback" | "all";
  /** Unknown keys are fatal to MediaMTX, so some depend on this. */
  readonly version: string;
  /** Default: off, which leaves it to the base. */
  readonly auth?: ServerAuth;
  /** What the setting `template` of a path may name. */
  readonly templates?: readonly Template[];
}

const HEADER =
  "# Rendered by Reelkeeper from its base configuration and its paths. Changes here are overwritten: edit the base.\n";
/** MediaMTX must never delete a segment: only we know which are proven to be archived. */
const NEVER = "0s";
const PLAIN_CREDENTIAL = /^[a-zA-Z0-9!$()*+.;<=>[\]^_\-{}@#&]+$/;

/** Throws `invalid-argument` when base or rows cannot be rendered. */
export function renderConfig(input: ConfigInput): string {
  const unsupported = whyUnsupported(input.version);
  if (unsupported !== undefined) {
    throw new AppError({
      kind: "failed-precondition",
      message: `render the configuration of MediaMTX: ${unsupported}`,
    });
  }
  const base = parseBaseDocument(input.baseYaml, { withHooks: input.hookCommand !== null });
  setServices(base, input);
  setUsers(base, input);
  setPathDefaults(base, input);
  setPaths(base, input);
  return stringify(base.document);
}

function setServices({ root }: BaseDocument, input: ConfigInput): void {
  for (const service of ["api", "metrics"]) put(root, service, true);
  // We serve the same ourselves, and nobody can end a download from there: an admin may close it.
  if (root.get("playback") !== false) put(root, "playback", true);
  if (input.api.address !== null) put(root, "apiAddress", input.api.address);
  setAuth(root, input.auth ?? { kind: "off" });
  // On by default since 1.19.0, opens two more ports and writes a key into the working directory.
  const hasMoq = compareVersions(input.version, "1.19.0") >= 0;
  if (hasMoq && !root.has("moq")) put(root, "moq", false);
  if (input.mode === "external") return;
  for (const encryption of ["apiEncryption", "metricsEncryption", "playbackEncryption"]) {
    if (root.has(encryption)) put(root, encryption, false);
  }
  const addresses = loopbackAddresses({
    listen: input.listen,
    version: input.version,
    withMoq: hasMoq && root.get("moq") !== false,
    configured: (setting) => root.get(setting),
  });
  for (const [setting, address] of addresses) put(root, setting, address);
}

/**
 * The Control API, metrics and playback are for our user alone. Publishing and reading stay as open as MediaMTX has
 * them by default, unless the admin names users.
 */
function setUsers({ document, root }: BaseDocument, { api }: ConfigInput): void {
  const known = root.get("authInternalUsers");
  if (known !== undefined && known !== null && !isSeq(known)) {
    throw new AppError({
      kind: "invalid-argument",
      message: "the base configuration of MediaMTX sets authInternalUsers, expected a list",
    });
  }
  const users = isSeq(known) ? known : document.createNode([publisherAndReader()]);
  const ours = {
    user: quoted(api.user),
    pass: quoted(credential(api.password, withDigest(root))),
    ips: [],
    permissions: ["api", "metrics", "playback"].map((action) => ({ action: quoted(action) })),
  };
  users.add(document.createNode(ours));
  root.set("authInternalUsers", users);
}

function publisherAndReader(): object {
  const permissions = ["publish", "read"].map((action) => ({ action: quoted(action) }));
  return { user: quoted("any"), pass: quoted(""), ips: [], permissions };
}

function credential(password: string, plain: boolean): string {
  if (!plain) return `sha256:${createHash("sha256").update(password).digest("base64")}`;
  if (PLAIN_CREDENTIAL.test(password)) return password;
  throw new AppError({
    kind: "invalid-argument",
    message:
      "MEDIAMTX_API_PASSWORD holds characters that MediaMTX cannot have together with RTSP digest authentication",
    hint: "use letters, digits and !$()*+.;<=>[]^_-{}@#&",
  });
}

function setPathDefaults({ pathDefaults }: BaseDocument, { recordDir, hookCommand, version }: ConfigInput): void {
  if (!recordDir.startsWith("/") || /[%\0\r\n]/.test(recordDir)) {
    throw new AppError({
      kind: "invalid-argument",
      message: `record directory "${recordDir}": expected an absolute path without % or line breaks`,
    });
  }
  put(pathDefaults, "recordPath", `${recordDir === "/" ? "" : recordDir}/${OUR_RECORD_PATH}`);
  put(pathDefaults, "recordDeleteAfter", NEVER);
  if (hookCommand === null) return;
  // MediaMTX expands $ itself, and a line break or nothing at all would be another command.
  if (!/^[^$\r\n\0]*[^$\s\0][^$\r\n\0]*$/.test(hookCommand)) {
    throw new AppError({ kind: "invalid-argument", message: "hook command: expected one line without $" });
  }
  const isRenamed = compareVersions(version, "1.19.3") >= 0;
  put(pathDefaults, "runOnRecordSegmentCreate", `${hookCommand} segment-create`);
  put(pathDefaults, "runOnRecordSegmentComplete", `${hookCommand} segment-complete`);
  put(pathDefaults, isRenamed ? "runOnAvailable" : "runOnReady", `${hookCommand} ready`);
  put(pathDefaults, isRenamed ? "runOnUnavailable" : "runOnNotReady", `${hookCommand} not-ready`);
}

function setPaths({ document, paths, pathDefaults }: BaseDocument, input: ConfigInput): void {
  const hasPatterns = paths.items.some(({ key }) => isReservedPathName(keyText(key)) || keyText(key).startsWith("~"));
  for (const row of [...input.paths].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (isReservedPathName(row.name)) throw refuseRow(row, "MediaMTX uses this name for every path without an entry");
    if (!row.enabled) paths.delete(row.name);
    // A pattern of the base would take the path in and record it.
    if (!row.enabled && !hasPatterns) continue;
    const known = paths.get(row.name);
    const entry = isMap(known) ? known : (document.createNode({}) as YAMLMap);
    const { template, ...settings } = settingsOf(row, input.version);
    if (template !== undefined) putTemplate(entry, row, input);
    for (const [setting, value] of Object.entries(settings)) {
      if (value !== undefined) put(entry, setting, value);
    }
    keepPlaceholderOut(entry, row, { pathDefaults, version: input.version });
    if (!isMap(known)) paths.add(document.createPair(quoted(row.name), entry));
  }
  for (const { value } of paths.items) if (isMap(value)) put(value, "recordDeleteAfter", NEVER);
}

/** Checked again: what reaches the file must not depend on who wrote the row. */
function settingsOf(row: ConfiguredPath, version: string): PathSettings {
  if (!row.enabled) return { record: false };
  const checked = pathSettingsSchema.safeParse(row.settings);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw refuseRow(row, issue?.message ?? "", issue?.path.join("."));
  }
  for (const name of SETTING_NAMES) {
    const { minVersion } = settingFacts(name);
    const value = checked.data[name];
    if (value === undefined || minVersion === undefined || compareVersions(version, minVersion) >= 0) continue;
    throw refuseRow(row, `${JSON.stringify(value)} needs MediaMTX ${minVersion}, this one is ${version}`, name);
  }
  return checked.data;
}

function putTemplate(entry: YAMLMap, row: ConfiguredPath, { templates = [], version }: ConfigInput): void {
  const id = row.settings.template ?? "";
  const template = templates.find((one) => one.id === id);
  if (template === undefined) {
    const known = templates.map((one) => one.id).join(", ") || "none";
    throw refuseRow(row, `there is no template "${id}"; MEDIAMTX_TEMPLATES has: ${known}`, "template");
  }
  // The name is all that a request can bring into a command, and there it would be read as an option.
  if (/^-|\/-/.test(row.name)) throw refuseRow(row, "not for a path with a part that begins with -", "template");
  for (const [setting, value] of Object.entries(templateSettings(template, version))) put(entry, setting, value);
}

/** With alwaysAvailable MediaMTX records its placeholder as if the camera had sent it, unless told otherwise. */
function keepPlaceholderOut(
  entry: YAMLMap,
  row: ConfiguredPath,
  { pathDefaults, version }: { readonly pathDefaults: YAMLMap; readonly version: string },
): void {
  if (entry.get("alwaysAvailable") !== true || row.settings.alwaysAvailableRecorded !== undefined) return;
  if (compareVersions(version, settingFacts("alwaysAvailableRecorded").minVersion ?? "") >= 0) {
    put(entry, "alwaysAvailableRecorded", false);
  } else if (isTrue(entry.get("record") ?? pathDefaults.get("record"))) {
    const why = `true together with record would record the placeholder as footage before MediaMTX 1.21.0, this one is ${version}`;
    throw refuseRow(row, why, "alwaysAvailable");
  }
}

/** MediaMTX's reader takes more words for it than ours. */
function isTrue(value: unknown): boolean {
  return value === true || (typeof value === "string" && /^(?:yes|on|true)$/i.test(value));
}

function refuseRow(row: ConfiguredPath, reason: string, field = ""): AppError {
  return new AppError({
    kind: "invalid-argument",
    message: `path ${row.name} cannot be configured: ${field} ${reason}`.replace(/ {2,}/, " "),
    ...(field === "" ? {} : { fields: [{ field, message: reason }] }),
  });
}

/** Sets a value and keeps the comment that stands beside the old one. */
function put(map: YAMLMap, setting: string, value: Value): void {
  const node = nodeOf(value);
  const old = map.get(setting, true);
  if (old?.comment !== undefined) node.comment = old.comment;
  map.set(setting, node);
}

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value | undefined };

function nodeOf(value: Value): Scalar | YAMLSeq | YAMLMap {
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object") return new Scalar(value);
  if (isList(value)) {
    const list = new YAMLSeq();
    for (const item of value) list.add(nodeOf(item));
    return list;
  }
  const map = new YAMLMap();
  for (const [key, item] of Object.entries(value)) if (item !== undefined) map.set(key, nodeOf(item));
  return map;
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value);
}

/** Always quoted: plain text may be read as a boolean, a number or a directive. */
function quoted(text: string): Scalar<string> {
  const scalar = new Scalar(text);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

function stringify(document: Document): string {
  const text = HEADER + document.toString({ lineWidth: 0 });
  if (!isDeepStrictEqual(parse(text), document.toJS())) {
    throw new AppError({
      kind: "internal",
      message: "rendered configuration reads back differently than it was written",
    });
  }
  return text;
}
