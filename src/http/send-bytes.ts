/**
 * Bytes under a promised Content-Length. Node sends whatever comes: too few of them (MediaMTX truncates a file that it
 * creates again, F35) would leave the viewer waiting and make the next answer on the connection part of the video, so the
 * answer is cut off then. A viewer that leaves is no failure.
 */
import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";

import { AppError } from "../core/errors.js";
import type { SpareBuffers } from "../platform/spare-buffers.js";
import type { Turns } from "../platform/turns.js";

export interface SendBytesDeps {
  readonly turns: Pick<Turns, "take">;
  readonly blocks: Pick<SpareBuffers, "take" | "giveBack">;
}

interface Promised {
  /** As Content-Length says. */
  readonly length: number;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

/** A block of the stream in each turn. Throws `unavailable` for too few bytes, and the stream's own error. */
export async function sendStream(
  { turns }: Pick<SendBytesDeps, "turns">,
  bytes: Readable,
  { length, response, signal }: Promised,
): Promise<void> {
  const blocks = (source: Readable) => exactly(source, length, turns);
  await pipeline(bytes, blocks, response, { signal }).catch((error: unknown) => {
    if (!hasLeft(error, signal)) throw error;
  });
}

async function* exactly(bytes: Readable, length: number, turns: SendBytesDeps["turns"]): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    sent += chunk.length;
    if (sent > length) break;
    await turns.take();
    yield chunk;
  }
  if (sent !== length) throw endedEarly(sent, length);
}

interface FilePart {
  readonly handle: FileHandle;
  readonly start: number;
}

/**
 * The same of an open file, which it closes: what a hundred viewers ask for all the time, so buffers are used again. The
 * next block is read once the kernel has this one: a viewer who does not read holds no more.
 */
export async function sendFilePart(deps: SendBytesDeps, part: FilePart, promised: Promised): Promise<void> {
  const { length, response, signal } = promised;
  try {
    for (let sent = 0; sent < length;) sent += await sendBlock(deps, part, { promised, sent });
    response.end();
    await finished(response);
  } catch (error) {
    response.destroy();
    if (!hasLeft(error, signal)) throw error;
  } finally {
    await part.handle.close();
  }
}

async function sendBlock(
  { turns, blocks }: SendBytesDeps,
  { handle, start }: FilePart,
  { promised: { length, response }, sent }: { readonly promised: Promised; readonly sent: number },
): Promise<number> {
  const block = blocks.take();
  const { bytesRead } = await handle.read(block, 0, Math.min(block.length, length - sent), start + sent);
  if (bytesRead === 0) throw endedEarly(sent, length);
  await turns.take();
  await written(response, block.subarray(0, bytesRead));
  // Not where it failed: the socket may have it still.
  blocks.giveBack(block);
  return bytesRead;
}

/** Rejects when the viewer leaves meanwhile, or left before. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(new Error("the viewer left"));
    if (response.destroyed) leave();
    response.once("close", leave);
    response.write(bytes, (error) => {
      response.off("close", leave);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

/** The kernel may tell who writes before it tells that the connection is closed. */
function hasLeft(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof Error && "syscall" in error && error.syscall === "write");
}

function endedEarly(sent: number, length: number): AppError {
  return new AppError({
    kind: "unavailable",
    message: `send a recording: its bytes ended after ${String(sent)}, expected ${String(length)}`,
  });
}
