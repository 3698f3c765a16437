/**
 * Settings of a path that are secrets, or hold one: sealed at rest, masked wherever they are shown. What is shown may be
 * sent back, and changes nothing.
 */
import { redactText } from "../core/redact.js";
import { SETTING_FACTS, type SettingName, settingFacts } from "./setting-facts.js";

const MASK = "***";
/** A URL without user, query and parameters has nothing to hide. */
const PLAIN_URL = /^[^@?=]*$/;
const AUTHORITY_PASSWORD = /^([a-z+]+:\/\/[^:/?#@]*):[^/?#]*@/i;
const MASKED = /[:=]\*\*\*(?:[@&_/]|$)/;

type Settings = Readonly<Record<string, unknown>>;

/** Whether this value of a setting is sealed. */
export function isSecretSetting(name: string, value: unknown): boolean {
  if (typeof value !== "string") return false;
  const secret = secretIn(name);
  return secret === "whole" || (secret === "in-url" && !PLAIN_URL.test(value));
}

export function maskSettings<T extends Settings>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, maskSetting(name, value)])) as T;
}

export function maskSetting(name: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const secret = secretIn(name);
  if (secret === "whole") return value === "" ? value : MASK;
  return secret === "in-url" ? maskSource(value) : value;
}

/** A source without its password. */
export function maskSource(source: string): string {
  return redactText(source.replace(AUTHORITY_PASSWORD, `$1:${MASK}@`));
}

/** It holds a mask where a secret belongs. */
export function isMaskedSetting(name: string, value: unknown): boolean {
  if (typeof value !== "string") return false;
  const secret = secretIn(name);
  return secret === "whole" ? value === MASK : secret === "in-url" && MASKED.test(value);
}

function secretIn(name: string) {
  return Object.hasOwn(SETTING_FACTS, name) ? settingFacts(name as SettingName).secret : undefined;
}
