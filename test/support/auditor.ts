/**
 * The independent checker: says from disk, database and bucket alone whether the promises hold. It shares no code with
 * src/: own queries, own MP4 reader, own hashing. The invariants, in the words of the failure catalogue:
 *
 * I1  each file MediaMTX created is exactly one of {local+row, R2 verified+row, trash+row, quarantined+row,
 *     retention-deleted with audit row};
 * I2  every unlink of a segment is preceded by a verification record for the same dev/ino/size/sha256;
 * I3  every `verified` object's bytes hash to the row;
 * I4  no object ever overwritten with other bytes;
 * I5  every gap in mtxi numbers is reported;
 * I6  no byte served without a grant (nothing is served here; the HTTP tests watch it).
 *
 * It only reads. It may run while everything runs; what is under way then is no violation unless `quiescent` is set.
 */
import path from "node:path";

import { type BucketLocation, readBucket } from "./audit/bucket.js";
import { checkCreatedFiles } from "./audit/created.js";
import { checkNumbers } from "./audit/numbers.js";
import { checkObjects } from "./audit/objects.js";
import { checkRemovals } from "./audit/removals.js";
import { readRows } from "./audit/rows.js";

export interface AuditInput {
  /** A real path. */
  readonly recordDir: string;
  /** Of SQLite. */
  readonly databaseFile: string;
  readonly bucket: BucketLocation;
  /** First part of every object key. */
  readonly prefix: string;
  /** Every file that MediaMTX created, as its log names it, as often as it created it; see created-files.ts. */
  readonly createdFiles: readonly string[];
  /** All work is done: nothing may wait, be open, half uploaded or in the trash. */
  readonly quiescent: boolean;
}

export interface AuditReport {
  /** Each begins with the invariant that it breaks. Empty: all hold. */
  readonly violations: readonly string[];
  readonly counted: Readonly<Record<AuditCount, number>>;
}

type AuditCount =
  | "created"
  | "local"
  | "archived"
  | "trashed"
  | "quarantined"
  | "deleted"
  | "rows"
  | "removals"
  | "verified"
  | "objects"
  /** Under the prefix, of no row. */
  | "orphanObjects"
  /** Nothing beside them says what they should be. */
  | "unvouchedObjects"
  | "streams"
  | "missingNumbers";

/** Rows and files cannot be read at one instant: what is broken while everything runs is still broken at a second look. */
export async function audit(input: AuditInput): Promise<AuditReport> {
  const first = await auditOnce(input);
  if (input.quiescent || first.violations.length === 0) return first;
  const second = await auditOnce(input);
  const seenBefore = new Set(first.violations);
  return { ...second, violations: second.violations.filter((violation) => seenBefore.has(violation)) };
}

async function auditOnce(input: AuditInput): Promise<AuditReport> {
  const [rows, objects] = await Promise.all([readRows(input.databaseFile), readBucket(input.bucket, input.prefix)]);
  const facts = { ...input, recordDir: path.resolve(input.recordDir), rows, objects };
  const parts = [
    await checkCreatedFiles(facts),
    checkRemovals(facts),
    checkObjects(facts),
    await checkNumbers(facts),
  ] as const;
  const [created, removals, stored, numbers] = parts;
  return {
    violations: parts.flatMap(({ violations }) => violations),
    counted: {
      rows: rows.recordings.length,
      ...created.counted,
      ...removals.counted,
      ...stored.counted,
      ...numbers.counted,
    },
  };
}
