/**
 * Wall-clock readings of an IANA time zone and instants, both ways. A reading that a zone shows twice (the hour that
 * summer time gives back) means the earlier instant; one that it never shows means what the clock would have shown
 * without the jump.
 */
const MS_PER_DAY = 86_400_000;
const MS_PER_SEC = 1_000;

export interface ZoneClock {
  /** Seconds east of UTC at this instant. */
  offsetSecAt(epochMs: number): number;
  /** `readingMs` is the wall clock read as if it were UTC; whole seconds count. */
  toEpochMs(readingMs: number): number;
}

/** Throws RangeError for a name that is no IANA zone. */
export function zoneClock(timeZone: string): ZoneClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (format.resolvedOptions().timeZone === "UTC") return { offsetSecAt: () => 0, toEpochMs: (readingMs) => readingMs };
  const offsetMsAt = (epochMs: number): number => {
    const wholeMs = Math.floor(epochMs / MS_PER_SEC) * MS_PER_SEC;
    return readingMsOf(format.formatToParts(wholeMs)) - wholeMs;
  };
  return {
    offsetSecAt: (epochMs) => offsetMsAt(epochMs) / MS_PER_SEC,
    toEpochMs: (readingMs) => {
      const before = offsetMsAt(readingMs - MS_PER_DAY);
      const after = offsetMsAt(readingMs + MS_PER_DAY);
      const candidates = [readingMs - before, readingMs - after].sort((a, b) => a - b);
      return candidates.find((epochMs) => offsetMsAt(epochMs) === readingMs - epochMs) ?? readingMs - before;
    },
  };
}

function readingMsOf(parts: readonly Intl.DateTimeFormatPart[]): number {
  const number = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((part) => part.type === type)?.value ?? 0);
  const isBeforeChrist = parts.some((part) => part.type === "era" && part.value.startsWith("B"));
  const year = isBeforeChrist ? 1 - number("year") : number("year");
  const reading = new Date(0);
  reading.setUTCFullYear(year, number("month") - 1, number("day"));
  reading.setUTCHours(number("hour"), number("minute"), number("second"));
  return reading.getTime();
}
