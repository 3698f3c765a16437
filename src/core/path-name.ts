/**
 * A MediaMTX path name. The rule is MediaMTX's own since 1.17.1 (`internal/conf/path.go`, commit 7418e510):
 * letters, digits, `_ - / .`, no leading or trailing slash, no `.` or `..` and no empty segment.
 */
import { AppError } from "./errors.js";

declare const brand: unique symbol;
export type PathName = string & { readonly [brand]: "PathName" };

const ALLOWED = /^[0-9a-zA-Z_\-/.]+$/;
/** Longer names cannot become an object key of at most 1024 bytes together with prefix, date and file. */
export const MAX_PATH_NAME_LENGTH = 200;

export function isPathName(text: string): text is PathName {
  return whyNotPathName(text) === undefined;
}

/** Throws `invalid-argument` that names the rule which the text breaks. */
export function parsePathName(text: string, field = "name"): PathName {
  if (isPathName(text)) return text;
  const reason = whyNotPathName(text) ?? "";
  throw new AppError({
    kind: "invalid-argument",
    message: `${field}: "${text.slice(0, 80)}" is not a MediaMTX path name: ${reason}`,
    fields: [{ field, message: reason }],
  });
}

export function whyNotPathName(text: string): string | undefined {
  if (text === "") return "must not be empty";
  if (text.length > MAX_PATH_NAME_LENGTH) return `must not be longer than ${String(MAX_PATH_NAME_LENGTH)} characters`;
  if (!ALLOWED.test(text)) return "may hold only letters, digits and the characters _ - / .";
  if (text.startsWith("/") || text.endsWith("/")) return "must not begin or end with a slash";
  const segments = text.split("/");
  if (segments.some((segment) => segment === "")) return "must not hold an empty part (//)";
  if (segments.some((segment) => segment === "." || segment === "..")) return "must not hold the parts . or ..";
  return undefined;
}
