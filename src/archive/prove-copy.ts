/**
 * Is the copy in the store whole? Decided by what the store itself answers, never by what was sent (promise 2).
 */
import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";

import { AppError } from "../core/errors.js";
import type { ObjectFacts, ObjectStore } from "./object-store.js";

export interface ExpectedCopy {
  readonly key: string;
  readonly bytes: number;
  /** Hex; null: nobody knows it any more. */
  readonly md5: string | null;
  /** Hex. */
  readonly sha256: string;
}

export type CopyVerdict =
  | { readonly kind: "proven"; readonly facts: ObjectFacts }
  /** A proven 404. */
  | { readonly kind: "absent" }
  /** Other bytes stand there; they may be somebody's only copy too. */
  | { readonly kind: "conflict"; readonly reason: string };

/** One HEAD. Throws `unavailable` or `permission-denied` when the store cannot tell. */
export async function proveCopy(store: ObjectStore, expected: ExpectedCopy, signal: AbortSignal): Promise<CopyVerdict> {
  const facts = await store.head(expected.key, signal);
  if (facts === undefined) return { kind: "absent" };
  const reason = whyNotSame(facts, expected);
  return reason === undefined ? { kind: "proven", facts } : { kind: "conflict", reason };
}

function whyNotSame(facts: ObjectFacts, expected: ExpectedCopy): string | undefined {
  if (facts.sha256 === null) return "the object carries no SHA-256 of ours";
  if (facts.sha256 !== expected.sha256) return `SHA-256 ${facts.sha256}, expected ${expected.sha256}`;
  if (facts.bytes !== expected.bytes) return `${String(facts.bytes)} bytes, expected ${String(expected.bytes)}`;
  if (facts.md5 !== null && expected.md5 !== null && facts.md5 !== expected.md5) {
    return `MD5 ${facts.md5}, expected ${expected.md5}`;
  }
  return undefined;
}

/** Reads the whole object and compares its hash. Throws `data-loss` when the store returns other bytes. */
export async function readBack(store: ObjectStore, expected: ExpectedCopy, signal: AbortSignal): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(await store.get(expected.key, { signal }), hash, { signal });
  const sha256 = hash.digest("hex");
  if (sha256 === expected.sha256) return;
  throw new AppError({
    kind: "data-loss",
    message: `read back ${expected.key}: SHA-256 ${sha256}, expected ${expected.sha256}`,
    hint: "the store returns other bytes than it took; the local copy is kept",
  });
}
