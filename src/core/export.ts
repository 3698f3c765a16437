/** A clip that is made in the background and kept in the store for a while. */
import type { PathName } from "./path-name.js";

declare const brand: unique symbol;
export type ExportId = string & { readonly [brand]: "ExportId" };

/**
 * queued: waits for its turn, or for its next attempt · running · done: the store has proven it · failed: will not work,
 * see `error` · cancelled, deleted: a person asked for it, before and after it was done · expired: its time was over.
 */
export const EXPORT_STATES = ["queued", "running", "done", "failed", "cancelled", "deleted", "expired"] as const;
export type ExportState = (typeof EXPORT_STATES)[number];

export interface ExportRequest {
  readonly path: PathName;
  readonly fromUs: number;
  readonly toUs: number;
  readonly format: "mp4" | "fmp4";
  readonly gaps: "keep" | "close";
  /** How long the result stays. */
  readonly keepUs: number;
}

export interface Export extends ExportRequest {
  readonly id: ExportId;
  readonly state: ExportState;
  readonly writtenBytes: number;
  readonly estimatedBytes: number | null;
  readonly attempts: number;
  readonly error: string | null;
  readonly objectKey: string | null;
  /** Of the result. */
  readonly bytes: number | null;
  /** Hex. */
  readonly sha256: string | null;
  /** Wall clock of the first frame, and of the last one's end. */
  readonly startUs: number | null;
  readonly endUs: number | null;
  readonly expiresAtUs: number | null;
  readonly createdAtUs: number;
}

/** Below `~`, which no path can be: no rebuild takes it for a recording (core/object-key.ts). */
export function exportKey(prefix: string, { id, sha256 }: { readonly id: ExportId; readonly sha256: string }): string {
  return `${prefix}/~exports/${id}_${sha256.slice(0, 12)}.mp4`;
}
