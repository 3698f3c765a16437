/** One path's picture. On a wall there are several, all told by the day view what to do. */
import { useEffect, useRef, useState } from "react";

import { FootagePlayer, type PlayerStatus } from "./footage-player.js";
import { strings } from "./strings.js";

export type Players = Map<string, FootagePlayer>;

interface PlayerTileProps {
  readonly path: string;
  readonly players: Players;
  readonly isNamed: boolean;
  readonly isMuted: boolean;
  /** The server makes of it what this browser plays. */
  readonly isConverted: boolean;
  readonly onReady: (player: FootagePlayer) => void;
  readonly onTime: (path: string, wallMs: number) => void;
}

export function PlayerTile({ path, players, isNamed, isMuted, isConverted, onReady, onTime }: PlayerTileProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [status, setStatus] = useState<PlayerStatus>({ kind: "loading" });
  const told = useRef({ onReady, onTime });
  useEffect(() => {
    told.current = { onReady, onTime };
  });
  useEffect(() => {
    if (video.current === null) return;
    const player = new FootagePlayer({
      video: video.current,
      path,
      isConverted,
      onStatus: setStatus,
      onTime: (wallMs) => told.current.onTime(path, wallMs),
    });
    players.set(path, player);
    told.current.onReady(player);
    return () => {
      players.delete(path);
      player.stop();
    };
  }, [path, players, isConverted]);
  return (
    <figure className="tile" data-status={status.kind} data-path={path}>
      {/* Recordings have no captions. */}
      <video ref={video} muted={isMuted} playsInline preload="auto" aria-label={strings.player.label(path)} />
      {isNamed && <figcaption>{path}</figcaption>}
      {status.kind !== "ready" && <p className="tile-status">{wordsOf(status)}</p>}
    </figure>
  );
}

function wordsOf(status: PlayerStatus): string {
  if (status.kind === "failed") return strings.player.failed(status.why);
  return status.kind === "end" ? strings.player.end : strings.player.loading;
}
