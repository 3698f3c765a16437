/**
 * What an object says of its recording: enough to rebuild the row where bytes cannot tell. Written at `put`, read by a
 * rebuild. Times are RFC 3339, lengths microseconds, hashes hex.
 */
import { z } from "zod";

import { parseTracks } from "../catalog/recording-row.js";
import type { NewRecording } from "../catalog/recordings.js";
import { formatRfc3339, isPlausibleInstant, parseRfc3339 } from "../core/instant.js";
import { parsePathName } from "../core/path-name.js";
import { NOT_LOOKED_INTO, type Recording, type RecordingId } from "../core/recording.js";
import type { ObjectFacts } from "./object-store.js";

/** S3 takes 2 KiB, names and values together; the store adds the SHA-256. Tracks go where there is room for them. */
const MAX_METADATA_CHARS = 2_048 - "sha256".length - 64;

const metadataSchema = z.object({
  "recording-id": z.uuid(),
  path: z.string(),
  "start-at": z.string(),
  "end-at": z.string(),
  format: z.enum(["fmp4", "mpegts"]),
  "file-path": z.string(),
  partial: z.enum(["true", "false"]),
  "media-duration-us": z.coerce.number().int(),
  tracks: z.string().optional(),
  "stream-id": z.string().optional(),
  "segment-number": z.coerce.number().int().optional(),
  /** Objects of before have none; of a multipart upload the store does not know it either. */
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});

export function metadataOf(recording: Recording & { readonly md5: string }): Record<string, string> {
  const metadata = {
    "recording-id": recording.id,
    path: recording.path,
    "start-at": formatRfc3339(recording.startUs),
    "end-at": formatRfc3339(recording.endUs),
    format: recording.format,
    "file-path": encodeURI(recording.filePath),
    partial: String(recording.partial),
    "media-duration-us": String(recording.mediaDurationUs ?? 0),
    md5: recording.md5,
    ...(recording.position === null
      ? {}
      : {
          "stream-id": recording.position.streamId,
          "segment-number": String(recording.position.segmentNumber),
        }),
  };
  const withTracks = { ...metadata, tracks: JSON.stringify(recording.tracks) };
  return charsOf(withTracks) > MAX_METADATA_CHARS ? metadata : withTracks;
}

function charsOf(metadata: Readonly<Record<string, string>>): number {
  return Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

export interface RebuiltRecording {
  readonly facts: NewRecording & { readonly id: RecordingId };
  /** There was no room for the tracks: the bytes tell them. */
  readonly lacksTracks: boolean;
}

/** Undefined: not one of ours. */
export function recordingFromObject(object: ObjectFacts, nowUs: number): RebuiltRecording | undefined {
  const parsed = metadataSchema.safeParse(object.metadata);
  if (!parsed.success || object.sha256 === null) return undefined;
  try {
    const facts = parseFacts(object, parsed.data, nowUs);
    const { startUs, endUs, filePath } = facts;
    // PostgreSQL refuses text with NUL.
    if (filePath.includes("\0")) return undefined;
    if (endUs < startUs || !isPlausibleInstant(startUs) || !isPlausibleInstant(endUs)) return undefined;
    return { facts, lacksTracks: parsed.data.tracks === undefined };
  } catch {
    // Whoever wrote these facts, it was not us; one odd object must not end the rebuild of all others.
    return undefined;
  }
}

/** Throws when a value is malformed. */
function parseFacts(object: ObjectFacts, metadata: z.infer<typeof metadataSchema>, nowUs: number) {
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
    bytes: object.bytes,
    tracks: parseTracks(metadata.tracks ?? "[]"),
    position: streamId === undefined || segmentNumber === undefined ? null : { streamId, segmentNumber },
    partial: metadata.partial === "true",
    local: "released",
    archive: "verified",
    objectKey: object.key,
    md5: object.md5 ?? metadata.md5 ?? null,
    sha256: object.sha256,
    verifiedAtUs: nowUs,
    nextAttemptAtUs: nowUs,
    origin: "rebuild",
  } as const;
}
