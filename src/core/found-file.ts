/**
 * What to do with a segment file that a hook, the scan or the watch has found, given the row of the same file name.
 * Pure, so that ten hooks, a scan and a watch in any order end in the same state (F3, F4).
 */
import type { PathName } from "./path-name.js";
import type { Recording, SegmentFormat, StreamPosition } from "./recording.js";

export interface FoundFile {
  readonly path: PathName;
  readonly format: SegmentFormat;
  /** `mtxi` where it has been read, else the file name. */
  readonly startUs: number;
  readonly position: StreamPosition | null;
  readonly filePath: string;
  readonly fileIdentity: string;
  readonly bytes: number;
  /** Nobody writes to it any more; see `isClosed`. */
  readonly closed: boolean;
  readonly origin: Recording["origin"];
}

export type Finding =
  /** No row of this name: a new recording, or the return of one whose local copy was away. */
  | { readonly kind: "insert" }
  /** The row says all that the file says. */
  | { readonly kind: "unchanged" }
  /** Same recording, but it grew, was closed or was touched: look again. */
  | { readonly kind: "refresh" }
  /** Another recording took the name (F35): the row's local copy is gone, the file gets a row of its own. */
  | { readonly kind: "replace" };

export function judgeFoundFile(row: Recording | undefined, found: FoundFile): Finding {
  if (row === undefined) return { kind: "insert" };
  if (row.fileIdentity === found.fileIdentity) {
    return { kind: row.local === "open" && found.closed ? "refresh" : "unchanged" };
  }
  if (isAnotherRecording(row, found)) return { kind: "replace" };
  return { kind: "refresh" };
}

function isAnotherRecording(row: Recording, found: FoundFile): boolean {
  if (row.position !== null && found.position !== null) {
    return (
      row.position.streamId !== found.position.streamId || row.position.segmentNumber !== found.position.segmentNumber
    );
  }
  // Without mtxi: a closed file never shrinks, so a smaller one was created again.
  return row.local === "present" && found.bytes < row.bytes;
}

export interface ClosedEvidence {
  /** `mvhd.duration` is not 0: MediaMTX wrote its last byte. */
  readonly finalised: boolean;
  /** Time since the last write, by the file's mtime. */
  readonly quietForMs: number;
  /** The configured QUIET_TIME. */
  readonly quietMs: number;
  /** A later segment of the same path exists; MediaMTX has at most one file open per path. */
  readonly laterSegmentExists: boolean;
  /** The running MediaMTX was started after the last write to the file. */
  readonly writtenBeforeServerStart: boolean;
}

/** Hook and watch come first, and a later segment of the path hastens the look; it is for when nothing else comes. */
export const LOOK_AT_OPEN_AFTER_MS = 30_000;

/** A lull that a stalled camera does not reach within one file, but a file that was left behind does at once. */
const LEFT_BEHIND_QUIET_MS = 2_000;

/** May anybody still write to the file? When in doubt: yes (F8). */
export function isClosed(evidence: ClosedEvidence): boolean {
  if (evidence.finalised) return true;
  if (evidence.quietForMs >= evidence.quietMs) return true;
  if (evidence.quietForMs < LEFT_BEHIND_QUIET_MS) return false;
  return evidence.laterSegmentExists || evidence.writtenBeforeServerStart;
}
