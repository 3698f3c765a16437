/** How much of the timeline is shown. */
import { useState } from "react";

import { nowMs } from "./clock.js";
import { follow, type TimeView, viewAbout, zoomAbout } from "./time-scale.js";

export interface ViewState {
  readonly view: TimeView;
  readonly setView: (change: (view: TimeView) => TimeView) => void;
  /** About the playhead where it is seen, else about the middle. */
  readonly zoomBy: (factor: number, playheadMs: number | undefined) => void;
  readonly zoomTo: (viewMs: number, playheadMs: number | undefined) => void;
  /** Brings a jump into view; what only plays on does so where it was seen, so that one may look elsewhere meanwhile. */
  readonly onMoved: (atMs: number, how: "jump" | "play") => void;
}

export function useView(atMs: number | undefined, zoomMs: number): ViewState {
  const [view, setView] = useState(() => viewAbout(atMs ?? nowMs(), zoomMs));
  return {
    view,
    setView,
    zoomBy: (factor, playheadMs) => setView((shown) => zoomAbout(shown, factor, middleOf(shown, playheadMs))),
    zoomTo: (viewMs, playheadMs) => setView((shown) => viewAbout(playheadMs ?? middleOf(shown, undefined), viewMs)),
    onMoved: (toMs, how) => {
      setView((shown) => (how === "jump" || isSeen(shown, toMs) ? follow(shown, toMs) : shown));
    },
  };
}

const isSeen = ({ fromMs, toMs }: TimeView, atMs: number): boolean => atMs >= fromMs && atMs <= toMs;

function middleOf(view: TimeView, playheadMs: number | undefined): number {
  return playheadMs !== undefined && isSeen(view, playheadMs) ? playheadMs : (view.fromMs + view.toMs) / 2;
}
