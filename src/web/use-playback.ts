/**
 * Which instant is shown and how it plays. The playhead goes by itself; the address is told of steps (seeks, pauses), and
 * tells us of others (Back, links). One path leads; on a wall the others follow.
 */
import { useCallback, useEffect, useRef, useState } from "react";

import { nowMs } from "./clock.js";
import type { FootagePlayer } from "./footage-player.js";
import type { Players } from "./player-tile.js";
import { nextSpeed } from "./speed.js";
import type { AddressState } from "./use-address.js";

/** Far enough from now that a playlist has something to begin with. */
const BEHIND_LIVE_MS = 12_000;
/** Players of a wall that differ by more are put together again, at most so often. */
const APART_MS = 1_000;
const TOGETHER_EVERY_MS = 3_000;

export interface Playback {
  readonly players: Players;
  readonly playheadMs: number | undefined;
  readonly isPlaying: boolean;
  readonly speed: number;
  readonly seek: (atMs: number) => void;
  readonly seekBy: (ms: number) => void;
  readonly goLive: () => void;
  readonly setPlaying: (isPlaying: boolean) => void;
  readonly setSpeed: (speed: number) => void;
  readonly changeSpeed: (step: 1 | -1) => void;
  readonly stepFrame: (frameSec: number) => void;
  readonly onPlayerReady: (player: FootagePlayer) => void;
  readonly onTime: (path: string, wallMs: number) => void;
}

interface PlaybackOptions extends AddressState {
  /** Where to begin when the address names no instant; undefined while that is not known. */
  readonly newestMs: number | undefined;
  /** The playhead has jumped, or gone on while it plays. */
  readonly onMoved: (atMs: number, how: "jump" | "play") => void;
}

/** What the players are told, also those that come later. */
interface Wanted {
  atMs: number | undefined;
  isPlaying: boolean;
  speed: number;
  /** When a wall was put together last. */
  togetherMs: number;
}

export function usePlayback({ address, go, note, newestMs, onMoved }: PlaybackOptions): Playback {
  const [players] = useState<Players>(() => new Map());
  const [wanted] = useState<Wanted>(() => ({ atMs: undefined, isPlaying: true, speed: 1, togetherMs: 0 }));
  const [playheadMs, setPlayheadMs] = useState<number>();
  const [isPlaying, setIsPlaying] = useState(wanted.isPlaying);
  const [speed, setSpeedState] = useState(wanted.speed);
  const lead = address.paths[0] ?? "";
  const moved = useLatest(onMoved);
  const moveTo = useCallback(
    (atMs: number) => {
      wanted.atMs = atMs;
      setPlayheadMs(atMs);
      moved.current(atMs, "jump");
      players.forEach((player) => player.seek(atMs));
    },
    [players, wanted, moved],
  );
  const isThere = useNamedInstant({ namedMs: address.atMs, newestMs, moveTo });

  const seek = (atMs: number): void => {
    const past = Math.round(Math.min(atMs, nowMs() - BEHIND_LIVE_MS));
    isThere(past);
    go({ atMs: past });
    moveTo(past);
  };
  const setPlaying = (on: boolean): void => {
    setIsPlaying((wanted.isPlaying = on));
    players.forEach((player) => player.setPlaying(on));
    if (on || playheadMs === undefined) return;
    const atMs = Math.round(playheadMs);
    isThere(atMs);
    note({ atMs });
  };
  const setSpeed = (to: number): void => {
    setSpeedState((wanted.speed = to));
    players.forEach((player) => player.setRate(to));
  };
  return {
    ...{ players, playheadMs, isPlaying, speed, seek, setPlaying, setSpeed },
    seekBy: (ms) => playheadMs !== undefined && seek(playheadMs + ms),
    goLive: () => {
      setPlaying(true);
      seek(nowMs());
    },
    changeSpeed: (step) => setSpeed(nextSpeed(speed, step)),
    stepFrame: (frameSec) => {
      setPlaying(false);
      players.forEach((player) => player.step(frameSec));
    },
    onPlayerReady: (player) => begin(player, wanted),
    onTime: (path, wallMs) => {
      if (path !== lead) return;
      wanted.atMs = wallMs;
      setPlayheadMs(wallMs);
      if (wanted.isPlaying) moved.current(wallMs, "play");
      keepTogether(players, lead, wanted);
    },
  };
}

function begin(player: FootagePlayer, { atMs, isPlaying, speed }: Wanted): void {
  player.setRate(speed);
  player.setPlaying(isPlaying);
  if (atMs !== undefined) player.seek(atMs);
}

function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}

interface Named {
  readonly namedMs: number | undefined;
  readonly newestMs: number | undefined;
  readonly moveTo: (atMs: number) => void;
}

/**
 * Goes where the address says, once for each instant that it names; without one to the newest footage, once. Answers
 * with how to say that an instant, which the address will name, is reached already.
 */
function useNamedInstant({ namedMs, newestMs, moveTo }: Named): (atMs: number) => void {
  const reached = useRef<number>(undefined);
  const hasNewest = newestMs !== undefined;
  const newest = useLatest(newestMs);
  useEffect(() => {
    const targetMs = namedMs ?? newest.current;
    if (targetMs === undefined || targetMs === reached.current) return;
    reached.current = targetMs;
    moveTo(targetMs);
    // Newer footage is no reason to leave what is shown; that there is some at all is one.
  }, [namedMs, hasNewest, newest, moveTo]);
  return useCallback((atMs) => {
    reached.current = atMs;
  }, []);
}

function keepTogether(players: Players, lead: string, wanted: Wanted): void {
  const now = nowMs();
  const { atMs } = wanted;
  if (players.size < 2 || atMs === undefined || now - wanted.togetherMs < TOGETHER_EVERY_MS) return;
  wanted.togetherMs = now;
  for (const [path, player] of players) {
    const ownMs = player.wallMs();
    if (path !== lead && ownMs !== undefined && Math.abs(ownMs - atMs) > APART_MS) player.seek(atMs);
  }
}
