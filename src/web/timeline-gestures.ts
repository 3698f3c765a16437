/** What fingers, mouse and wheel do to the timeline. Where a finger is, what it holds is told, as of a mouse that hovers. */
import { type RefObject, useEffect, useRef } from "react";

import { hit } from "./draw-timeline.js";
import { lengthMs, msOf, panBy, type TimeView, zoomAbout } from "./time-scale.js";
import type { Hover, TimelineProps } from "./timeline-props.js";

interface Gestures extends Pick<TimelineProps, "view" | "onView" | "onSeek" | "onMarks"> {
  readonly widthPx: number;
  readonly onHover: (hover: Hover | undefined) => void;
}

interface Drag {
  readonly startPx: number;
  readonly row: number | undefined;
  readonly view: TimeView;
  /** A finger that rests scrubs from then on: the timeline stays, and its instant is sought when it is lifted. */
  mode: "pan" | "mark" | "scrub";
  hasMoved: boolean;
}

const CLICK_PX = 4;
const HOLD_MS = 300;

/** Pointers that are down, and what they began with. */
class Pointers {
  readonly down = new Map<number, number>();
  drag: Drag | undefined;
  pinch: { readonly distancePx: number; readonly view: TimeView } | undefined;
  /** Until a finger that rests scrubs. */
  hold: ReturnType<typeof setTimeout> | undefined;

  /** The last of them is gone, whatever it did. */
  clear(): void {
    clearTimeout(this.hold);
    this.drag = undefined;
    this.pinch = undefined;
  }

  distancePx(): number {
    const [a = 0, b = 0] = [...this.down.values()];
    return Math.max(1, Math.abs(a - b));
  }

  middlePx(): number {
    const [a = 0, b = 0] = [...this.down.values()];
    return (a + b) / 2;
  }
}

export function useTimelineGestures(canvas: RefObject<HTMLCanvasElement | null>, gestures: Gestures): void {
  const latest = useRef(gestures);
  useEffect(() => {
    latest.current = gestures;
  });
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const listening = new AbortController();
    const { signal } = listening;
    const pointers = new Pointers();
    const place = (event: MouseEvent): number => event.clientX - element.getBoundingClientRect().left;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const { widthPx, onView } = latest.current;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const px = event.deltaX === 0 ? event.deltaY : event.deltaX;
        onView((view) => panBy(view, (px / Math.max(1, widthPx)) * lengthMs(view)));
      } else onView((view) => zoomAbout(view, 1.0015 ** event.deltaY, msOf(view, widthPx, place(event))));
    };
    element.addEventListener("wheel", wheel, { signal, passive: false });
    const at = (event: PointerEvent): At => ({ event, px: place(event), topPx: event.offsetY });
    const listen = (type: PointerEventType, react: (at: At) => void): void =>
      element.addEventListener(type, (event) => react(at(event)), { signal });
    listen("pointerdown", (down) => {
      element.setPointerCapture(down.event.pointerId);
      begin(pointers, latest, down);
    });
    listen("pointermove", (moved) => move(pointers, latest.current, moved));
    listen("pointerup", (up) => end(pointers, latest.current, up));
    listen("pointercancel", (gone) => cancel(pointers, latest.current, gone));
    listen("pointerleave", () => latest.current.onHover(undefined));
    // Whoever scrubs neither scrolls the page nor asks for a menu.
    for (const type of ["touchmove", "contextmenu"] as const) {
      const refuse = (event: Event): void => {
        if (pointers.drag?.mode === "scrub" && event.cancelable) event.preventDefault();
      };
      element.addEventListener(type, refuse, { signal, passive: false });
    }
    return () => {
      listening.abort();
      pointers.clear();
    };
  }, [canvas]);
}

type PointerEventType = "pointerdown" | "pointermove" | "pointerup" | "pointercancel" | "pointerleave";

interface At {
  readonly event: PointerEvent;
  readonly px: number;
  readonly topPx: number;
}

