/** Small reads of an object: its headers, for what the metadata has no room for. */
import { AppError, isAppError } from "../core/errors.js";
import type { Inspection } from "../media/inspection.js";
import { inspectRemote } from "../media/remote-walk.js";
import type { Clock } from "../platform/clock.js";
import { retryUnavailable } from "../platform/retry.js";
import type { ObjectStore } from "./object-store.js";

export interface ReadObjectDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
}

/** Undefined: its bytes are no fragmented MP4. Throws what the store answers. */
export async function inspectObject(
  { store, clock }: ReadObjectDeps,
  object: { readonly key: string; readonly bytes: number },
  signal: AbortSignal,
): Promise<Inspection | undefined> {
  const readRange = (start: number, length: number): Promise<Uint8Array> =>
    retryUnavailable(clock, signal, () => readWhole(store, { key: object.key, start, length }, signal));
  try {
    return await inspectRemote({ sizeBytes: object.bytes, readRange });
  } catch (error) {
    if (isAppError(error, "data-loss")) return undefined;
    throw error;
  }
}

interface Range {
  readonly key: string;
  readonly start: number;
  readonly length: number;
}

async function readWhole(store: ObjectStore, { key, start, length }: Range, signal: AbortSignal): Promise<Uint8Array> {
  const body = await store.get(key, { range: { start, end: start + length - 1 }, signal });
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length === length) return bytes;
  throw new AppError({
    kind: "unavailable",
    message: `get ${key}: ${String(bytes.length)} bytes from byte ${String(start)}, expected ${String(length)}`,
  });
}
