/**
 * Reading a finished segment for a store: the very bytes that were hashed, or an error. The file is opened once and
 * read by its descriptor; what was opened must have the identity that was hashed, before and after.
 */
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";

import { AppError, errnoOf } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import type { PutOptions, PutSource } from "./object-store.js";

/** Large reads keep the event loop free; a throttled upload gets small ones, so that its socket never looks idle. */
const CHUNK_BYTES = 1_048_576;
const THROTTLED_CHUNK_BYTES = 65_536;

export interface OpenSource {
  readonly handle: FileHandle;
  /** As it was opened. */
  readonly stat: BigIntStats;
  /** Bytes [start, start + bytes) of the file. Fails with `failed-precondition` when the file is shorter. */
  stream(slice: SourceSlice): Readable;
  /** Throws `failed-precondition` when the file is no longer the one that was hashed. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}

interface SourceSlice {
  readonly start: number;
  readonly bytes: number;
  readonly onBytes?: PutOptions["onBytes"];
}

export async function openSource(source: PutSource): Promise<OpenSource> {
  const handle = await openNoFollow(source.filePath);
  const statUnchanged = async (): Promise<BigIntStats> => {
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) throw sourceChanged(source, "not a regular file");
    const identity = fileIdentity(stat);
    if (identity !== source.fileIdentity || stat.size !== BigInt(source.bytes)) {
      throw sourceChanged(source, `is ${identity}, hashed were ${source.fileIdentity}, ${String(source.bytes)} bytes`);
    }
    return stat;
  };
  try {
    return {
      handle,
      stat: await statUnchanged(),
      stream: (slice) => streamSlice(handle, source, slice),
      assertUnchanged: async () => {
        await statUnchanged();
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** O_NONBLOCK: a FIFO under this name must not block the open for ever. */
async function openNoFollow(filePath: string): Promise<FileHandle> {
  try {
    return await open(filePath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const gone = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "");
    const denied = ["EACCES", "EPERM"].includes(errnoOf(error) ?? "");
    throw new AppError({
      kind: gone ? "failed-precondition" : denied ? "permission-denied" : "unavailable",
      message: `open ${filePath} for upload`,
      cause: error,
    });
  }
}

function streamSlice(handle: FileHandle, source: PutSource, slice: SourceSlice): Readable {
  let position = slice.start;
  const end = slice.start + slice.bytes;
  let chunkBytes = slice.onBytes === undefined ? CHUNK_BYTES : THROTTLED_CHUNK_BYTES;

  const next = async (): Promise<Buffer | null> => {
    if (position >= end) return null;
    const wanted = Math.min(chunkBytes, end - position);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, position);
    if (bytesRead === 0)
      throw sourceChanged(source, `ends at byte ${String(position)}, expected ${String(source.bytes)}`);
    position += bytesRead;
    const held = slice.onBytes?.(bytesRead);
    chunkBytes = held === undefined ? CHUNK_BYTES : THROTTLED_CHUNK_BYTES;
    await held;
    return buffer.subarray(0, bytesRead);
  };
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      next().then(
        (chunk) => this.push(chunk),
        (error: unknown) => this.destroy(toReadError(error, source.filePath)),
      );
    },
  });
}

function toReadError(error: unknown, filePath: string): AppError {
  if (error instanceof AppError) return error;
  return new AppError({ kind: "unavailable", message: `read ${filePath} for upload`, cause: error });
}

export function sourceChanged(source: PutSource, what: string): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: `read ${source.filePath} for upload: the file changed after it was hashed: ${what}`,
  });
}
