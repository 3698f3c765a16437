/** Wires pictures to ffmpeg, store and their place on disk. */
import path from "node:path";

import { US_PER_MS } from "../core/instant.js";
import type { Metrics } from "../metrics/metrics.js";
import type { GrowingFiles } from "../playback/growing-files.js";
import { PictureCache } from "../playback/picture-cache.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";
import { Sprites } from "../playback/sprites.js";
import { ThumbnailMaker } from "../playback/thumbnail-maker.js";
import { Thumbnails } from "../playback/thumbnails.js";
import { createResultStore, type ResultStoreParts } from "./result-store.js";
import type { Setup } from "./setup.js";

/** The rest of a small machine is for recording. */
const FFMPEGS_AT_ONCE = 2;
/** Of one that gives way to everything else. */
const PATIENT_TIMEOUT_MS = 60_000;

/** Shared by who makes pictures and who shows them. */
export function createPictureCache({ config, logger, clock }: Setup): PictureCache {
  const directory = path.join(config.dataDir, "thumbnails");
  return new PictureCache({ directory, mostBytes: config.thumbnails.cacheBytes, logger, clock });
}

export interface ThumbnailParts extends Pick<ResultStoreParts, "store"> {
  readonly playback: PlaybackDeps;
  readonly growing: GrowingFiles;
  readonly pictures: PictureCache;
}

export function createThumbnails(
  { config, env }: Setup,
  { store, playback, pictures, growing }: ThumbnailParts,
): { readonly thumbnails: Thumbnails; readonly sprites: Sprites } {
  const deps = {
    ...playback,
    cache: pictures,
    getObject: (key: string, signal: AbortSignal) => store.get(key, { signal }),
    ffmpeg: { configuredPath: config.thumbnails.ffmpegPath, env: env.all },
  };
  return { thumbnails: new Thumbnails({ ...deps, growing, atOnce: FFMPEGS_AT_ONCE }), sprites: new Sprites(deps) };
}

export function createThumbnailMaker(
  { config, env, logger }: Setup,
  parts: ThumbnailParts & ResultStoreParts & { readonly metrics: Metrics; readonly isPressed: () => boolean },
): ThumbnailMaker {
  const { playback, store, growing, pictures, metrics, isPressed } = parts;
  const { ffmpegPath, intervalMs } = config.thumbnails;
  return new ThumbnailMaker({
    ...playback,
    logger,
    cache: pictures,
    growing,
    ffmpeg: { configuredPath: ffmpegPath, env: env.all, timeoutMs: PATIENT_TIMEOUT_MS, isPatient: true },
    store: {
      ...createResultStore(parts, "image/jpeg"),
      has: async (key, signal) => (await store.head(key, signal)) !== undefined,
    },
    prefix: config.storage.prefix,
    intervalUs: intervalMs * US_PER_MS,
    workDir: path.join(config.dataDir, "thumbnails-in-the-making"),
    isPressed,
    count: (result) => metrics.thumbnailCounted(result),
  });
}
