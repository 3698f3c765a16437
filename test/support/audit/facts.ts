/** What the checks of the auditor look at, and how they answer. */
import type { ObjectsByKey } from "./bucket.js";
import type { Rows } from "./rows.js";

export interface AuditFacts {
  readonly recordDir: string;
  readonly createdFiles: readonly string[];
  readonly quiescent: boolean;
  readonly rows: Rows;
  readonly objects: ObjectsByKey;
}

export interface CheckResult<Count extends string> {
  readonly violations: readonly string[];
  readonly counted: Readonly<Record<Count, number>>;
}

export function trashFile(recording: { readonly id: string; readonly format: string }): string {
  return `.reelkeeper/trash/${recording.id}.${recording.format === "fmp4" ? "mp4" : "ts"}`;
}
