/**
 * Compares the file that was rendered with what the running server says it has. MediaMTX writes values in its own
 * forms (24h as 1d, 0s as nothing, an address as a network) and masks passwords; neither is drift. Settings that the
 * server does not report cannot be told, and are no drift either: an unknown one would have stopped it.
 */
import { parse } from "yaml";

import { isDuration, parseDurationMs } from "../core/duration.js";
import { redactFields, redactText } from "../core/redact.js";
import type { Settings } from "./control-api.js";

export interface ServerConfig {
  readonly global: Settings;
  readonly pathDefaults: Settings;
  readonly paths: readonly (Settings & { readonly name: string })[];
}

export interface Drift {
  /** `global`, `pathDefaults` or `paths/<name>`. */
  readonly where: string;
  /** Empty when the whole entry is meant. */
  readonly setting: string;
  /** As text, secrets masked. */
  readonly expected: string;
  readonly actual: string;
}

const SECRET = /(pass|secret|token|passphrase)/i;
const REDACTED = "<redacted>";
const SIZE = /^(\d+(?:\.\d+)?)([KMGTPE]?)(?:I?B)?$/i;
const SIZE_UNITS = ["", "K", "M", "G", "T", "P", "E"];
const TRUE = new Set(["yes", "Yes", "YES", "on", "On", "ON"]);
const FALSE = new Set(["no", "No", "NO", "off", "Off", "OFF"]);

/** Empty when the server runs what `renderedYaml` says. */
export function findDrift(renderedYaml: string, server: ServerConfig): readonly Drift[] {
  const { pathDefaults, paths, ...global } = asSettings(parse(renderedYaml));
  const expectedPaths = new Map(Object.entries(asSettings(paths)));
  const actualPaths = new Map(server.paths.map((path) => [path.name, path]));
  const drift = [
    ...compare("global", global, server.global),
    ...compare("pathDefaults", asSettings(pathDefaults), server.pathDefaults),
  ];
  for (const [name, expected] of expectedPaths) {
    const actual = actualPaths.get(name);
    const where = `paths/${name}`;
    if (actual === undefined) drift.push({ where, setting: "", expected: "configured", actual: "absent" });
    else drift.push(...compare(where, asSettings(expected), actual));
  }
  for (const name of actualPaths.keys()) {
    if (expectedPaths.has(name)) continue;
    drift.push({ where: `paths/${name}`, setting: "", expected: "absent", actual: "configured" });
  }
  return drift;
}

function compare(where: string, expected: Settings, actual: Settings): readonly Drift[] {
  return Object.entries(expected)
    .filter(([setting, value]) => setting in actual && !isSame(setting, value, actual[setting]))
    .map(([setting, value]) => ({
      where,
      setting,
      expected: show(setting, value),
      actual: show(setting, actual[setting]),
    }));
}

/** The same to MediaMTX, in whichever of its forms. */
export function isSame(setting: string, expected: unknown, actual: unknown): boolean {
  if (actual === REDACTED) return true;
  if (Array.isArray(expected)) return isSameList(setting, expected, Array.isArray(actual) ? actual : []);
  if (typeof expected === "object" && expected !== null) {
    const answered = asSettings(actual);
    return Object.entries(expected).every(([key, value]) => isSame(key, value, answered[key]));
  }
  const [left, right] = [plain(expected), plain(actual)];
  if (left === right) return true;
  if (setting.endsWith("Size") && sizeBytes(left) !== undefined) return sizeBytes(left) === sizeBytes(right);
  return isDuration(left) && isDuration(right) && parseDurationMs(left) === parseDurationMs(right);
}

/** MediaMTX answers lists of plain values that mean a set in an order of its own. */
function isSameList(setting: string, expected: readonly unknown[], actual: readonly unknown[]): boolean {
  if (expected.length !== actual.length) return false;
  const isPlain = [...expected, ...actual].every((item) => typeof item !== "object");
  const [left, right] = isPlain ? [expected.map(plain).sort(), actual.map(plain).sort()] : [expected, actual];
  return left.every((item, index) => isSame(setting, item, right[index]));
}

/** One text per value, whichever of MediaMTX's forms it came in. */
function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return JSON.stringify(value);
  if (TRUE.has(value)) return "true";
  if (FALSE.has(value)) return "false";
  return value.replace(/^([0-9.]+)\/32$|^([0-9a-fA-F:]+)\/128$/, "$1$2");
}

function sizeBytes(text: string): number | undefined {
  const match = SIZE.exec(text);
  return match ? Number(match[1]) * 1_024 ** SIZE_UNITS.indexOf((match[2] ?? "").toUpperCase()) : undefined;
}

function show(setting: string, value: unknown): string {
  if (SECRET.test(setting)) return "***";
  const clean = redactFields(setting, value);
  return redactText(typeof clean === "string" ? clean : JSON.stringify(clean ?? ""));
}

function asSettings(value: unknown): Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
