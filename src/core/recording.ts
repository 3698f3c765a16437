/**
 * A recording: the row of one segment that MediaMTX wrote. Two facts are kept apart because they change apart: where
 * the local copy stands and where the archived copy stands. The row is also the queue: `step` says what is due next.
 */
import type { PathName } from "./path-name.js";

declare const brand: unique symbol;
export type RecordingId = string & { readonly [brand]: "RecordingId" };

export const LOCAL_STATES = ["open", "present", "trashed", "released", "missing", "quarantined", "deleted"] as const;
/**
 * open: MediaMTX may still write it · present: closed and on disk · trashed: renamed aside, about to be unlinked ·
 * released: unlinked after proof · missing: proven ENOENT, not by us · quarantined: no media, see `error` ·
 * deleted: a person asked for it.
 */
export type LocalState = (typeof LOCAL_STATES)[number];

/** The file is there under its own name, as far as we know. */
export function isOnDisk({ local }: { readonly local: LocalState }): boolean {
  return local === "open" || local === "present" || local === "quarantined";
}

export const ARCHIVE_STATES = ["none", "uploading", "verified", "expired", "conflict", "deleted"] as const;
/**
 * none: not (yet) in the store · uploading: a put was begun, outcome unknown until HEAD · verified: the store itself
 * returned size and hashes · expired: removed by retention · conflict: the key holds other bytes · deleted: a person
 * asked for it.
 */
export type ArchiveState = (typeof ARCHIVE_STATES)[number];

export const STEPS = ["settle", "inspect", "archive", "release", "unlink", "delete"] as const;
/** What the worker does next with a row; null when nothing is due, ever, unless something new is learnt. */
export type Step = (typeof STEPS)[number];

export type SegmentFormat = "fmp4" | "mpegts";

interface TrackBase {
  /** MPEG-4 track id or MPEG-TS PID. */
  readonly id: number;
  /** RFC 6381 codec string such as `avc1.42c028`, or a lowercase codec name where no such string exists. */
  readonly codec: string;
  /** Ticks per second of this track. */
  readonly timescale: number;
}
interface VideoTrack extends TrackBase {
  readonly kind: "video";
  readonly widthPx: number;
  readonly heightPx: number;
  /** Average over the file; null when fewer than two samples. */
  readonly frameRate: number | null;
}
interface AudioTrack extends TrackBase {
  readonly kind: "audio";
  readonly sampleRateHz: number;
  readonly channels: number;
}
interface OtherTrack extends TrackBase {
  readonly kind: "other";
}
export type Track = VideoTrack | AudioTrack | OtherTrack;

/** Where a segment stands in MediaMTX's own numbering (`mtxi` box, MediaMTX ≥1.15.2). */
export interface StreamPosition {
  /** UUID, new for each recorder instance: reconnect, reset, record toggled. */
  readonly streamId: string;
  /** 0, 1, 2 … within the stream id. */
  readonly segmentNumber: number;
}

export interface Recording {
  readonly id: RecordingId;
  readonly nodeId: string;
  readonly path: PathName;
  readonly format: SegmentFormat;
  /** Wall clock of the first sample: `mtxi`, else file name. */
  readonly startUs: number;
  /** Wall clock end: start + corrected duration; equals `startUs` while unknown. */
  readonly endUs: number;
  /** Media duration by the sample tables; null until inspected. */
  readonly mediaDurationUs: number | null;
  /** Relative to the record directory, forward slashes. */
  readonly filePath: string;
  /** Of the bytes that were last looked at; see file-identity.ts. */
  readonly fileIdentity: string | null;
  readonly bytes: number;
  readonly tracks: readonly Track[];
  readonly position: StreamPosition | null;
  /** The file ends in a torn fragment or was never finalised: only its whole fragments count. */
  readonly partial: boolean;
  /** Seconds missing between the segment before and this one: null none known before, 0 continuous. */
  readonly gapBeforeUs: number | null;
  /** Segment numbers missing between the segment before and this one, 0 when none or not provable. */
  readonly missingBefore: number;
  readonly local: LocalState;
  readonly archive: ArchiveState;
  readonly objectKey: string | null;
  /** Hex. */
  readonly md5: string | null;
  /** Hex. */
  readonly sha256: string | null;
  /** Multipart upload in progress. */
  readonly uploadId: string | null;
  readonly verifiedAtUs: number | null;
  readonly step: Step | null;
  /** Higher goes first. */
  readonly priority: number;
  readonly attempts: number;
  readonly nextAttemptAtUs: number;
  /** The claim under which somebody works on the row; only that claim may commit. */
  readonly leaseOwner: string | null;
  /** The last failure, or why the file is quarantined. */
  readonly error: string | null;
  readonly origin: "hook" | "scan" | "watch" | "rebuild";
  readonly createdAtUs: number;
  readonly updatedAtUs: number;
}

/** What a row says of a segment that nobody has looked into yet. */
export const NOT_LOOKED_INTO = {
  fileIdentity: null,
  bytes: 0,
  mediaDurationUs: null,
  tracks: [],
  position: null,
  partial: false,
  gapBeforeUs: null,
  missingBefore: 0,
  archive: "none",
  objectKey: null,
  md5: null,
  sha256: null,
  uploadId: null,
  verifiedAtUs: null,
  step: null,
  priority: 0,
  attempts: 0,
  error: null,
} as const satisfies Partial<Recording>;
