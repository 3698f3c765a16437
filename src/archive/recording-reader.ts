/** A recording opened once for many reads: one descriptor on disk, or ranges of its object. */
import type { FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";

import { AppError } from "../core/errors.js";
import type { Recording } from "../core/recording.js";
import type { ByteReader } from "../media/byte-reader.js";
import { type LocalFile, type OpenRecordingDeps, openCopy, type ReadableRecording } from "./open-recording.js";

/** Large enough that the calls do not count beside the copying, small enough for a hundred viewers at once. */
const BLOCK_BYTES = 1_048_576;
const LOCAL_WINDOW_BYTES = 4_096;
/** A request costs more than these bytes do. */
const STORE_WINDOW_BYTES = 262_144;

/** Also of a file that is still being written: as many bytes as it has now. Throws as `openCopy` does. */
export async function openRecordingReader(
  deps: OpenRecordingDeps,
  recording: ReadableRecording & Pick<Recording, "bytes">,
  signal: AbortSignal,
): Promise<ByteReader> {
  const copy = await openCopy(deps, recording);
  if (copy.kind === "local") return localReader(copy.file, recording);
  return {
    sizeBytes: recording.bytes,
    windowBytes: STORE_WINDOW_BYTES,
    read: async (startBytes, lengthBytes) => {
      const part = { start: startBytes, end: startBytes + lengthBytes - 1 };
      return collect(await copy.open({ part, signal }), lengthBytes);
    },
    async *blocks(startBytes, endBytes) {
      const bytes = await copy.open({ part: { start: startBytes, end: endBytes - 1 }, signal });
      let leftBytes = endBytes - startBytes;
      for await (const chunk of bytes as AsyncIterable<Buffer>) {
        if (chunk.byteLength > leftBytes) throw unexpectedLength(startBytes, endBytes);
        leftBytes -= chunk.byteLength;
        yield chunk;
      }
      if (leftBytes > 0) throw unexpectedLength(startBytes, endBytes);
    },
    close: () => Promise.resolve(),
  };
}

function localReader({ handle, sizeBytes }: LocalFile, { id }: ReadableRecording): ByteReader {
  const read = (startBytes: number, lengthBytes: number): Promise<Uint8Array> =>
    readExactly(handle, startBytes, lengthBytes).catch((error: unknown) => {
      if (error instanceof AppError) throw error;
      throw new AppError({ kind: "unavailable", message: `read the file of recording ${id}`, cause: error });
    });
  return {
    sizeBytes,
    windowBytes: LOCAL_WINDOW_BYTES,
    read,
    async *blocks(startBytes, endBytes) {
      const next = (at: number): Promise<Uint8Array> => read(at, Math.min(BLOCK_BYTES, endBytes - at));
      let block = next(startBytes);
      for (let at = startBytes; at < endBytes;) {
        const now = await block;
        at += now.byteLength;
        if (at < endBytes) {
          block = next(at);
          // Whoever takes no further block learns nothing of a failure to read it.
          block.catch(() => undefined);
        }
        yield now;
      }
    },
    close: () => handle.close(),
  };
}

async function readExactly(handle: FileHandle, startBytes: number, lengthBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  let done = 0;
  while (done < lengthBytes) {
    const { bytesRead } = await handle.read(bytes, done, lengthBytes - done, startBytes + done);
    // MediaMTX truncates a file that it creates again (F35).
    if (bytesRead === 0) throw unexpectedLength(startBytes, startBytes + lengthBytes);
    done += bytesRead;
  }
  return bytes;
}

async function collect(bytes: Readable, lengthBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let haveBytes = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    haveBytes += chunk.byteLength;
    if (haveBytes > lengthBytes) break;
  }
  if (haveBytes !== lengthBytes) throw unexpectedLength(0, lengthBytes);
  return Buffer.concat(chunks);
}

function unexpectedLength(startBytes: number, endBytes: number): AppError {
  return new AppError({
    kind: "unavailable",
    message: `read bytes ${String(startBytes)} to ${String(endBytes)} of a recording: got another number of bytes`,
  });
}
