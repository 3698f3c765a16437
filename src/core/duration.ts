/**
 * MediaMTX's duration values: Go durations with days (`1d12h`, `90m`, `4s`, `500ms`), see `internal/conf/duration.go`.
 * MediaMTX answers `""` for zero and writes 24 h as `1d`; both are read.
 */
import { AppError } from "./errors.js";

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};
/** Days are whole and come first, or MediaMTX refuses its whole configuration. */
const WHOLE = /^(?=\d)(?:\d+d)?(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))*$/;
const PART = /(\d+(?:\.\d+)?)(d|h|ms|m|s|us|µs|ns)/g;
/** Go counts nanoseconds in 63 bits. */
const MOST_MS = 9_223_372_036_854;

/** Milliseconds of a duration such as `24h`, `1d`, `4s`, `0s` or `0`. Throws `invalid-argument`. */
export function parseDurationMs(text: string, field = "duration"): number {
  const ms = durationMs(text);
  if (ms === undefined) {
    throw new AppError({
      kind: "invalid-argument",
      message: `${field}: "${text.slice(0, 40)}" is not a duration, expected for example 4s, 30m, 24h or 7d`,
      fields: [{ field, message: "expected a duration such as 4s, 30m, 24h or 7d" }],
    });
  }
  return ms;
}

/** For people: `2d`, `1h30m`, `45s`; the two largest units. */
export function formatDurationMs(ms: number): string {
  let restMs = Math.round(ms);
  const parts: string[] = [];
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const unitMs = UNIT_MS[unit] ?? 1;
    const amount = Math.floor(restMs / unitMs);
    restMs -= amount * unitMs;
    if (amount > 0) parts.push(`${String(amount)}${unit}`);
  }
  return parts.slice(0, 2).join("") || "0s";
}

export function isDuration(text: string): boolean {
  return durationMs(text) !== undefined;
}

function durationMs(text: string): number | undefined {
  if (text === "" || text === "0") return 0;
  if (!WHOLE.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(PART)) totalMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  return totalMs <= MOST_MS ? Math.round(totalMs) : undefined;
}
