/** A month of days; those with footage can be chosen. */
import { useState } from "react";

import { useDays } from "./queries.js";
import { strings } from "./strings.js";
import { length, monthName, timeZone } from "./words.js";

interface CalendarProps {
  readonly path: string;
  readonly shownMs: number;
  /** The first instant of the day in the viewer's zone. */
  readonly onDay: (startMs: number) => void;
}

export function Calendar({ path, shownMs, onDay }: CalendarProps) {
  const shown = new Date(shownMs);
  const [turned, setTurned] = useState(0);
  const first = new Date(shown.getFullYear(), shown.getMonth() + turned, 1);
  const month = `${String(first.getFullYear())}-${twoDigits(first.getMonth() + 1)}`;
  const { data } = useDays(path, month, timeZone());
  const footage = new Map(data?.days.map(({ date, footageSec }) => [date, footageSec]));
  return (
    <section className="calendar" aria-label={strings.calendar.label}>
      <div className="calendar-head">
        <button className="icon" aria-label={strings.calendar.previous} onClick={() => setTurned(turned - 1)}>
          ‹
        </button>
        <h2>{monthName(first)}</h2>
        <button className="icon" aria-label={strings.calendar.next} onClick={() => setTurned(turned + 1)}>
          ›
        </button>
      </div>
      <div className="days">
        {strings.calendar.weekdays.map((name) => (
          <span key={name} className="quiet" aria-hidden="true">
            {name}
          </span>
        ))}
        {daysOf(first).map((date) => {
          const seconds = footage.get(dateOf(date));
          const isShown = dateOf(date) === dateOf(shown);
          const words = seconds === undefined ? strings.calendar.noFootage : strings.calendar.footage(length(seconds));
          return (
            <button
              key={date.getDate()}
              style={date.getDate() === 1 ? { gridColumnStart: weekdayOf(date) } : {}}
              disabled={seconds === undefined}
              aria-current={isShown ? "date" : undefined}
              aria-label={`${String(date.getDate())}. ${monthName(first)}, ${words}`}
              title={words}
              onClick={() => onDay(date.getTime())}
            >
              {date.getDate()}
            </button>
          );
        })}
      </div>
    </section>
  );
}

const twoDigits = (number: number): string => String(number).padStart(2, "0");

function dateOf(date: Date): string {
  return `${String(date.getFullYear())}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
}

/** 1 for Monday. */
const weekdayOf = (date: Date): number => ((date.getDay() + 6) % 7) + 1;

function daysOf(first: Date): Date[] {
  const count = new Date(first.getFullYear(), first.getMonth() + 1, 0).getDate();
  return Array.from({ length: count }, (_, index) => new Date(first.getFullYear(), first.getMonth(), index + 1));
}
