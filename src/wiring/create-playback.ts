/** What playback reads with: rows, and the bytes behind them, on disk or in the store. */
import type { ObjectStore } from "../archive/object-store.js";
import { openRecordingReader } from "../archive/recording-reader.js";
import type { Catalog } from "../catalog/catalog.js";
import type { FfmpegSettings } from "../media/ffmpeg.js";
import { ByteCappedCache } from "../platform/byte-capped-cache.js";
import { Gate } from "../platform/gate.js";
import type { GrowingFiles } from "../playback/growing-files.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";

/** Of an hour of video and sound a layout takes about five megabytes. */
const MOST_LAYOUT_BYTES = 32 * 1_048_576;
/** A player asks on within seconds. */
const KEEP_LAYOUTS_MS = 60_000;
/** Each lasts as long as its viewer reads; who waits for a turn has no byte yet, and asks again sooner than it times out. */
const REMUXES = { purpose: "remux MPEG-TS", atOnce: 8, mostWaiting: 16, mostWaitMs: 20_000 };

export interface PlaybackParts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly ffmpeg: FfmpegSettings;
  readonly growing: GrowingFiles;
}

export function createPlayback(recordDir: string, { catalog, store, ffmpeg, growing }: PlaybackParts): PlaybackDeps {
  const places = { recordDir, store };
  return {
    catalog,
    clock: catalog.clock,
    ffmpeg,
    growing,
    remuxes: new Gate(REMUXES),
    layouts: new ByteCappedCache(catalog.clock, { mostBytes: MOST_LAYOUT_BYTES, keepMs: KEEP_LAYOUTS_MS }),
    openReader: (recording, signal) => openRecordingReader(places, recording, signal),
  };
}
