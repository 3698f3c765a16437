/**
 * What becomes of a row whose object turned out not to be the copy that it was proven to be. Nothing local is released
 * on it any more; what is still on disk is archived again. An object that holds other bytes stays (F27), and may still
 * answer with the hash that was written beside it, so the new copy gets another key at once.
 */
import { conflictKey, type KeyFacts } from "./object-key.js";
import type { Recording } from "./recording.js";

export type FalseProof =
  /** A proven 404. */
  { readonly kind: "absent" } | { readonly kind: "differs"; readonly reason: string };

type Change = Pick<Recording, "archive" | "verifiedAtUs" | "step" | "error"> & { readonly objectKey?: string };

export function withoutProof(recording: Recording, prefix: string, found: FalseProof): Change {
  const key = recording.objectKey ?? "";
  const isHere = recording.local === "present";
  if (found.kind === "absent") {
    const error = `object ${key} is gone from the store`;
    return { archive: "none", verifiedAtUs: null, step: isHere ? "inspect" : null, error };
  }
  const error = `object ${key}: ${found.reason}`;
  const { path, startUs, position, format, sha256 } = recording;
  const facts: KeyFacts = { path, startUs, position, format, sha256: sha256 ?? "" };
  const other = sha256 === null ? key : conflictKey(prefix, facts);
  if (!isHere || other === key) return { archive: "conflict", verifiedAtUs: null, step: null, error };
  return { archive: "none", objectKey: other, verifiedAtUs: null, step: "archive", error };
}
