/** Is the object of a row still the copy that was proven? Asked by verify and by the scrub. */
import type { Catalog } from "../catalog/catalog.js";
import { findRecording } from "../catalog/recordings.js";
import { isAppError } from "../core/errors.js";
import type { FalseProof } from "../core/false-proof.js";
import type { Recording } from "../core/recording.js";
import type { ObjectHead, VerifyDeps } from "./verify-deps.js";

export interface JudgeDeps extends Pick<VerifyDeps, "headObject" | "hashObject"> {
  readonly catalog: Catalog;
  readonly options: { readonly full: boolean };
  readonly counts: { objectsRead: number };
  readonly signal: AbortSignal;
}

/**
 * Undefined: it is, or the row changed meanwhile. `listedBytes`: what a list said; undefined when it did not name it.
 * Throws what the store answers when it cannot tell.
 */
export async function judgeObject(
  deps: JudgeDeps,
  seen: Recording,
  listedBytes: number | undefined,
): Promise<FalseProof | undefined> {
  if (!isSettled(seen, seen)) return undefined;
  if (listedBytes === seen.bytes && !deps.options.full) return undefined;
  const found = await lookAtObject(deps, seen);
  if (found === undefined) return undefined;
  const now = await findRecording(deps.catalog, seen.id);
  return now !== undefined && isSettled(now, seen) ? found : undefined;
}

/** Archived, nothing under way that could change that, and as it was seen. */
export function isSettled(now: Recording, seen: Recording): boolean {
  return (
    now.archive === "verified" &&
    (now.step === null || now.step === "release") &&
    now.objectKey === seen.objectKey &&
    now.sha256 === seen.sha256 &&
    now.bytes === seen.bytes
  );
}

async function lookAtObject(deps: JudgeDeps, row: Recording): Promise<FalseProof | undefined> {
  const key = row.objectKey ?? "";
  const head = await deps.headObject(key, deps.signal);
  if (head === undefined) return { kind: "absent" };
  const reason = whyNotSame(head, row);
  if (reason !== undefined) return { kind: "differs", reason };
  if (!deps.options.full) return undefined;
  try {
    const sha256 = await deps.hashObject(key, deps.signal);
    deps.counts.objectsRead += 1;
    if (sha256 === row.sha256) return undefined;
    return { kind: "differs", reason: `its bytes have SHA-256 ${sha256}, expected ${String(row.sha256)}` };
  } catch (error) {
    if (isAppError(error, "not-found")) return { kind: "absent" };
    throw error;
  }
}

function whyNotSame(head: ObjectHead, row: Recording): string | undefined {
  if (head.bytes !== row.bytes) return `${String(head.bytes)} bytes, expected ${String(row.bytes)}`;
  if (head.sha256 === null) return "it carries no SHA-256 of ours";
  if (head.sha256 !== row.sha256) return `SHA-256 ${head.sha256}, expected ${String(row.sha256)}`;
  if (head.md5 !== null && row.md5 !== null && head.md5 !== row.md5) return `MD5 ${head.md5}, expected ${row.md5}`;
  return undefined;
}
