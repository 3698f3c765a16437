/** A range of a path as one file, cut at sync samples, without any media made anew. */
import { Readable } from "node:stream";

import { planClip, type ClipPlan } from "./clip-plan.js";
import type { ClipRequest } from "./clip-request.js";
import { fragmentedClip } from "./fragmented-clip.js";
import type { PlaybackDeps } from "./playback-deps.js";

export interface Clip {
  /** Of the whole file; null when only its end tells. */
  readonly bytes: number | null;
  readonly estimatedBytes: number;
  /** Wall clock of the first frame, which is at or before what was asked for where there is footage. */
  readonly startUs: number;
  /** Wall clock, at most one frame before the end of the last frame. */
  readonly endUs: number;
  readonly stream: Readable;
}

/** Buffers this much for a slow reader, beside the block that is being read. */
const BUFFERED_BYTES = 1_048_576;

/**
 * Throws `not-found` when there is no footage, `failed-precondition` when one file cannot hold it, `unavailable` when
 * we cannot tell; the stream fails with the same. It closes what it reads when it is destroyed.
 */
export async function writeClip(deps: PlaybackDeps, request: ClipRequest, signal: AbortSignal): Promise<Clip> {
  const plan = await planClip(deps, request, signal);
  return { bytes: null, ...factsOf(plan), stream: await streamOf(fragmentedClip(deps, plan, signal)) };
}

function factsOf({ estimatedBytes, startUs, endUs }: ClipPlan): Pick<Clip, "estimatedBytes" | "startUs" | "endUs"> {
  return { estimatedBytes, startUs, endUs };
}

/** With the first media in hand: a copy that cannot be read is an answer of its own, not a file that ends at once. */
async function streamOf(pieces: AsyncGenerator<Uint8Array>): Promise<Readable> {
  const first = [await pieces.next(), await pieces.next(), await pieces.next()];
  async function* all(): AsyncGenerator<Uint8Array> {
    for (const piece of first) if (piece.done !== true) yield piece.value;
    yield* pieces;
  }
  const stream = Readable.from(all(), { objectMode: false, highWaterMark: BUFFERED_BYTES });
  // A stream that was never read never began its generator, and so would not end the one below.
  stream.once("close", () => void pieces.return(undefined).catch(() => undefined));
  return stream;
}
