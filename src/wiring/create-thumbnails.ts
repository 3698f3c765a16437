/** Wires pictures to ffmpeg and their place on disk. */
import path from "node:path";

import { PictureCache } from "../playback/picture-cache.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";
import { type ThumbnailDeps, Thumbnails } from "../playback/thumbnails.js";
import type { Setup } from "./setup.js";

/** The rest of a small machine is for recording. */
const FFMPEGS_AT_ONCE = 2;

export function createThumbnails(
  { config, env, logger }: Setup,
  playback: PlaybackDeps & Pick<ThumbnailDeps, "growing">,
): Thumbnails {
  const { ffmpegPath, cacheBytes } = config.thumbnails;
  const directory = path.join(config.dataDir, "thumbnails");
  return new Thumbnails({
    ...playback,
    cache: new PictureCache({ directory, mostBytes: cacheBytes, logger, clock: playback.clock }),
    ffmpeg: { configuredPath: ffmpegPath, env: env.all },
    atOnce: FFMPEGS_AT_ONCE,
  });
}
