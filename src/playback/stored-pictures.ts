/** Periodic pictures as they lie in the store; those that were made or read lately come from the cache. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

import type { Thumbnail } from "../catalog/thumbnails.js";
import { AppError } from "../core/errors.js";
import { isWholeJpeg, type PictureCache } from "./picture-cache.js";

export interface StoredPicturesDeps {
  readonly cache: PictureCache;
  /** Throws `not-found`. */
  readonly getObject: (key: string, signal: AbortSignal) => Promise<Readable>;
}

/** 640 pixels wide and at most a few times as high: ours have some 50 KB. */
const MOST_BYTES = 8 * 1_048_576;

/** Throws `not-found` when it is not in the store or no picture, `unavailable` when the store cannot be asked. */
export async function readStoredPicture(
  deps: StoredPicturesDeps,
  { objectKey }: Pick<Thumbnail, "objectKey">,
  signal: AbortSignal,
): Promise<Buffer> {
  const name = storedName(objectKey);
  const kept = await deps.cache.get(name);
  if (kept !== undefined) return kept;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of (await deps.getObject(objectKey, signal)) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) break;
    chunks.push(chunk);
  }
  const jpeg = Buffer.concat(chunks);
  if (bytes > MOST_BYTES || !isWholeJpeg(jpeg)) {
    throw new AppError({ kind: "not-found", message: `read ${objectKey}: ${String(bytes)} bytes that are no JPEG` });
  }
  await deps.cache.put(name, jpeg);
  return jpeg;
}

/** In the cache. */
export function storedName(objectKey: string): string {
  return createHash("sha256").update(`stored ${objectKey}`).digest("hex").slice(0, 32);
}
