/** Spans of a timeline with their instants as numbers, and which of them lies where. */
import type { GapCause, Span, TimelineEvent, Where } from "./api-types.js";

export type DrawnSpan = { readonly fromMs: number; readonly toMs: number } & (
  { readonly kind: "footage"; readonly where: Where } | { readonly kind: "gap"; readonly cause: GapCause }
);

export function drawnSpans(spans: readonly Span[]): DrawnSpan[] {
  return spans.map((span) => {
    const range = { fromMs: Date.parse(span.from), toMs: Date.parse(span.to) };
    return span.kind === "footage"
      ? { ...range, kind: span.kind, where: span.where }
      : { ...range, kind: span.kind, cause: span.cause };
  });
}

export interface DrawnEvent {
  readonly atMs: number;
  readonly kind: TimelineEvent["kind"];
}

export function drawnEvents(events: readonly TimelineEvent[]): DrawnEvent[] {
  return events.map(({ at, kind }) => ({ atMs: Date.parse(at), kind }));
}

/** Index of the first span that ends after the instant: spans are in order and do not overlap. */
export function firstEndingAfter(spans: readonly DrawnSpan[], atMs: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const span = spans[middle];
    if (span !== undefined && span.toMs <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function spanAt(spans: readonly DrawnSpan[], atMs: number): DrawnSpan | undefined {
  const span = spans[firstEndingAfter(spans, atMs)];
  return span !== undefined && span.fromMs <= atMs ? span : undefined;
}

/** The instant itself where there is footage, else the start of the next footage; undefined when none follows. */
export function nextFootageMs(spans: readonly DrawnSpan[], atMs: number): number | undefined {
  for (let index = firstEndingAfter(spans, atMs); index < spans.length; index += 1) {
    const span = spans[index];
    if (span?.kind === "footage") return Math.max(atMs, span.fromMs);
  }
  return undefined;
}
