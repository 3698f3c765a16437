/**
 * The admin's part of mediamtx.yml, parsed and checked: plain YAML of one document that MediaMTX's own reader and ours
 * understand alike, without the settings that Reelkeeper must own to keep its promises.
 */
import { type Document, isMap, isScalar, isSeq, type YAMLMap } from "yaml";

import type { AppError } from "../core/errors.js";
import { parsePlainYaml, refusePlainYaml } from "../platform/plain-yaml.js";

const SUBJECT = "the base configuration of MediaMTX";
const SEGMENT_HOOKS = ["runOnRecordSegmentCreate", "runOnRecordSegmentComplete"];
const READY_HOOKS = ["runOnReady", "runOnNotReady", "runOnAvailable", "runOnUnavailable"];
/** Long deprecated; MediaMTX refuses them together with `authInternalUsers`, where our API user is. */
const OLD_CREDENTIALS = ["publishUser", "publishPass", "publishIPs", "readUser", "readPass", "readIPs"];
/** Long deprecated at the top level; there they would win over `pathDefaults`. */
const OLD_RECORD_SETTINGS = [
  "record",
  "recordPath",
  "recordFormat",
  "recordPartDuration",
  "recordSegmentDuration",
  "recordDeleteAfter",
];

export interface BaseDocument {
  readonly document: Document;
  readonly root: YAMLMap;
  readonly pathDefaults: YAMLMap;
  readonly paths: YAMLMap;
}

/** Throws `invalid-argument` that says what to change. `withHooks`: Reelkeeper will set its own hooks. */
export function parseBaseDocument(text: string, options: { readonly withHooks: boolean }): BaseDocument {
  const { document } = parsePlainYaml(text, SUBJECT);
  const root = document.contents ?? document.createNode({});
  if (!isMap(root)) throw refuse("is no mapping at the top level");
  document.contents = root;
  const pathDefaults = childMap(document, root, "pathDefaults");
  const paths = childMap(document, root, "paths");
  for (const { key } of paths.items) childMap(document, paths, keyText(key));

  refuseKeys(root, "", { keys: OLD_RECORD_SETTINGS, hint: "move it below pathDefaults" });
  refuseOwned(pathDefaults, "pathDefaults", options.withHooks);
  if (options.withHooks) refuseKeys(pathDefaults, "pathDefaults", { keys: READY_HOOKS, hint: HOOK_HINT });
  for (const { key, value } of paths.items) {
    if (isMap(value)) refuseOwned(value, `paths.${keyText(key)}`, options.withHooks);
  }
  return { document, root, pathDefaults, paths };
}

const HOOK_HINT = "remove it, or set MEDIAMTX_HOOK_COMMAND=none and call Reelkeeper's hook from your own";

function refuseOwned(map: YAMLMap, where: string, withHooks: boolean): void {
  refuseKeys(map, where, { keys: ["recordPath"], hint: "remove it: Reelkeeper sets where segments go" });
  refuseKeys(map, where, { keys: OLD_CREDENTIALS, hint: "use authInternalUsers instead" });
  if (withHooks) refuseKeys(map, where, { keys: SEGMENT_HOOKS, hint: HOOK_HINT });
}

function refuseKeys(
  map: YAMLMap,
  where: string,
  what: { readonly keys: readonly string[]; readonly hint: string },
): void {
  const found = what.keys.find((key) => map.has(key));
  if (found !== undefined) throw refuse(`sets ${where === "" ? found : `${where}.${found}`}`, what.hint);
}

export type InheritedSettings = (path: string) => Readonly<Record<string, unknown>>;

/** What the base configuration says of paths: `pathDefaults`, and its own entry of a path over them. */
export function readInherited(text: string): InheritedSettings {
  const { pathDefaults, paths } = parseBaseDocument(text, { withHooks: false });
  const defaults = pathDefaults.toJSON() as Record<string, unknown>;
  return (path) => {
    const entry = paths.get(path);
    return isMap(entry) ? { ...defaults, ...(entry.toJSON() as Record<string, unknown>) } : defaults;
  };
}

/** The mapping below `key`; created where there is none or nothing in it, so that it can be added to. */
function childMap(document: Document, parent: YAMLMap, key: string): YAMLMap {
  const value = parent.get(key, true);
  if (isMap(value)) {
    if (value.items.length === 0) value.flow = false;
    return value;
  }
  if (value !== undefined && !(isScalar(value) && (value.value === null || value.value === ""))) {
    throw refuse(`holds ${isSeq(value) ? "a list" : "a value"} at "${key}", expected a mapping`);
  }
  const created = document.createNode({}) as YAMLMap;
  if (isScalar(value) && typeof value.comment === "string") created.commentBefore = value.comment;
  parent.set(key, created);
  return created;
}

export function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function refuse(what: string, hint?: string): AppError {
  return refusePlainYaml(SUBJECT, what, hint);
}
