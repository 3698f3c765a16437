/**
 * Rows from the bucket alone: each object carries the facts of its row. Rows that know of their copy are left as they
 * are, so this may run on a lost, an old or a whole database, any number of times (F38, F39).
 */
import { z } from "zod";

import type { Catalog } from "../catalog/catalog.js";
import { parseTracks } from "../catalog/recording-row.js";
import {
  adoptArchivedCopy,
  findRecording,
  findSameSegment,
  insertRecording,
  type NewRecording,
} from "../catalog/recordings.js";
import { isPlausibleInstant, parseRfc3339 } from "../core/instant.js";
import { isHousekeepingKey } from "../core/object-key.js";
import { parsePathName } from "../core/path-name.js";
import { NOT_LOOKED_INTO, type RecordingId } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import type { Logger } from "../platform/logger.js";
import type { ObjectFacts, ObjectStore } from "./object-store.js";

export interface RebuildDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly store: ObjectStore;
  readonly prefix: string;
}

export interface RebuildResult {
  objects: number;
  inserted: number;
  /** Rows that existed and did not know of their copy in the store. */
  adopted: number;
  /** Objects below the prefix that carry no facts of ours. */
  foreign: number;
}

const metadataSchema = z.object({
  "recording-id": z.uuid(),
  path: z.string(),
  "start-at": z.string(),
  "end-at": z.string(),
  format: z.enum(["fmp4", "mpegts"]),
  "file-path": z.string(),
  partial: z.enum(["true", "false"]),
  "media-duration-us": z.coerce.number().int(),
  tracks: z.string().default("[]"),
  "stream-id": z.string().optional(),
  "segment-number": z.coerce.number().int().optional(),
});

export async function rebuildFromStore(
  deps: RebuildDeps,
  onProgress: (result: Readonly<RebuildResult>) => void,
  signal: AbortSignal,
): Promise<RebuildResult> {
  const result: RebuildResult = { objects: 0, inserted: 0, adopted: 0, foreign: 0 };
  for await (const { key } of deps.store.list(`${deps.prefix}/`, signal)) {
    if (isHousekeepingKey(deps.prefix, key)) continue;
    result.objects += 1;
    const facts = await deps.store.head(key, signal);
    const recording = facts === undefined ? undefined : recordingOf(facts, deps.catalog.clock.nowUs());
    if (recording === undefined) {
      result.foreign += 1;
      deps.logger.warn("object carries no facts of ours and is left alone", { objectKey: key });
      continue;
    }
    await faultPoint("rebuild.before-row");
    const { id } = recording;
    const known = (await findRecording(deps.catalog, id)) ?? (await findSameSegment(deps.catalog, recording));
    if (known === undefined) {
      await insertRecording(deps.catalog, recording);
      result.inserted += 1;
    } else if (await adoptArchivedCopy(deps.catalog, known, recording)) {
      result.adopted += 1;
    }
    await faultPoint("rebuild.after-row");
    if (result.objects % 100 === 0) onProgress(result);
  }
  return result;
}

type RebuiltRecording = NewRecording & { readonly id: RecordingId };

/** Undefined: not one of ours. */
function recordingOf(facts: ObjectFacts, nowUs: number): RebuiltRecording | undefined {
  const parsed = metadataSchema.safeParse(facts.metadata);
  if (!parsed.success || facts.sha256 === null) return undefined;
  try {
    const recording = parseFacts(facts, parsed.data, nowUs);
    const { startUs, endUs, filePath } = recording;
    // PostgreSQL refuses text with NUL.
    if (filePath.includes("\0")) return undefined;
    return endUs < startUs || !isPlausibleInstant(startUs) || !isPlausibleInstant(endUs) ? undefined : recording;
  } catch {
    // Whoever wrote these facts, it was not us; one odd object must not end the rebuild of all others.
    return undefined;
  }
}

/** Throws when a value is malformed. */
function parseFacts(facts: ObjectFacts, metadata: z.infer<typeof metadataSchema>, nowUs: number): RebuiltRecording {
  const streamId = metadata["stream-id"];
  const segmentNumber = metadata["segment-number"];
  return {
    ...NOT_LOOKED_INTO,
    id: metadata["recording-id"] as RecordingId,
    path: parsePathName(metadata.path, "path"),
    format: metadata.format,
    startUs: parseRfc3339(metadata["start-at"], "start-at"),
    endUs: parseRfc3339(metadata["end-at"], "end-at"),
    mediaDurationUs: metadata["media-duration-us"],
    filePath: decodeURI(metadata["file-path"]),
    bytes: facts.bytes,
    tracks: parseTracks(metadata.tracks),
    position: streamId === undefined || segmentNumber === undefined ? null : { streamId, segmentNumber },
    partial: metadata.partial === "true",
    local: "released",
    archive: "verified",
    objectKey: facts.key,
    md5: facts.md5,
    sha256: facts.sha256,
    verifiedAtUs: nowUs,
    nextAttemptAtUs: nowUs,
    origin: "rebuild",
  };
}
