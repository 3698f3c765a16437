/**
 * The storage contract. Every store (folder, S3/R2) passes the one suite in test/contract/object-store. Rules common to all:
 * - keys are printable ASCII, relative, without empty, `.` or `..` parts, at most 1024 bytes, not below `.reelkeeper/`;
 * - a key is never the folder of another key (`a` beside `a/b`): stores that keep files refuse it;
 * - `put` never overwrites: an existing key is answered with `already-exists`, whatever its bytes are;
 * - `put` never throws `not-found`: that word is for a proven absence, and nothing is proven absent by a failed put;
 * - `head` answers undefined only for a proven absence; every doubt (timeout, 403, 500) is thrown as `unavailable`
 *   or `permission-denied`;
 * - every call ends by its deadline or by the signal, whichever comes first.
 */
import type { Readable } from "node:stream";

import { AppError } from "../core/errors.js";

export interface ObjectFacts {
  readonly key: string;
  readonly bytes: number;
  /** Hex MD5 of the whole object where the store vouches for it (single PUT), else null. */
  readonly md5: string | null;
  /** Hex SHA-256 that was written beside the object at `put`, else null. */
  readonly sha256: string | null;
  readonly etag: string;
  /** The other facts that were written beside the object (ASCII). */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What is to be stored: a finished file, hashed before. */
export interface PutSource {
  /** Absolute path of the file. */
  readonly filePath: string;
  /** dev:ino:size:mtimeNs that was hashed; the store throws `failed-precondition` when the open file differs. */
  readonly fileIdentity: string;
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  /** Hex. */
  readonly sha256: string;
  readonly contentType: string;
  /** Lowercase keys, ASCII values, at most 2 KiB in all. */
  readonly metadata: Readonly<Record<string, string>>;
  /** MediaMTX can never create a file of this name again (F35): a link to it is as good as a copy. */
  readonly nameIsUnique: boolean;
}

export interface PutOptions {
  readonly signal: AbortSignal;
  /**
   * A multipart upload begun earlier, to be resumed when the store still knows it. Opaque: the text that was given to
   * `onUploadId`. One that was begun for other bytes is aborted, not resumed.
   */
  readonly uploadId?: string;
  /** Called before the first part is sent, so that a crash can resume. */
  readonly onUploadId?: (uploadId: string) => Promise<void>;
  /** Called with each chunk handed to the network; a rate limiter may delay by its promise. */
  readonly onBytes?: (bytes: number) => Promise<void> | void;
}

export interface ObjectRange {
  /** First byte, inclusive. */
  readonly start: number;
  /** Last byte, inclusive (as in HTTP Range). */
  readonly end: number;
}

export interface ObjectStore {
  readonly kind: "local" | "r2";
  /** For people: folder or endpoint and bucket; never a secret. */
  readonly description: string;
  /** Proves at start that we can write, read and delete here. Throws with a hint. */
  selfTest(signal: AbortSignal): Promise<void>;
  put(key: string, source: PutSource, options: PutOptions): Promise<void>;
  head(key: string, signal: AbortSignal): Promise<ObjectFacts | undefined>;
  /** Bytes of the object or of a range. Throws `not-found`. The caller must consume or destroy the stream. */
  get(key: string, options: { readonly range?: ObjectRange; readonly signal: AbortSignal }): Promise<Readable>;
  /**
   * A URL at which anyone may GET the object until it expires, 1 s to 7 d from now; made without asking the store. Absent
   * where there is no such address.
   */
  presignGet?(key: string, options: { readonly expiresSec: number; readonly contentType: string }): Promise<string>;
  /** Succeeds when the key is absent. Throws `failed-precondition` when a retention lock forbids it. */
  delete(key: string, signal: AbortSignal): Promise<void>;
  /** Keys below a prefix, in key order, with size. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<{ readonly key: string; readonly bytes: number }>;
  /** Aborts multipart uploads of ours that are older than `olderThanMs`; returns how many. */
  abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number>;
  /** Gives up idle connections; running calls end by their own signals. */
  close(): void;
}

const MAX_KEY_BYTES = 1_024;
const MAX_METADATA_BYTES = 2_048;
/** Where a folder store keeps its own files; reserved in every store, so that an archive can move from one to another. */
export const RESERVED_FOLDER = ".reelkeeper";

/** Throws `invalid-argument` that names the rule which the key breaks. */
export function assertObjectKey(key: string): void {
  const reason = whyNotObjectKey(key);
  if (reason === undefined) return;
  throw new AppError({
    kind: "invalid-argument",
    message: `object key ${JSON.stringify(key.slice(0, 200))} ${reason}`,
  });
}

/** What `put` promises to keep must fit into HTTP headers as it is. */
export function assertMetadata(metadata: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    bytes += name.length + value.length;
    if (!/^[a-z0-9-]+$/.test(name) || name === "sha256" || !/^(?:[!-~](?:[ -~]*[!-~])?)?$/.test(value)) {
      throw new AppError({ kind: "invalid-argument", message: `metadata ${JSON.stringify(name)} is not plain ASCII` });
    }
  }
  if (bytes > MAX_METADATA_BYTES) {
    throw new AppError({
      kind: "invalid-argument",
      message: `metadata has ${String(bytes)} bytes, expected at most ${String(MAX_METADATA_BYTES)}`,
    });
  }
}

function whyNotObjectKey(key: string): string | undefined {
  if (key === "" || key.length > MAX_KEY_BYTES) return `must have 1 to ${String(MAX_KEY_BYTES)} bytes`;
  // R2 normalises other text to NFC, which would make two names one.
  if (!/^[ -~]+$/.test(key)) return "must be printable ASCII";
  const parts = key.split("/");
  if (parts.includes("")) return "must not begin or end with a slash or hold two in a row";
  if (parts.includes(".") || parts.includes("..")) return "must not hold the parts . or ..";
  if (parts[0] === RESERVED_FOLDER) return `must not lie in ${RESERVED_FOLDER}`;
  return undefined;
}
