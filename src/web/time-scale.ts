/** Time ↔ pixels. A view is a half-open range [fromMs, toMs) of the wall clock over a width in pixels. */
export interface TimeView {
  readonly fromMs: number;
  readonly toMs: number;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
const SHORTEST_VIEW_MS = MINUTE_MS;
const LONGEST_VIEW_MS = DAY_MS;

export const lengthMs = ({ fromMs, toMs }: TimeView): number => toMs - fromMs;

export function pxOf(view: TimeView, widthPx: number, atMs: number): number {
  return ((atMs - view.fromMs) / lengthMs(view)) * widthPx;
}

export function msOf(view: TimeView, widthPx: number, px: number): number {
  return view.fromMs + (px / Math.max(1, widthPx)) * lengthMs(view);
}

/** What stands at `aboutMs` stays where it is on the screen; factor < 1 shows less time. */
export function zoomAbout(view: TimeView, factor: number, aboutMs: number): TimeView {
  const wantedMs = lengthMs(view) * factor;
  const newMs = Math.min(LONGEST_VIEW_MS, Math.max(SHORTEST_VIEW_MS, wantedMs));
  const share = (aboutMs - view.fromMs) / lengthMs(view);
  const fromMs = aboutMs - share * newMs;
  return { fromMs, toMs: fromMs + newMs };
}

export function panBy(view: TimeView, ms: number): TimeView {
  return { fromMs: view.fromMs + ms, toMs: view.toMs + ms };
}

export function viewAbout(atMs: number, viewMs: number): TimeView {
  const length = Math.min(LONGEST_VIEW_MS, Math.max(SHORTEST_VIEW_MS, viewMs));
  return { fromMs: atMs - length / 2, toMs: atMs + length / 2 };
}

/** The same view while the instant is in its middle part, else moved so that the instant is a fifth from its start. */
export function follow(view: TimeView, atMs: number): TimeView {
  const margin = lengthMs(view) / 20;
  if (atMs >= view.fromMs + margin && atMs <= view.toMs - margin) return view;
  return panBy(view, atMs - (view.fromMs + lengthMs(view) / 5));
}

/** Of whole blocks of six hours around the view, so that panning does not ask anew each time. */
export function loadedRange(view: TimeView): TimeView {
  const block = 6 * HOUR_MS;
  return { fromMs: Math.floor(view.fromMs / block) * block, toMs: Math.ceil(view.toMs / block) * block };
}
