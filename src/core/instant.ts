/**
 * Instants are integer microseconds since 1970-01-01T00:00:00Z ("Us" in names): exact in a JavaScript number until
 * the year 2255, and what MediaMTX's `%f` and `mtxi` need at least. Text is RFC 3339.
 */
import { AppError } from "./errors.js";

export const US_PER_MS = 1_000;
export const US_PER_SEC = 1_000_000;
const SEC_PER_DAY = 86_400;

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/** Microseconds of an RFC 3339 date-time; digits beyond the microsecond are cut. Throws `invalid-argument`. */
export function parseRfc3339(text: string, field = "time"): number {
  const match = RFC3339.exec(text);
  const local = `${match?.[1] ?? ""}T${match?.[2] ?? ""}`;
  const millis = Date.parse(`${local}${(match?.[4] ?? "Z").toUpperCase()}`);
  if (!match || Number.isNaN(millis) || !isOnTheCalendar(local)) {
    throw new AppError({
      kind: "invalid-argument",
      message: `${field}: "${text.slice(0, 64)}" is not an RFC 3339 date-time, expected for example 2026-11-20T17:04:43.02294Z`,
      fields: [{ field, message: "expected an RFC 3339 date-time with a zone" }],
    });
  }
  const fractionUs = Number((match[3] ?? "").slice(0, 6).padEnd(6, "0"));
  return millis * US_PER_MS + fractionUs;
}

/** `Date.parse` takes 30 February for 2 March and 24:00 for the next day. */
function isOnTheCalendar(local: string): boolean {
  const millis = Date.parse(`${local}Z`);
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(local);
}

/** 1970 to 2199: whatever duration of ours is added to such an instant, it stays an exact number. */
const PLAUSIBLE_BEFORE_US = Date.UTC(2200, 0, 1) * US_PER_MS;

/**
 * May a file say that it was recorded then? One row with an instant that a number cannot hold would make every list
 * that it is in unreadable.
 */
export function isPlausibleInstant(us: number): boolean {
  return Number.isInteger(us) && us >= 0 && us < PLAUSIBLE_BEFORE_US;
}

/** RFC 3339 in UTC with as many fraction digits as needed, at most six. */
export function formatRfc3339(us: number): string {
  const wholeSec = Math.floor(us / US_PER_SEC);
  const day = Math.floor(wholeSec / SEC_PER_DAY);
  const secOfDay = wholeSec - day * SEC_PER_DAY;
  const hours = Math.floor(secOfDay / 3_600);
  const minutes = Math.floor(secOfDay / 60) % 60;
  const seconds = `${dayText(day)}T${twoDigits(hours)}:${twoDigits(minutes)}:${twoDigits(secOfDay % 60)}`;
  const fractionUs = us - wholeSec * US_PER_SEC;
  if (fractionUs === 0) return `${seconds}Z`;
  return `${seconds}.${String(fractionUs).padStart(6, "0").replace(/0+$/, "")}Z`;
}

/** Lists are of one day or few, and a Date for each instant would take as long as the rest of a list's row. */
let lastDay = { day: Number.NaN, text: "" };

function dayText(day: number): string {
  if (lastDay.day !== day) {
    lastDay = { day, text: new Date(day * SEC_PER_DAY * 1_000).toISOString().slice(0, 10) };
  }
  return lastDay.text;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${String(value)}` : String(value);
}
