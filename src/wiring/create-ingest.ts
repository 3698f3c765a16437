/** Wires ingest to MediaMTX's dialect; shared by the server and the commands that scan. */
import type { Catalog } from "../catalog/catalog.js";
import type { Setup } from "./setup.js";
import type { NoteHookDeps } from "../ingest/note-hook.js";
import { readHead } from "../media/read-head.js";
import { mapSegmentPath } from "../mediamtx/hook-payload.js";
import { createNameDecoder } from "../mediamtx/record-path.js";

export interface IngestParts {
  readonly catalog: Catalog;
  readonly wake: () => void;
  readonly serverStartedAtUs: () => number | null;
}

export function createIngest(setup: Setup, parts: IngestParts): NoteHookDeps {
  const { config, recordDir, logger } = setup;
  const dirs = { mediamtxRecordDir: config.mediamtx.recordDir, recordDir: config.recordDir };
  return {
    ...parts,
    logger,
    recordDir,
    quietMs: config.ingest.quietMs,
    decodeName: createNameDecoder({
      templates: config.ingest.importRecordPaths,
      timeZone: config.ingest.timeZone,
    }),
    readHead,
    mapSegmentPath: (segmentPath) => mapSegmentPath(segmentPath, dirs),
  };
}