function begin(pointers: Pointers, latest: RefObject<Gestures>, { event, px, topPx }: At): void {
  const { view, onHover } = latest.current;
  pointers.clear();
  pointers.down.set(event.pointerId, px);
  const { row } = hit(latest.current, px, topPx);
  const drag: Drag = { startPx: px, row, view, mode: event.shiftKey ? "mark" : "pan", hasMoved: false };
  pointers.drag = drag;
  if (pointers.down.size === 2) pointers.pinch = { distancePx: pointers.distancePx(), view };
  if (event.pointerType === "mouse") return;
  onHover(undefined);
  if (pointers.down.size > 1) return;
  pointers.hold = setTimeout(() => {
    drag.mode = "scrub";
    scrub(drag, latest.current, pointers.down.get(event.pointerId) ?? px);
  }, HOLD_MS);
}

function move(pointers: Pointers, gestures: Gestures, { event, px, topPx }: At): void {
  const { widthPx, onView, onHover } = gestures;
  if (event.pointerType === "mouse" && pointers.down.size === 0) onHover({ px, ...hit(gestures, px, topPx) });
  if (!pointers.down.has(event.pointerId)) return;
  pointers.down.set(event.pointerId, px);
  const { pinch, drag } = pointers;
  if (pinch !== undefined && pointers.down.size === 2) {
    if (drag !== undefined) drag.hasMoved = true;
    const factor = pinch.distancePx / pointers.distancePx();
    onView(() => zoomAbout(pinch.view, factor, msOf(pinch.view, widthPx, pointers.middlePx())));
    return;
  }
  if (drag?.mode === "scrub") scrub(drag, gestures, px);
  if (drag === undefined || drag.mode === "scrub") return;
  if (Math.abs(px - drag.startPx) < CLICK_PX && !drag.hasMoved) return;
  clearTimeout(pointers.hold);
  drag.hasMoved = true;
  if (drag.mode === "mark") mark(drag, gestures, px);
  else pan(drag, gestures, { event, px });
}

function scrub({ row }: Drag, { view, widthPx, onHover }: Gestures, px: number): void {
  const atPx = within(px, widthPx);
  onHover({ px: atPx, atMs: msOf(view, widthPx, atPx), row });
}

function mark({ startPx }: Drag, { view, widthPx, onMarks, onHover }: Gestures, px: number): void {
  onHover(undefined);
  const [a, b] = [msOf(view, widthPx, startPx), msOf(view, widthPx, px)];
  onMarks({ inMs: Math.min(a, b), outMs: Math.max(a, b) });
}

/** What is held stays under the finger, and is told there; a mouse tells it when it only moves. */
function pan(
  { startPx, view, row }: Drag,
  { widthPx, onView, onHover }: Gestures,
  { event, px }: Omit<At, "topPx">,
): void {
  onHover(event.pointerType === "mouse" ? undefined : { px, atMs: msOf(view, widthPx, startPx), row });
  onView(() => panBy(view, ((startPx - px) / Math.max(1, widthPx)) * lengthMs(view)));
}

function end(pointers: Pointers, gestures: Gestures, { event, px }: At): void {
  const { view, widthPx, onSeek, onHover } = gestures;
  pointers.down.delete(event.pointerId);
  const { drag } = pointers;
  pointers.clear();
  if (event.pointerType !== "mouse") onHover(undefined);
  const [rest] = pointers.down.values();
  // The finger that is left of a pinch goes on from where the pinch has led.
  if (rest !== undefined) pointers.drag = { startPx: rest, row: undefined, view, mode: "pan", hasMoved: true };
  else if (drag !== undefined && (!drag.hasMoved || drag.mode === "scrub")) {
    onSeek(msOf(view, widthPx, within(px, widthPx)));
  }
}

/** The browser has taken it for scrolling. */
function cancel(pointers: Pointers, { onHover }: Gestures, { event }: At): void {
  pointers.down.delete(event.pointerId);
  pointers.clear();
  onHover(undefined);
}

function within(px: number, widthPx: number): number {
  return Math.min(Math.max(0, px), widthPx);
}
