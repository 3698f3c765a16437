/** Below the controls: how much time is shown, and the range that becomes a clip. */
import { type Ref } from "react";

import { ClipButton, type ClipHandle } from "./clip-button.js";
import { ExportButtons } from "./export-buttons.js";
import type { Marks } from "./marks.js";
import { hasRole, useMe } from "./me.js";
import { isoOf } from "./request.js";
import { strings } from "./strings.js";
import { lengthMs } from "./time-scale.js";
import type { MarksState } from "./use-marks.js";
import { placeHref } from "./place.js";
import type { ViewState } from "./use-view.js";

interface ClipBarProps {
  readonly path: string;
  readonly marks: MarksState;
  readonly view: ViewState;
  readonly playheadMs: number | undefined;
  readonly onZoom: (viewMs: number) => void;
  readonly onSay: (text: string) => void;
  readonly clip: Ref<ClipHandle>;
  readonly onExports: () => void;
}

export function ClipBar({ path, marks, view, playheadMs, onZoom, onSay, clip, onExports }: ClipBarProps) {
  return (
    <div className="controls">
      <Zooms viewMs={lengthMs(view.view)} onZoom={onZoom} />
      <div className="line">
        <MarkButtons {...{ marks, playheadMs }} />
        <ShareLink path={path} marks={marks.marks} />
        <ClipButton {...{ path, marks: marks.marks, onSay, handle: clip }} />
        <ExportButtons {...{ path, marks: marks.marks, onSay, onOpen: onExports }} />
      </div>
    </div>
  );
}

/** What is marked, for outsiders; for those who may give it. */
function ShareLink({ path, marks: { inMs, outMs } }: { readonly path: string; readonly marks: Marks }) {
  if (!hasRole(useMe(), "operator") || inMs === undefined || outMs === undefined) return null;
  return (
    <a id="share" href={placeHref("shares", { path, from: isoOf(inMs), to: isoOf(outMs) })}>
      {strings.player.share}
    </a>
  );
}

function Zooms({ viewMs, onZoom }: { readonly viewMs: number; readonly onZoom: (viewMs: number) => void }) {
  return (
    <div className="line zooms" role="group" aria-label={strings.player.zoom}>
      {strings.zooms.map(([sec, label]) => (
        <button
          key={sec}
          className="chip"
          aria-pressed={Math.abs(viewMs - sec * 1_000) < 1_000}
          onClick={() => onZoom(sec * 1_000)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

interface MarkButtonsProps {
  readonly marks: MarksState;
  readonly playheadMs: number | undefined;
}

function MarkButtons({ marks: { marks, mark, clear }, playheadMs }: MarkButtonsProps) {
  const words = strings.player;
  return (
    <>
      <button
        className="chip"
        title="I"
        onClick={() => mark("inMs", playheadMs)}
        aria-pressed={marks.inMs !== undefined}
      >
        {words.markIn}
      </button>
      <button
        className="chip"
        title="O"
        onClick={() => mark("outMs", playheadMs)}
        aria-pressed={marks.outMs !== undefined}
      >
        {words.markOut}
      </button>
      {(marks.inMs !== undefined || marks.outMs !== undefined) && (
        <button className="link" onClick={clear}>
          {words.clear}
        </button>
      )}
    </>
  );
}
