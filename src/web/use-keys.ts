/** The keys of the day view. A key that is typed into a field, or pressed with Ctrl, Alt or Meta, is not meant for it. */
import { useEffect, useRef } from "react";

import type { MarksState } from "./use-marks.js";
import type { Playback } from "./use-playback.js";
import type { ViewState } from "./use-view.js";

const SECOND_MS = 1_000;
const ZOOM = 1.5;

export interface KeyActions {
  readonly playback: Playback;
  readonly marks: MarksState;
  readonly view: ViewState;
  readonly frameSec: number;
  readonly onClip: () => void;
  readonly onNextPath: (step: 1 | -1) => void;
  /** To the next beginning of footage or event, or the one before. */
  readonly onStop: (step: 1 | -1) => void;
  readonly onGoTo: () => void;
  readonly onHelp: () => void;
}

export function useKeys(actions: KeyActions): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const listening = new AbortController();
    window.addEventListener(
      "keydown",
      (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey || isTyped(event)) return;
        const act = actionOf(event, latest.current);
        if (act === undefined) return;
        event.preventDefault();
        act();
      },
      { signal: listening.signal },
    );
    return () => listening.abort();
  }, []);
}

/** Space and Enter on a button are the button's; everything in a dialogue is the dialogue's. */
function isTyped({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select, [role=dialog]") !== null) return true;
  return (key === " " || key === "Enter") && target.closest("button, a") !== null;
}

function actionOf({ key, shiftKey }: KeyboardEvent, actions: KeyActions): (() => void) | undefined {
  const { playback, marks, view, frameSec, onClip, onNextPath, onStop, onGoTo, onHelp } = actions;
  const { playheadMs } = playback;
  const seekBy = (sec: number) => () => playback.seekBy(sec * SECOND_MS);
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case " ":
    case "k":
      return () => playback.setPlaying(!playback.isPlaying);
    case "j":
      return () => playback.changeSpeed(-1);
    case "l":
      return () => playback.changeSpeed(1);
    case "ArrowLeft":
      return seekBy(shiftKey ? -60 : -5);
    case "ArrowRight":
      return seekBy(shiftKey ? 60 : 5);
    case ",":
      return () => playback.stepFrame(-frameSec);
    case ".":
      return () => playback.stepFrame(frameSec);
    case "ArrowUp":
      return () => onNextPath(-1);
    case "ArrowDown":
      return () => onNextPath(1);
    case "+":
    case "=":
      return () => view.zoomBy(1 / ZOOM, playheadMs);
    case "-":
      return () => view.zoomBy(ZOOM, playheadMs);
    case "i":
      return () => marks.mark("inMs", playheadMs);
    case "o":
      return () => marks.mark("outMs", playheadMs);
    case "d":
      return onClip;
    case "g":
      return onGoTo;
    case "n":
      return () => onStop(1);
    case "p":
      return () => onStop(-1);
    case "End":
      return () => playback.goLive();
    case "h":
    case "?":
      return onHelp;
    default:
      return undefined;
  }
}
