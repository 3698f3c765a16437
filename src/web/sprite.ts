/** The index of a sprite, as the API writes it: which tile shows what instant. */
export interface Tile {
  readonly atMs: number;
  readonly xPx: number;
  readonly yPx: number;
}

export interface SpriteIndex {
  /** Of the sprite, relative to the index; undefined: there are no tiles. */
  readonly url: string | undefined;
  /** In order of time. */
  readonly tiles: readonly Tile[];
}

const CUE = /^(\d+):(\d\d):(\d\d\.\d{3}) --> \S+\n(\S+)#xywh=(\d+),(\d+),\d+,\d+$/gm;

/** `fromMs`: what the times of the index count from. */
export function parseSprite(vtt: string, fromMs: number): SpriteIndex {
  const cues = [...vtt.matchAll(CUE)];
  const tiles = cues.map(([, hours, minutes, seconds, , x, y]) => ({
    atMs: fromMs + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1_000),
    xPx: Number(x),
    yPx: Number(y),
  }));
  return { url: cues[0]?.[4], tiles };
}

/** The nearest one, at most so far away; undefined: none is. */
export function tileNear(tiles: readonly Tile[], atMs: number, mostMs: number): Tile | undefined {
  let nearest: Tile | undefined;
  let distanceMs = mostMs;
  for (const tile of tiles) {
    const ownMs = Math.abs(tile.atMs - atMs);
    if (ownMs > distanceMs) continue;
    nearest = tile;
    distanceMs = ownMs;
  }
  return nearest;
}
