/** Wires ingest to MediaMTX's dialect; shared by the server and the commands that scan. */
import type { Config } from "../config/config.js";
import { refuse } from "../config/env.js";
import { isAppError } from "../core/errors.js";
import type { Catalog } from "../catalog/catalog.js";
import type { Setup } from "./setup.js";
import { GroupCommit } from "../ingest/group-commit.js";
import type { NoteHookDeps } from "../ingest/note-hook.js";
import { recordFound, type RecordFoundDeps } from "../ingest/record-found.js";
import type { ScanDeps } from "../ingest/scan.js";
import { readHead } from "../media/read-head.js";
import { mapSegmentPath } from "../mediamtx/hook-payload.js";
import { createNameDecoder } from "../mediamtx/record-path.js";

export interface IngestParts {
  readonly catalog: Catalog;
  readonly wake: RecordFoundDeps["wake"];
  readonly serverStartedAtUs: () => number | null;
  readonly mayMarkMissing: ScanDeps["mayMarkMissing"];
}

export function createIngest(setup: Setup, parts: IngestParts): NoteHookDeps & ScanDeps {
  const { config, recordDir, logger } = setup;
  const groupCommit = new GroupCommit((files) => recordFound(parts, files));
  const dirs = { mediamtxRecordDir: config.mediamtx.recordDir, recordDir: config.recordDir };
  return {
    ...parts,
    groupCommit,
    logger,
    recordDir,
    quietMs: config.ingest.quietMs,
    decodeName: createDecoder(config.ingest),
    readHead,
    mapSegmentPath: (segmentPath) => mapSegmentPath(segmentPath, dirs),
  };
}

/** Throws `invalid-argument` that names the variable. */
function createDecoder({ importRecordPaths, timeZone }: Config["ingest"]): NoteHookDeps["decodeName"] {
  try {
    return createNameDecoder({ templates: importRecordPaths, timeZone });
  } catch (error) {
    if (isAppError(error, "invalid-argument")) throw refuse("IMPORT_RECORD_PATHS", importRecordPaths.join(";"));
    throw error;
  }
}
