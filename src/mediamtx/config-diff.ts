/** Two rendered configurations as people compare them: as text without secrets, and by what a change does to cameras. */
import { createTwoFilesPatch } from "diff";
import { isScalar, parse, parseDocument, visit } from "yaml";

import { isReservedPathName } from "../contract/path-settings.js";
import { redactText } from "../core/redact.js";
import { isSame } from "./config-drift.js";
import type { Settings } from "./control-api.js";

export interface Reconnect {
  readonly path: string;
  readonly reason: string;
}

/**
 * Settings that MediaMTX changes under a running path (`pathConfCanBeUpdated` in its `internal/core/path_manager.go`, the
 * same in every supported version): it only restarts the recorder. Any other changed setting closes the path.
 */
const HOT = new Set([
  ...["record", "recordPath", "recordFormat", "recordPartDuration", "recordMaxPartSize"],
  ...["recordSegmentDuration", "recordDeleteAfter"],
]);
/** What MediaMTX has where nothing is said, so that saying it changes nothing. */
export const BUILT_IN: Settings = {
  ...{ source: "publisher", sourceFingerprint: "", sourceOnDemand: false, maxReaders: 0, useAbsoluteTimestamp: false },
  ...{ sourceOnDemandStartTimeout: "10s", sourceOnDemandCloseAfter: "10s", rtspTransport: "automatic" },
  ...{ overridePublisher: true, record: false, recordFormat: "fmp4", recordPartDuration: "1s" },
  ...{ recordMaxPartSize: "50M", recordSegmentDuration: "1h" },
};
const SECRET_KEY = /(pass|secret|token|passphrase)/i;
const AUTHORITY_PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^:/?#@]*):[^/?#]*@/i;
/** A setting that somebody has commented out. */
const SECRET_COMMENT = /(#[^\n#]*?(?:pass|secret|token)\w{0,40}["']?[ \t]{0,20}[:=][ \t]{0,20})[^\s#][^\n]*/gi;
const MASK = "***";

/** The text with every password masked, all else as it is. */
export function maskConfig(yaml: string): string {
  const document = parseDocument(yaml);
  visit(document, {
    Scalar: (key, node, ancestors) => {
      if (key !== "value" && typeof key !== "number") return;
      const isSecret = ancestors.some(
        (above) => "key" in above && isScalar(above.key) && SECRET_KEY.test(String(above.key.value)),
      );
      if (node.value === "" || node.value === null) return;
      // Without quotes a password may read as a number.
      if (isSecret) node.value = MASK;
      else if (typeof node.value === "string") {
        node.value = redactText(node.value.replace(AUTHORITY_PASSWORD, `$1:${MASK}@`));
      }
    },
  });
  // Comments are the admin's and may quote a URL.
  return redactText(document.toString({ lineWidth: 0 })).replace(SECRET_COMMENT, `$1${MASK}`);
}

/** All that a person wants to know before one becomes the other. */
export function compareConfigs(before: string, after: string) {
  return {
    diff: diffConfigs(before, after),
    reconnects: findReconnects(before, after),
    recorderRestarts: findRecorderRestarts(before, after),
  };
}

/** A unified diff, secrets masked; empty when the texts are the same. */
function diffConfigs(before: string, after: string): string {
  if (before === after) return "";
  return createTwoFilesPatch("mediamtx.yml", "mediamtx.yml", maskConfig(before), maskConfig(after), "before", "after");
}

/** Whom MediaMTX cuts off when it goes from one to the other: publishers, sources and viewers of these paths. */
function findReconnects(before: string, after: string): readonly Reconnect[] {
  const [old, fresh] = [readPaths(before), readPaths(after)];
  return [...new Set([...old.names, ...fresh.names])].sort().flatMap((path) => {
    const reason = whyClosed(old.find(path), fresh.find(path), old.names.includes(path));
    return reason === undefined ? [] : [{ path, reason }];
  });
}

/** Paths whose recorder restarts while the stream goes on. */
function findRecorderRestarts(before: string, after: string): readonly Reconnect[] {
  const [old, fresh] = [readPaths(before), readPaths(after)];
  return fresh.names.flatMap((path) => {
    const [was, is] = [old.find(path), fresh.find(path)];
    if (was === undefined || is === undefined || whyClosed(was, is, true) !== undefined) return [];
    const changed = changedSettings(was, is);
    if (changed.length === 0) return [];
    return [{ path, reason: `${changed.join(", ")} restarts the recorder: at most one GOP is not recorded` }];
  });
}

export function whyClosed(was: Settings | undefined, is: Settings | undefined, wasNamed: boolean): string | undefined {
  if (was === undefined) return undefined;
  if (is === undefined) return "is no longer configured: whoever publishes or watches is cut off";
  const cold = changedSettings(was, is).filter((setting) => !HOT.has(setting));
  if (cold.length === 0) return undefined;
  const who = wasNamed ? "" : "whoever publishes to it now by a pattern is cut off; ";
  return `${who}${cold.join(", ")} ${cold.length === 1 ? "is" : "are"} not changed under a running path`;
}

function changedSettings(was: Settings, is: Settings): readonly string[] {
  const names = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...names].filter((name) => !isSame(name, was[name], is[name])).sort();
}

export interface ConfiguredNames {
  readonly names: readonly string[];
  /** What counts for a path, by its own entry or by a pattern; undefined: nobody may publish to it. */
  find(path: string): Settings | undefined;
}

export function readPaths(yaml: string): ConfiguredNames {
  const root = asSettings(parse(yaml));
  return namedPaths(new Map(Object.entries(asSettings(root["paths"]))), asSettings(root["pathDefaults"]));
}

export function namedPaths(entries: ReadonlyMap<string, unknown>, defaults: Settings): ConfiguredNames {
  const isPattern = (name: string): boolean => name.startsWith("~") || isReservedPathName(name);
  const withDefaults = (entry: unknown): Settings => ({ ...BUILT_IN, ...defaults, ...asSettings(entry) });
  // As MediaMTX tries them: patterns in order of their names, the one for all others last.
  const patterns = [...entries.keys()].filter((name) => name.startsWith("~")).sort();
  const rest = [...entries.keys()].find((name) => isReservedPathName(name));
  return {
    names: [...entries.keys()].filter((name) => !isPattern(name)),
    find: (path) => {
      if (entries.has(path)) return withDefaults(entries.get(path));
      const pattern = patterns.find((name) => matches(name, path)) ?? rest;
      return pattern === undefined ? undefined : withDefaults(entries.get(pattern));
    },
  };
}

/** Go's expressions are not all JavaScript's: one that we cannot read matches nothing here. */
function matches(pattern: string, path: string): boolean {
  try {
    return new RegExp(pattern.slice(1)).test(path);
  } catch {
    return false;
  }
}

function asSettings(value: unknown): Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
