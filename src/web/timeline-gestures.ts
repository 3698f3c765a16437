/** What fingers, mouse and wheel do to the timeline. */
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
  readonly view: TimeView;
  readonly isMarking: boolean;
  hasMoved: boolean;
}

const CLICK_PX = 4;

/** Pointers that are down, and what they began with. */
class Pointers {
  readonly down = new Map<number, number>();
  drag: Drag | undefined;
  pinch: { readonly distancePx: number; readonly view: TimeView } | undefined;

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
    element.addEventListener(
      "pointerdown",
      (event) => {
        element.setPointerCapture(event.pointerId);
        begin(pointers, latest.current, { event, px: place(event) });
      },
      { signal },
    );
    element.addEventListener(
      "pointermove",
      (event) => move(pointers, latest.current, { event, px: place(event), topPx: event.offsetY }),
      { signal },
    );
    element.addEventListener("pointerup", (event) => end(pointers, latest.current, { event, px: place(event) }), {
      signal,
    });
    element.addEventListener("pointercancel", ({ pointerId }) => pointers.down.delete(pointerId), { signal });
    element.addEventListener("pointerleave", () => latest.current.onHover(undefined), { signal });
    return () => listening.abort();
  }, [canvas]);
}

interface At {
  readonly event: PointerEvent;
  readonly px: number;
}

function begin(pointers: Pointers, { view }: Gestures, { event, px }: At): void {
  pointers.down.set(event.pointerId, px);
  pointers.drag = { startPx: px, view, isMarking: event.shiftKey, hasMoved: false };
  pointers.pinch = pointers.down.size === 2 ? { distancePx: pointers.distancePx(), view } : undefined;
}

function move(pointers: Pointers, gestures: Gestures, { event, px, topPx }: At & { readonly topPx: number }): void {
  const { widthPx, view, onView, onMarks, onHover } = gestures;
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
  if (drag === undefined || (Math.abs(px - drag.startPx) < CLICK_PX && !drag.hasMoved)) return;
  drag.hasMoved = true;
  onHover(undefined);
  if (drag.isMarking) {
    const [a, b] = [msOf(view, widthPx, drag.startPx), msOf(view, widthPx, px)];
    onMarks({ inMs: Math.min(a, b), outMs: Math.max(a, b) });
  } else onView(() => panBy(drag.view, ((drag.startPx - px) / Math.max(1, widthPx)) * lengthMs(drag.view)));
}

function end(pointers: Pointers, { view, widthPx, onSeek }: Gestures, { event, px }: At): void {
  pointers.down.delete(event.pointerId);
  const { drag } = pointers;
  if (pointers.down.size > 0) return;
  pointers.drag = undefined;
  pointers.pinch = undefined;
  if (drag !== undefined && !drag.hasMoved) onSeek(msOf(view, widthPx, px));
}
