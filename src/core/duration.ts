/**
 * MediaMTX's duration values: Go durations with days (`1d12h`, `90m`, `4s`, `500ms`), see `internal/conf/duration.go`.
 * MediaMTX answers `""` for zero and writes 24 h as `1d`; both are read.
 */
import { AppError } from "./errors.js";

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
const WHOLE = /^(?:\d+(?:\.\d+)?(?:d|h|ms|m|s))+$/;
const PART = /(\d+(?:\.\d+)?)(d|h|ms|m|s)/g;

/** Milliseconds of a duration such as `24h`, `1d`, `4s`, `0s` or `0`. Throws `invalid-argument`. */
export function parseDurationMs(text: string, field = "duration"): number {
  if (text === "" || text === "0") return 0;
  if (!WHOLE.test(text)) {
    throw new AppError({
      kind: "invalid-argument",
      message: `${field}: "${text.slice(0, 40)}" is not a duration, expected for example 4s, 30m, 24h or 7d`,
      fields: [{ field, message: "expected a duration such as 4s, 30m, 24h or 7d" }],
    });
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(PART)) totalMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  return Math.round(totalMs);
}

export function isDuration(text: string): boolean {
  return text === "" || text === "0" || WHOLE.test(text);
}
