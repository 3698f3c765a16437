/** A tile of a sprite: at once wherever one moves over the timeline, and never older than some minutes. */
import { useQuery } from "@tanstack/react-query";

import { nowMs } from "./clock.js";
import { useBlobUrl } from "./picture.js";
import { apiUrl, get, isoOf } from "./request.js";
import { parseSprite, type Tile, tileNear } from "./sprite.js";
import { HOUR_MS, MINUTE_MS } from "./time-scale.js";

/** Of one sprite: at the usual interval some 70 tiles. */
const BLOCK_MS = 6 * HOUR_MS;
const FAR_MS = 6 * MINUTE_MS;
const TILE_WIDTH_PX = 160;

interface SpriteTileProps {
  readonly path: string;
  readonly atMs: number;
}

/** Nothing where there is no picture near. */
export function SpriteTile({ path, atMs }: SpriteTileProps) {
  const { tile, url } = useSprite(path, atMs);
  if (tile === undefined || url === undefined) return null;
  const { xPx, yPx } = tile;
  const style = { backgroundImage: `url("${url}")`, backgroundPosition: `-${String(xPx)}px -${String(yPx)}px` };
  return <span className="picture sprite-tile" style={style} data-at={isoOf(tile.atMs)} aria-hidden="true" />;
}

function useSprite(path: string, atMs: number): { readonly tile: Tile | undefined; readonly url: string | undefined } {
  const fromMs = Math.floor(atMs / BLOCK_MS) * BLOCK_MS;
  const isOver = fromMs + BLOCK_MS < nowMs();
  const { data } = useQuery({
    queryKey: ["sprite", path, fromMs],
    queryFn: async ({ signal }) => {
      const range = { path, from: isoOf(fromMs), to: isoOf(fromMs + BLOCK_MS) };
      const index = await get(apiUrl("sprite.vtt", { ...range, width: TILE_WIDTH_PX, tiles: 300 }), signal);
      const { url, tiles } = parseSprite(await index.text(), fromMs);
      if (url === undefined) return { tiles, blob: undefined };
      return { tiles, blob: await (await get(`api/v1/${url}`, signal)).blob() };
    },
    staleTime: isOver ? HOUR_MS : MINUTE_MS,
    gcTime: 10 * MINUTE_MS,
    retry: false,
  });
  const url = useBlobUrl(data?.blob);
  return { tile: tileNear(data?.tiles ?? [], atMs, FAR_MS), url };
}
