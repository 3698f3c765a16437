/** A range of a path as one file, cut at sync samples, without any media made anew. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

import { makeFragmentedInit } from "../media/splice-init.js";
import { planClip } from "./clip-plan.js";
import type { ClipRequest } from "./clip-request.js";
import { fragmentedMedia } from "./fragmented-clip.js";
import { layOutPlainClip, plainMedia, sliceHead } from "./plain-clip.js";
import type { PlaybackDeps } from "./playback-deps.js";

interface ClipFacts {
  /** Of the whole file; null when only its end tells. */
  readonly bytes: number | null;
  readonly estimatedBytes: number;
  /** Wall clock of the first frame, which is at or before what was asked for where there is footage. */
  readonly startUs: number;
  /** Wall clock, at most one frame before the end of the last frame. */
  readonly endUs: number;
}

export interface PreparedClip extends ClipFacts {
  /** Names these bytes; null when parts of the file cannot be had. */
  readonly etag: string | null;
  /** All of it, or bytes [start, end) where `bytes` is known. */
  readonly open: (part?: { readonly start: number; readonly end: number }) => Promise<Readable>;
}

export interface Clip extends ClipFacts {
  readonly stream: Readable;
}

/** Buffers this much for a slow reader, beside the block that is being read. */
const BUFFERED_BYTES = 1_048_576;

/**
 * Throws `not-found` when there is no footage, `failed-precondition` when one file cannot hold it, `unavailable` when
 * we cannot tell; the stream fails with the same. It closes what it reads when it is destroyed.
 */
export async function writeClip(deps: PlaybackDeps, request: ClipRequest, signal: AbortSignal): Promise<Clip> {
  const { bytes, estimatedBytes, startUs, endUs, open } = await prepareClip(deps, request, signal);
  return { bytes, estimatedBytes, startUs, endUs, stream: await open() };
}

/** The same, before any media is read. */
export async function prepareClip(
  deps: PlaybackDeps,
  request: ClipRequest,
  signal: AbortSignal,
): Promise<PreparedClip> {
  const plan = await planClip(deps, request, signal);
  const { estimatedBytes, startUs, endUs } = plan;
  if (request.format === "fmp4") {
    const init = makeFragmentedInit(plan.splice, startUs);
    const open = () => streamOf([init], fragmentedMedia(deps, plan, signal));
    return { bytes: null, estimatedBytes, startUs, endUs, etag: null, open };
  }
  const plain = await layOutPlainClip(deps, plan, signal);
  const { bytes } = plain;
  return {
    bytes,
    estimatedBytes: bytes,
    startUs,
    endUs,
    etag: etagOf(plain.head),
    open: ({ start, end } = { start: 0, end: bytes }) =>
      streamOf(sliceHead(plain.head, start, end), plainMedia(deps, plain, { start, end, signal })),
  };
}

/** The head tells the place and the size of every sample, and when the clip begins. */
function etagOf(head: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const bytes of head) hash.update(bytes);
  return `"${hash.digest("hex")}"`;
}

/** With the first media in hand: a copy that cannot be read is an answer of its own, not a file that ends at once. */
async function streamOf(head: readonly Uint8Array[], media: AsyncGenerator<Uint8Array>): Promise<Readable> {
  const first = await media.next();
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* head;
    if (first.done === true) return;
    yield first.value;
    yield* media;
  }
  const stream = Readable.from(all(), { objectMode: false, highWaterMark: BUFFERED_BYTES });
  // A stream that was never read never began its generator, and so would not end the one below.
  stream.once("close", () => void media.return(undefined).catch(() => undefined));
  return stream;
}
