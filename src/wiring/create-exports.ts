/** Wires exports to the store and to the guard of deletions. */
import path from "node:path";

import { readDiskSpace } from "../platform/disk-space.js";
import { Exports } from "../playback/exports.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";
import { createResultStore, type ResultStoreParts } from "./result-store.js";
import type { Setup } from "./setup.js";

export interface ExportParts extends ResultStoreParts {
  readonly playback: PlaybackDeps;
}

export function createExports({ config, logger }: Setup, parts: ExportParts): Exports {
  return new Exports({
    playback: parts.playback,
    logger,
    results: createResultStore(parts, "video/mp4"),
    prefix: config.storage.prefix,
    workDir: path.join(config.dataDir, "exports"),
    readSpace: readDiskSpace,
  });
}
