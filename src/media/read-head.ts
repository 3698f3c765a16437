/** The cheap look at a file that ingest takes when a hook comes: one read of its first bytes. */
import { open } from "node:fs/promises";

import { isAppError } from "../core/errors.js";
import type { StreamPosition } from "../core/recording.js";
import { MemoryByteSource } from "./byte-source.js";
import { readInit } from "./init.js";
import { fileError, notRegular, OPEN_FLAGS } from "./regular-file.js";

/** `ftyp` + `moov` of MediaMTX are 1 to 3 KiB. */
const HEAD_BYTES = 16_384;

export interface SegmentHead {
  /** MediaMTX closed the file: `mvhd.duration` is not 0. */
  readonly finalised: boolean;
  /** From `mtxi`, else null. */
  readonly startUs: number | null;
  readonly position: StreamPosition | null;
}

/** Null while there is no whole `moov`, for garbage and for `.ts`. Throws only what the file system answers. */
export async function readHead(filePath: string): Promise<SegmentHead | null> {
  if (filePath.toLowerCase().endsWith(".ts")) return null;
  const head = await readFirstBytes(filePath);
  try {
    const { declaredDurationUs, startUs, position } = readInit(new MemoryByteSource(head));
    return { finalised: declaredDurationUs !== null, startUs, position };
  } catch (error) {
    if (isAppError(error, "data-loss")) return null;
    throw error;
  }
}

async function readFirstBytes(filePath: string): Promise<Uint8Array> {
  const handle = await open(filePath, OPEN_FLAGS).catch((error: unknown) => {
    throw fileError(error, `open ${filePath}`);
  });
  try {
    if (!(await handle.stat()).isFile()) throw notRegular(filePath);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw isAppError(error) ? error : fileError(error, `read ${filePath}`);
  } finally {
    await handle.close();
  }
}
