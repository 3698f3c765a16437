/** The bar below the picture: play, frames, speed, marks. Every button has a key, told by its title. */
import { SPEEDS } from "./speed.js";
import { strings } from "./strings.js";
import type { Playback } from "./use-playback.js";
import { bothClocks, clock, shortDay } from "./words.js";

interface ControlsProps {
  readonly playback: Playback;
  readonly isMuted: boolean;
  readonly onMuted: (isMuted: boolean) => void;
  readonly frameSec: number;
  readonly onHelp: () => void;
  readonly onGoTo: () => void;
}

const SHAPES = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zm5 0h3v10H9z",
  back: "M8 3v10L2 8zm6 0v10L8 8z",
  forward: "M2 3v10l6-5zm6 0v10l6-5z",
  frameBack: "M3 3h2v10H3zm10 0v10L6 8z",
  frameForward: "M11 3h2v10h-2zM3 3v10l7-5z",
  muted: "M2 6h3l4-3v10L5 10H2zm9 0 4 4m0-4-4 4",
  sound: "M2 6h3l4-3v10L5 10H2zm9-1a4 4 0 0 1 0 6zm1-3a7 7 0 0 1 0 12v-1.6a5.6 5.6 0 0 0 0-8.8z",
};

export function Controls({ playback, onHelp, onGoTo, ...others }: ControlsProps) {
  const words = strings.player;
  return (
    <div className="controls" role="group" aria-label={words.controls}>
      <PlayButtons {...{ playback, ...others }} />
      <button className="link clock" id="playhead" title={titleOf(playback)} onClick={onGoTo}>
        {playback.playheadMs === undefined
          ? words.loading
          : `${shortDay(playback.playheadMs)}, ${clock(playback.playheadMs)}`}
      </button>
      <div className="line">
        <button className="chip" title="End" onClick={playback.goLive}>
          {words.live}
        </button>
        <button className="icon" aria-label={words.keys} title={`${words.keys} (?)`} onClick={onHelp}>
          ?
        </button>
      </div>
    </div>
  );
}

function PlayButtons({ playback, frameSec, isMuted, onMuted }: Omit<ControlsProps, "onHelp" | "onGoTo">) {
  const words = strings.player;
  const { isPlaying, speed } = playback;
  return (
    <div className="line">
      <Icon label={words.back} keys="←" shape="back" onClick={() => playback.seekBy(-5_000)} />
      <Icon
        label={isPlaying ? words.pause : words.play}
        keys="Space"
        shape={isPlaying ? "pause" : "play"}
        onClick={() => playback.setPlaying(!isPlaying)}
      />
      <Icon label={words.forward} keys="→" shape="forward" onClick={() => playback.seekBy(5_000)} />
      <Icon label={words.frameBack} keys="," shape="frameBack" onClick={() => playback.stepFrame(-frameSec)} />
      <Icon label={words.frameForward} keys="." shape="frameForward" onClick={() => playback.stepFrame(frameSec)} />
      <Icon
        label={isMuted ? words.unmute : words.mute}
        shape={isMuted ? "muted" : "sound"}
        onClick={() => onMuted(!isMuted)}
      />
      <select
        aria-label={words.speed}
        value={speed}
        onChange={(event) => playback.setSpeed(Number(event.target.value))}
      >
        {SPEEDS.map((value) => (
          <option key={value} value={value}>{`${String(value)}×`}</option>
        ))}
      </select>
    </div>
  );
}

function titleOf({ playheadMs }: Playback): string {
  return playheadMs === undefined ? strings.player.goTo : bothClocks(new Date(playheadMs).toISOString());
}

interface IconProps {
  readonly label: string;
  readonly keys?: string;
  readonly shape: keyof typeof SHAPES;
  readonly onClick: () => void;
}

function Icon({ label, keys, shape, onClick }: IconProps) {
  return (
    <button
      className="icon"
      data-do={shape}
      aria-label={label}
      title={keys === undefined ? label : `${label} (${keys})`}
      onClick={onClick}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[shape]} />
      </svg>
    </button>
  );
}
