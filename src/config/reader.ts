/** Environment variables of each form, checked; each method throws `invalid-argument` that names the variable. */
import path from "node:path";

import { parseDurationMs } from "../core/duration.js";
import { isAppError } from "../core/errors.js";
import { type Env, refuse } from "./env.js";
import type { VariableName } from "./variables.js";

export type Reader = ReturnType<typeof createReader>;

export function createReader(env: Env, cwd: string) {
  const numeric = (name: VariableName, fallback: number, [min, max]: readonly [number, number]): number => {
    const text = env.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < min || value > max) throw refuse(name, text);
    return value;
  };
  const optionalMatching = (name: VariableName, pattern: RegExp): string | null => {
    const text = env.text(name);
    if (text !== undefined && !pattern.test(text)) throw refuse(name, text);
    return text ?? null;
  };
  const dir = (name: VariableName, fallback: string, unsafe = /[\0\r\n]/): string => {
    const text = env.text(name);
    const resolved = path.resolve(cwd, text ?? fallback);
    if (unsafe.test(resolved)) throw refuse(name, text ?? resolved);
    return resolved;
  };
  return {
    text: (name: VariableName) => env.text(name),
    number: numeric,
    integer: (name: VariableName, fallback: number, range: readonly [number, number]): number => {
      const value = numeric(name, fallback, range);
      if (!Number.isSafeInteger(value)) throw refuse(name, String(value));
      return value;
    },
    oneOf: <T extends string>(name: VariableName, fallback: T, values: readonly T[]): T => {
      const text = env.text(name);
      if (text === undefined) return fallback;
      const value = values.find((candidate) => candidate === text);
      if (value === undefined) throw refuse(name, text);
      return value;
    },
    optionalMatching,
    matching: (name: VariableName, fallback: string, pattern: RegExp): string =>
      optionalMatching(name, pattern) ?? fallback,
    dir,
    optionalDir: (name: VariableName): string | null => (env.text(name) === undefined ? null : dir(name, "")),
    durationMs: (name: VariableName, fallback: string, minMs: number): number => {
      const text = env.text(name) ?? fallback;
      try {
        const ms = parseDurationMs(text, name);
        if (ms < minMs) throw refuse(name, text);
        return ms;
      } catch (error) {
        throw isAppError(error, "invalid-argument") ? refuse(name, text) : error;
      }
    },
    url: (name: VariableName, fallback: string | null): string | null => {
      const text = env.text(name);
      if (text === undefined) return fallback;
      if (!/^https?:\/\//.test(text) || !URL.canParse(text) || new URL(text).username !== "") throw refuse(name, text);
      return text.replace(/\/+$/, "");
    },
  };
}

/** Secrets go there: over HTTPS, or no further than this machine. */
export function readSafeUrl(read: Reader, name: VariableName): string | null {
  const url = read.url(name, null);
  if (url?.startsWith("http:") === true && !isLoopbackHost(new URL(url).hostname)) throw refuse(name, url);
  return url;
}

export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
