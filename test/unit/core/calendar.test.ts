import { describe, expect, it } from "vitest";

import { daysOfMonth, isMonth, isTimeZone } from "../../../src/core/calendar.js";

const US_PER_HOUR = 3_600_000_000;

function hoursOf(month: string, zone: string): number[] {
  return daysOfMonth(month, zone).map(({ fromUs, toUs }) => (toUs - fromUs) / US_PER_HOUR);
}

describe("the days of a month", () => {
  it("begin at midnight of the zone and follow one another", () => {
    const days = daysOfMonth("2026-11", "Europe/Berlin");
    expect(days).toHaveLength(30);
    expect(days[0]).toEqual({
      date: "2026-11-01",
      fromUs: Date.UTC(2026, 9, 31, 23) * 1_000,
      toUs: Date.UTC(2026, 10, 1, 23) * 1_000,
    });
    for (const [index, day] of days.slice(1).entries()) expect(day.fromUs).toBe(days[index]!.toUs);
    expect(days.at(-1)!.date).toBe("2026-11-30");
  });

  it.each([
    ["2026-03", "Europe/Berlin", 29, 23],
    ["2026-10", "Europe/Berlin", 25, 25],
    ["2026-04", "Australia/Lord_Howe", 5, 24.5],
    // Midnight itself does not exist there.
    ["2026-09", "America/Santiago", 6, 23],
    ["2026-04", "America/Santiago", 4, 25],
    // A whole date that nobody there lived.
    ["2011-12", "Pacific/Apia", 30, 0],
  ])("of %s in %s: day %d has %d hours, the others 24", (month, zone, day, hours) => {
    const all = hoursOf(month, zone);
    expect(all[day - 1]).toBe(hours);
    expect(all.filter((_, index) => index !== day - 1).every((each) => each === 24)).toBe(true);
  });

  it("are as many as the month has", () => {
    expect(hoursOf("2024-02", "UTC")).toHaveLength(29);
    expect(hoursOf("2025-02", "UTC")).toHaveLength(28);
    expect(hoursOf("2025-12", "Asia/Kathmandu")).toHaveLength(31);
  });

  it("are of no other month or zone than there are", () => {
    for (const month of ["2026-13", "2026-00", "2026-1", "1969-12", "26-01", "2026-01-01", "", "2026-٠١"]) {
      expect(isMonth(month), month).toBe(false);
    }
    for (const zone of ["", "+01:00", "Europe/Nowhere", "../UTC", "Europe/Berlin\0", "__proto__", "a".repeat(65)]) {
      expect(isTimeZone(zone), zone).toBe(false);
    }
    for (const zone of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]) {
      expect(isTimeZone(zone), zone).toBe(true);
    }
    expect(() => daysOfMonth("2026-13", "UTC")).toThrow(expect.objectContaining({ kind: "invalid-argument" }));
  });
});
