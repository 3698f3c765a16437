/** Between rows of `recordings` and Recording. Rows are parsed here once and trusted everywhere else. */
import { z } from "zod";

import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import {
  ARCHIVE_STATES,
  LOCAL_STATES,
  type Recording,
  type RecordingId,
  STEPS,
  type StreamPosition,
  type Track,
} from "../core/recording.js";

const count = z.coerce.number().int();
const nullable = <T extends z.ZodType>(schema: T) => schema.nullable();

const track = z.union([
  z.object({
    kind: z.literal("video"),
    id: count,
    codec: z.string(),
    timescale: z.number(),
    widthPx: z.number(),
    heightPx: z.number(),
    frameRate: z.number().nullable(),
  }),
  z.object({
    kind: z.literal("audio"),
    id: count,
    codec: z.string(),
    timescale: z.number(),
    sampleRateHz: z.number(),
    channels: z.number(),
  }),
  z.object({ kind: z.literal("other"), id: count, codec: z.string(), timescale: z.number() }),
]) satisfies z.ZodType<Track>;

const rowSchema = z.object({
  id: z.string(),
  node_id: z.string(),
  path: z.string(),
  format: z.enum(["fmp4", "mpegts"]),
  start_us: count,
  end_us: count,
  media_duration_us: nullable(count),
  file_path: z.string(),
  file_identity: nullable(z.string()),
  bytes: count,
  tracks: z.string(),
  stream_id: nullable(z.string()),
  segment_number: nullable(count),
  partial: z.union([z.boolean(), z.number()]),
  gap_before_us: nullable(count),
  missing_before: count,
  local: z.enum(LOCAL_STATES),
  archive: z.enum(ARCHIVE_STATES),
  object_key: nullable(z.string()),
  md5: nullable(z.string()),
  sha256: nullable(z.string()),
  upload_id: nullable(z.string()),
  verified_at_us: nullable(count),
  step: nullable(z.enum(STEPS)),
  priority: count,
  attempts: count,
  next_attempt_at_us: count,
  lease_owner: nullable(z.string()),
  error: nullable(z.string()),
  origin: z.enum(["hook", "scan", "watch", "rebuild"]),
  created_at_us: count,
  updated_at_us: count,
});

export function recordingFromRow(raw: unknown): Recording {
  const row = rowSchema.parse(raw);
  return {
    id: row.id as RecordingId,
    nodeId: row.node_id,
    path: row.path as PathName,
    format: row.format,
    startUs: row.start_us,
    endUs: row.end_us,
    mediaDurationUs: row.media_duration_us,
    filePath: row.file_path,
    fileIdentity: row.file_identity,
    bytes: row.bytes,
    tracks: parseTracks(row.tracks),
    position: positionOf(row),
    partial: Boolean(row.partial),
    gapBeforeUs: row.gap_before_us,
    missingBefore: row.missing_before,
    local: row.local,
    archive: row.archive,
    objectKey: row.object_key,
    md5: row.md5,
    sha256: row.sha256,
    uploadId: row.upload_id,
    verifiedAtUs: row.verified_at_us,
    step: row.step,
    priority: row.priority,
    attempts: row.attempts,
    nextAttemptAtUs: row.next_attempt_at_us,
    leaseOwner: row.lease_owner,
    error: row.error,
    origin: row.origin,
    createdAtUs: row.created_at_us,
    updatedAtUs: row.updated_at_us,
  };
}

export function parseTracks(json: string): Track[] {
  return z.array(track).parse(JSON.parse(json));
}

/** The facts of a recording that a step may change. */
export type RecordingPatch = Partial<Omit<Recording, "id" | "nodeId" | "leaseOwner" | "createdAtUs" | "updatedAtUs">>;

const SAME_NAME_COLUMNS = {
  path: "path",
  format: "format",
  startUs: "start_us",
  endUs: "end_us",
  mediaDurationUs: "media_duration_us",
  filePath: "file_path",
  fileIdentity: "file_identity",
  bytes: "bytes",
  partial: "partial",
  gapBeforeUs: "gap_before_us",
  missingBefore: "missing_before",
  local: "local",
  archive: "archive",
  objectKey: "object_key",
  md5: "md5",
  sha256: "sha256",
  uploadId: "upload_id",
  verifiedAtUs: "verified_at_us",
  step: "step",
  priority: "priority",
  attempts: "attempts",
  nextAttemptAtUs: "next_attempt_at_us",
  error: "error",
  origin: "origin",
} as const satisfies Partial<Record<keyof RecordingPatch, string>>;

/** Only the columns of the facts that are given. */
export function columnsOf(patch: RecordingPatch): Record<string, unknown> {
  const columns: Record<string, unknown> = {};
  for (const [fact, column] of Object.entries(SAME_NAME_COLUMNS)) {
    const value = patch[fact as keyof typeof SAME_NAME_COLUMNS];
    if (typeof value === "number" && !Number.isSafeInteger(value)) throw notExact(column, value);
    if (value !== undefined) columns[column] = typeof value === "string" ? storable(value) : value;
  }
  if (patch.tracks !== undefined) columns["tracks"] = JSON.stringify(patch.tracks);
  if (patch.position !== undefined) {
    columns["stream_id"] = patch.position?.streamId ?? null;
    columns["segment_number"] = patch.position?.segmentNumber ?? null;
  }
  return columns;
}

/** Such a row could be written, but neither it nor any list that it is in could be read again. */
function notExact(column: string, value: number): AppError {
  return new AppError({ kind: "internal", message: `write ${column}: ${String(value)} is no exact integer` });
}

/** PostgreSQL takes no NUL; what a broken file made a tool say may hold some. */
export function storable(text: string): string {
  return text.replaceAll("\0", "\ufffd");
}

export function rowOf(recording: Recording): Record<string, unknown> {
  return {
    ...columnsOf(recording),
    id: recording.id,
    node_id: recording.nodeId,
    created_at_us: recording.createdAtUs,
    updated_at_us: recording.updatedAtUs,
  };
}

/** PostgreSQL gives numbers of 64 bits as texts. */
export function positionOf(row: {
  readonly stream_id: string | null;
  readonly segment_number: number | string | null;
}): StreamPosition | null {
  const { stream_id: streamId, segment_number: segmentNumber } = row;
  return streamId === null || segmentNumber === null ? null : { streamId, segmentNumber: Number(segmentNumber) };
}

/** Cameras seldom change what they send: in one range the same text comes again and again. */
export function createTracksParser(): (text: string) => readonly Track[] {
  const parsed = new Map<string, readonly Track[]>();
  return (text) => {
    const tracks = parsed.get(text) ?? parseTracks(text);
    parsed.set(text, tracks);
    return tracks;
  };
}
