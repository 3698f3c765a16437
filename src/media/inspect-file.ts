/**
 * One pass over a segment file: header walk and, when asked, MD5 and SHA-256 of the same bytes. Synchronous; runs in a
 * worker thread (inspection-worker.ts). Only reads, so it may run twice and die anywhere.
 */
import { AppError, isAppError } from "../core/errors.js";
import type { SegmentFormat } from "../core/recording.js";
import { FileByteSource } from "./byte-source.js";
import { NoWholeFragmentError, walkFragments } from "./fragment-walk.js";
import { HashingByteSource } from "./hashing-byte-source.js";
import { type Init, readInit } from "./init.js";
import type { FileHashes, FragmentIndex, Inspection } from "./inspection.js";
import { RegularFile } from "./regular-file.js";
import { indexTransportStream } from "./transport-index.js";

export interface InspectFileRequest {
  readonly filePath: string;
  readonly format: SegmentFormat;
  readonly hash: boolean;
}

export interface InspectedFile {
  /** Null for MPEG-TS, which has no headers that would tell it all, and for what the walk refused. */
  readonly inspection: Inspection | null;
  /** Of MPEG-TS; null where it cannot be cut. */
  readonly streamIndex: FragmentIndex | null;
  readonly refusal: Refusal | null;
  readonly hashes: FileHashes | null;
  /** Of the bytes that were read; see core/file-identity.ts. */
  readonly identity: string;
  readonly sizeBytes: number;
}

interface Refusal {
  /** A `data-loss` message. */
  readonly message: string;
  /** Another reader may know this kind of file; false when it is empty or holds no whole fragment. */
  readonly isOpen: boolean;
}

/**
 * Throws `failed-precondition` when the file changed while it was read, `not-found`, `invalid-argument` for what is no
 * regular file, `permission-denied`, `unavailable`.
 */
export function inspectFile(request: InspectFileRequest): InspectedFile {
  const file = RegularFile.open(request.filePath);
  try {
    const identity = file.identity();
    const hashing = request.hash ? new HashingByteSource(file) : null;
    const walked = walk(request.format, hashing ?? new FileByteSource(file));
    const hashes = hashing?.finish() ?? null;
    if (file.identity() !== identity) {
      throw new AppError({ kind: "failed-precondition", message: `inspect ${request.filePath}: changed while read` });
    }
    return { ...walked, hashes, identity, sizeBytes: file.sizeBytes };
  } finally {
    file.close();
  }
}

type Walked = Pick<InspectedFile, "inspection" | "streamIndex" | "refusal">;

function walk(format: SegmentFormat, source: FileByteSource | HashingByteSource): Walked {
  if (source.sizeBytes === 0) return refused("read first byte: the file is empty", false);
  if (format === "mpegts") return { inspection: null, streamIndex: indexTransportStream(source), refusal: null };
  try {
    return { inspection: walkFragments(source, readFragmentedInit(source)), streamIndex: null, refusal: null };
  } catch (error) {
    if (!isAppError(error, "data-loss")) throw error;
    return refused(error.message, !(error instanceof NoWholeFragmentError));
  }
}

function readFragmentedInit(source: FileByteSource | HashingByteSource): Init {
  const init = readInit(source);
  if (init.isFragmented) return init;
  throw new AppError({ kind: "data-loss", message: "read moov: no mvex inside, expected a fragmented MP4" });
}

function refused(message: string, isOpen: boolean): Walked {
  return { inspection: null, streamIndex: null, refusal: { message, isOpen } };
}
