/** What playback reads with: rows, and the bytes behind them, on disk or in the store. */
import { openRecording } from "../archive/open-recording.js";
import type { ObjectStore } from "../archive/object-store.js";
import { openRecordingReader } from "../archive/recording-reader.js";
import type { Catalog } from "../catalog/catalog.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";

export interface PlaybackParts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
}

export function createPlayback(recordDir: string, { catalog, store }: PlaybackParts): PlaybackDeps {
  const places = { recordDir, store };
  return {
    catalog,
    clock: catalog.clock,
    openBytes: (recording, part, signal) => openRecording(places, recording, { part, signal }),
    openReader: (recording, signal) => openRecordingReader(places, recording, signal),
  };
}
