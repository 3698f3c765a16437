/**
 * Many periodic pictures of a range in one JPEG, for whoever moves over a timeline. Made of the pictures alone, never of
 * footage; kept in the cache, and made once for all who ask together.
 */
import { createHash } from "node:crypto";

import { giveThumbnailUp, listThumbnails, type Thumbnail } from "../catalog/thumbnails.js";
import type { Catalog } from "../catalog/catalog.js";
import { AppError, isAppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import type { FfmpegSettings } from "../media/ffmpeg.js";
import { tilePictures } from "../media/key-picture.js";
import { Gate } from "../platform/gate.js";
import { mapInOrder } from "../platform/map-in-order.js";
import { SharedWork } from "../platform/shared-work.js";
import { readStoredPicture, type StoredPicturesDeps } from "./stored-pictures.js";

export interface SpritesDeps extends StoredPicturesDeps {
  readonly catalog: Catalog;
  readonly ffmpeg: FfmpegSettings;
}

export interface SpriteRequest {
  readonly path: PathName;
  readonly fromUs: number;
  readonly toUs: number;
  readonly tileWidthPx: number;
  /** Where there are more, they are thinned out evenly. */
  readonly mostTiles: number;
}

export interface Sprite {
  /** 32 hex digits: the same for the same tiles. */
  readonly name: string;
  /** In order of time, row by row. */
  readonly tiles: readonly Thumbnail[];
  readonly columns: number;
  readonly rows: number;
  readonly tileWidthPx: number;
  readonly tileHeightPx: number;
}

const MOST_COLUMNS = 10;
const MAKE_WITHIN_MS = 30_000;
const MOST_WAITING = 16;
const READS_AT_ONCE = 6;

export class Sprites {
  readonly #deps: SpritesDeps;
  /** Others make single pictures meanwhile. */
  readonly #gate = new Gate({ purpose: "make a sprite", atOnce: 1, mostWaiting: MOST_WAITING });
  readonly #shared = new SharedWork<Buffer>();

  constructor(deps: SpritesDeps) {
    this.#deps = deps;
  }

  /** Without tiles where there is no periodic picture. */
  async locate({ path, fromUs, toUs, tileWidthPx, mostTiles }: SpriteRequest): Promise<Sprite> {
    const all = await listThumbnails(this.#deps.catalog, path, { fromUs, toUs });
    const tiles = thinned(all, mostTiles);
    const columns = Math.max(1, Math.min(MOST_COLUMNS, tiles.length));
    const tileHeightPx = Math.round((tileWidthPx * 9) / 32) * 2;
    const facts = [tileWidthPx, ...tiles.map(({ objectKey }) => objectKey)].join("\n");
    const name = createHash("sha256").update(`sprite ${facts}`).digest("hex").slice(0, 32);
    return { name, tiles, columns, rows: Math.ceil(tiles.length / columns), tileWidthPx, tileHeightPx };
  }

  /** A JPEG. Throws `not-found` when it has no tiles, `unavailable` without ffmpeg or store, at the deadline and when too many wait. */
  async read(sprite: Sprite, signal: AbortSignal): Promise<Buffer> {
    if (sprite.tiles.length === 0) {
      throw new AppError({ kind: "not-found", message: "there is no periodic picture in this range" });
    }
    const kept = await this.#deps.cache.get(sprite.name);
    if (kept !== undefined) return kept;
    const make = (unwanted: AbortSignal): Promise<Buffer> =>
      this.#gate.run(() => this.#make(sprite, unwanted), unwanted);
    return this.#shared.join(sprite.name, make, signal);
  }

  async #make(sprite: Sprite, unwanted: AbortSignal): Promise<Buffer> {
    const signal = AbortSignal.any([unwanted, AbortSignal.timeout(MAKE_WITHIN_MS)]);
    try {
      const jpegs: Buffer[] = [];
      const read = mapInOrder(sprite.tiles, READS_AT_ONCE, (tile) => this.#readTile(tile, signal));
      for await (const jpeg of read) jpegs.push(jpeg);
      const sheet = await tilePictures(this.#deps.ffmpeg, { ...sprite, jpegs }, signal);
      await this.#deps.cache.put(sprite.name, sheet);
      return sheet;
    } catch (error) {
      if (!isAppError(error, "cancelled") || unwanted.aborted) throw error;
      const message = `make a sprite: no end within ${String(MAKE_WITHIN_MS)} ms`;
      throw new AppError({ kind: "unavailable", message, cause: error });
    }
  }

  /** One that somebody took out of the store is not asked for again. */
  async #readTile(tile: Thumbnail, signal: AbortSignal): Promise<Buffer> {
    try {
      return await readStoredPicture(this.#deps, tile, signal);
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error;
      await giveThumbnailUp(this.#deps.catalog, tile);
      const message = "a picture of this sprite is gone; the others are there";
      throw new AppError({ kind: "unavailable", message, cause: error, retryAfterMs: 1_000 });
    }
  }
}

function thinned<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)]).flatMap((item) =>
    item === undefined ? [] : [item],
  );
}
