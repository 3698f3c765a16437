/** One path, or a wall of them, at a moment: picture, controls, calendar, timeline, and the segments of what is shown. */
import { useEffect, useRef, useState } from "react";

import type { Recording, TimelinePath } from "./api-types.js";
import { Calendar } from "./calendar.js";
import { ClipBar } from "./clip-bar.js";
import type { ClipHandle } from "./clip-button.js";
import { nowMs } from "./clock.js";
import { Controls } from "./controls.js";
import { DayDialogs, type Dialogue } from "./day-dialogs.js";
import { ExportsDialog } from "./exports-dialog.js";
import { HealthNotice } from "./health-notice.js";
import { Legend } from "./legend.js";
import { PlayerTile } from "./player-tile.js";
import { useNewest, usePaths, useTimeline } from "./queries.js";
import { RecordingsView } from "./recordings-view.js";
import { strings } from "./strings.js";
import { DAY_MS, loadedRange, type TimeView } from "./time-scale.js";
import { Timeline } from "./timeline.js";
import { Unplayable } from "./unplayable.js";
import { useAddress } from "./use-address.js";
import { useKeys } from "./use-keys.js";
import { useMarks } from "./use-marks.js";
import { useStops } from "./use-stops.js";
import { type Playback, usePlayback } from "./use-playback.js";
import { useView, type ViewState } from "./use-view.js";
import { shownPaths } from "./words.js";

/** Before the end of the newest footage, so that there is something to see. */
const LAST_SEC = 10;
const LIVE_MS = 12_000;
const USUAL_FRAME_RATE = 25;

export function DayView() {
  const addressed = useAddress();
  const { address, go, note } = addressed;
  const lead = address.paths[0] ?? "";
  const newest = useNewest(lead).data;
  const view = useView(address.atMs, address.zoomMs);
  const marks = useMarks();
  const playback = usePlayback({ ...addressed, newestMs: beginningOf(newest), onMoved: view.onMoved });
  const timeline = useTimeline(address.paths, loadedRange(view.view), view.view.toMs > nowMs());
  const paths = timeline.data?.paths ?? NOTHING;
  const [dialogue, setDialogue] = useState<Dialogue>();
  const [isMuted, setMuted] = useState(true);
  const [converted, setConverted] = useState<readonly string[]>([]);
  const [said, setSaid] = useState("");
  const clip = useRef<ClipHandle>(null);
  const frameSec = 1 / (frameRateOf(newest) ?? USUAL_FRAME_RATE);
  const { playheadMs } = playback;
  const dialogues = { onGoTo: () => setDialogue("go-to"), onHelp: () => setDialogue("keys") };
  const onNextPath = useNextPath(lead, (path) => go({ paths: [path] }));
  const onStop = useStops({ path: lead, playheadMs, onSeek: playback.seek, onSay: setSaid });
  useKeys({ playback, marks, view, frameSec, onNextPath, onStop, onClip: () => clip.current?.start(), ...dialogues });
  const zoomTo = (viewMs: number): void => {
    view.zoomTo(viewMs, playheadMs);
    note({ zoomMs: viewMs });
  };
  return (
    <div className="day-view" data-view="day">
      <HealthNotice />
      <h1 className="unseen">{address.paths.join(", ")}</h1>
      <Stage {...{ paths: address.paths, playback, isMuted, view, converted }} />
      <Unplayable {...{ timeline: timeline.data, converted, onConvert: setConverted }} />
      <Controls {...{ playback, frameSec, isMuted, onMuted: setMuted, ...dialogues }} />
      <ClipBar
        {...{ path: lead, marks, view, playheadMs, onZoom: zoomTo, onSay: setSaid, clip }}
        onExports={() => setDialogue("exports")}
      />
      {timeline.data === undefined && timeline.error !== null && <p role="status">{strings.timeline.failed}</p>}
      <Timeline
        {...{ paths, view: view.view, playheadMs, marks: marks.marks }}
        {...{ onView: view.setView, onSeek: playback.seek, onMarks: marks.setMarks }}
      />
      <Legend paths={paths} />
      <p role="status" id="said" className={said === "" ? "unseen" : "quiet"}>
        {said}
      </p>
      <Segments paths={address.paths} view={view.view} onSay={setSaid} onAll={() => go({ paths: [] })} />
      <ExportsDialog {...{ isOpen: dialogue === "exports", onClose: () => setDialogue(undefined), onSay: setSaid }} />
      <DayDialogs
        {...{ open: dialogue, shownMs: playheadMs ?? view.view.fromMs, onClose: () => setDialogue(undefined) }}
        onGoTo={(atMs) => {
          setDialogue(undefined);
          playback.seek(atMs);
        }}
      />
    </div>
  );
}

interface StageProps {
  readonly paths: readonly string[];
  readonly playback: Playback;
  readonly isMuted: boolean;
  readonly view: ViewState;
  readonly converted: readonly string[];
}

/** On a wall only the first one is heard. */
function Stage({ paths, playback, isMuted, view, converted }: StageProps) {
  const lead = paths[0] ?? "";
  const showDay = (startMs: number): void => {
    playback.seek(startMs);
    view.setView(() => ({ fromMs: startMs, toMs: startMs + DAY_MS }));
  };
  return (
    <div className="stage">
      <div className={paths.length > 1 ? "wall" : "single"} data-tiles={paths.length}>
        {paths.map((path) => (
          <PlayerTile
            key={path}
            {...{ path, players: playback.players, isMuted: isMuted || path !== lead, isNamed: paths.length > 1 }}
            isConverted={converted.includes(path)}
            onReady={playback.onPlayerReady}
            onTime={playback.onTime}
          />
        ))}
      </div>
      <Calendar path={lead} shownMs={playback.playheadMs ?? view.view.fromMs} onDay={showDay} />
    </div>
  );
}

const NOTHING: readonly TimelinePath[] = [];

/** Undefined: not known yet. Without any footage the present is shown. */
function beginningOf(newest: Recording | null | undefined): number | undefined {
  if (newest === undefined) return undefined;
  if (newest === null || newest.local === "open") return nowMs() - LIVE_MS;
  return Math.max(Date.parse(newest.startAt), Date.parse(newest.endAt) - LAST_SEC * 1_000);
}

function frameRateOf(newest: Recording | null | undefined): number | null | undefined {
  return newest?.tracks.find(({ kind }) => kind === "video")?.frameRate;
}

function useNextPath(lead: string, onPath: (path: string) => void): (step: 1 | -1) => void {
  const { data } = usePaths();
  const names = data === undefined ? [] : shownPaths(data).map(({ name }) => name);
  return (step) => {
    const next = names[names.indexOf(lead) + step];
    if (next !== undefined) onPath(next);
  };
}

const CALM_MS = 400;

interface SegmentsProps {
  readonly paths: readonly string[];
  readonly view: TimeView;
  readonly onSay: (text: string) => void;
  readonly onAll: () => void;
}

/** Asked for when the timeline has come to rest, not at every pixel of a drag. */
function Segments({ paths, view, onSay, onAll }: SegmentsProps) {
  const [range, setRange] = useState(view);
  useEffect(() => {
    const timer = setTimeout(() => setRange(view), CALM_MS);
    return () => clearTimeout(timer);
  }, [view]);
  return <RecordingsView {...{ paths, range, onSay, onAll }} />;
}
