/** A shape and its words. Each kind has a shape of its own: nothing hangs on colour alone. */
import type { Marked, MarkKind } from "./words.js";

const SHAPES: Readonly<Record<MarkKind, string>> = {
  live: "M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8",
  disk: "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3m0 1.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  moving: "M8 2l5 5.5H9.5V14h-3V7.5H3z",
  good: "M13.6 4.6l-7.1 7.9-4.1-3.9 1.2-1.3 2.8 2.6 5.9-6.5z",
  store: "M4.5 13a3.5 3.5 0 0 1-.4-7 4 4 0 0 1 7.7.9A3 3 0 0 1 11.5 13z",
  gap: "M1 7h5v2H1zm9 0h5v2h-5z",
  warn: "M8 1.5L15 14H1zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z",
  bad: "M3.6 2.4L8 6.8l4.4-4.4 1.2 1.2L9.2 8l4.4 4.4-1.2 1.2L8 9.2l-4.4 4.4-1.2-1.2L6.8 8 2.4 3.6z",
  gone: "M3 7.2h10v1.6H3z",
};

export function Mark({ mark: { kind, text }, id }: { readonly mark: Marked; readonly id?: string }) {
  return (
    <p className="mark" data-kind={kind} id={id}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[kind]} />
      </svg>
      <span>{text}</span>
    </p>
  );
}
