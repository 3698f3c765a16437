/** The days of a month as a time zone has them: of 23, 24 or 25 hours, or of any other length that a zone ever had. */
import { AppError } from "./errors.js";
import { US_PER_MS } from "./instant.js";
import { zoneClock } from "./zone-clock.js";

export interface CalendarDay {
  /** YYYY-MM-DD */
  readonly date: string;
  readonly fromUs: number;
  readonly toUs: number;
}

const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;
/** Names only: an offset is no zone, and Intl takes some. */
const ZONE = /^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/;
const FIRST_YEAR = 1970;

export function isMonth(text: string): boolean {
  return MONTH.test(text) && Number(text.slice(0, 4)) >= FIRST_YEAR;
}

export function isTimeZone(text: string): boolean {
  if (!ZONE.test(text)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** `month` is YYYY-MM, `zone` an IANA name. A date that the zone skipped has no length. */
export function daysOfMonth(month: string, zone: string): CalendarDay[] {
  if (!isMonth(month) || !isTimeZone(zone)) {
    throw new AppError({ kind: "invalid-argument", message: `days of ${month} in ${zone}: no such month or zone` });
  }
  const [year, number] = month.split("-").map(Number) as [number, number];
  const clock = zoneClock(zone);
  const midnightUs = (day: number): number => clock.toEpochMs(Date.UTC(year, number - 1, day)) * US_PER_MS;
  const count = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length: count }, (_, index) => ({
    date: `${month}-${String(index + 1).padStart(2, "0")}`,
    fromUs: midnightUs(index + 1),
    toUs: midnightUs(index + 2),
  }));
}
