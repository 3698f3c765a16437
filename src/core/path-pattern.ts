/**
 * What a grant names: one path (`cam1`), everything below a prefix (`site-a/*`), or every path (`*`). A pattern is never
 * a regular expression: MediaMTX's are unanchored, and a grant that opens more than it shows is a hole.
 */
import { AppError } from "./errors.js";
import { type PathName, whyNotPathName } from "./path-name.js";

declare const brand: unique symbol;
export type PathPattern = string & { readonly [brand]: "PathPattern" };

export const EVERY_PATH = "*" as PathPattern;

export function isPathPattern(text: string): text is PathPattern {
  return whyNotPathPattern(text) === undefined;
}

export function whyNotPathPattern(text: string): string | undefined {
  if (text === EVERY_PATH) return undefined;
  const reason = whyNotPathName(prefixOf(text) ?? text);
  return reason === undefined ? undefined : `${reason}; a pattern is a path, a prefix with /* behind it, or * alone`;
}

/** Throws `invalid-argument` that names the rule which the text breaks. */
export function parsePathPattern(text: string, field = "pattern"): PathPattern {
  if (isPathPattern(text)) return text;
  const reason = whyNotPathPattern(text) ?? "";
  throw new AppError({
    kind: "invalid-argument",
    message: `${field}: "${text.slice(0, 80)}" is not a path or a pattern of paths: ${reason}`,
    fields: [{ field, message: reason }],
  });
}

/** Letters count as they are: MediaMTX's names are case-sensitive. */
export function matchesPattern(pattern: PathPattern, path: PathName): boolean {
  if (pattern === EVERY_PATH) return true;
  const prefix = prefixOf(pattern);
  return prefix === undefined ? path === (pattern as string) : path.startsWith(`${prefix}/`);
}

/** `site-a` of `site-a/*`; undefined for a pattern without a prefix. */
export function prefixOf(pattern: string): string | undefined {
  return pattern.endsWith("/*") ? pattern.slice(0, -2) : undefined;
}
