/** A range of a path as one file, cut at sync samples, without any media made anew. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

import type { PlayableRecording } from "../catalog/playable-recordings.js";
import { makeFragmentedInit } from "../media/splice-init.js";
import { type ClipPlan, planClip } from "./clip-plan.js";
import type { ClipRequest } from "./clip-request.js";
import { findClipRecordings } from "./clip-segments.js";
import { fragmentedMedia } from "./fragmented-clip.js";
import { layOutPlainClip, sliceHead } from "./plain-clip.js";
import type { PlainLayout } from "./plain-layout.js";
import type { PlaybackDeps } from "./playback-deps.js";
import { fragmentedTransport, layOutPlainTransport } from "./transport-clip.js";
import { planTransportClip } from "./transport-clip-plan.js";

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
  const recordings = await findClipRecordings(deps, request);
  if (request.format === "fmp4") return prepareFragmented(deps, { request, recordings }, signal);
  const layout = await keptLayout(deps, { request, recordings }, signal);
  const { head, bytes, startUs, endUs } = layout;
  const open = ({ start, end } = { start: 0, end: bytes }) =>
    streamOf(sliceHead(head, start, end), layout.open({ start, end }, signal));
  return { bytes, estimatedBytes: bytes, startUs, endUs, etag: etagOf(head), open };
}

interface FoundClip {
  readonly request: ClipRequest;
  readonly recordings: readonly [PlayableRecording, ...PlayableRecording[]];
}

async function prepareFragmented(deps: PlaybackDeps, clip: FoundClip, signal: AbortSignal): Promise<PreparedClip> {
  if (clip.recordings[0].format === "mpegts") {
    const plan = await planTransportClip(deps, clip, signal);
    return unmeasured(plan, () => streamOf([], fragmentedTransport(deps, plan, signal)));
  }
  const plan = await planClip(deps, clip, signal);
  return unmeasured(plan, () => streamClip(deps, plan, signal));
}

function unmeasured(
  { estimatedBytes, startUs, endUs }: Pick<ClipFacts, "estimatedBytes" | "startUs" | "endUs">,
  open: () => Promise<Readable>,
): PreparedClip {
  return { bytes: null, estimatedBytes, startUs, endUs, etag: null, open };
}

/** HEAD and one range after the other are asked of the same clip: its heads are read once. */
async function keptLayout(deps: PlaybackDeps, clip: FoundClip, signal: AbortSignal): Promise<PlainLayout> {
  // What is being written grows.
  if (clip.recordings.some(({ local }) => local === "open")) return layOut(deps, clip, signal);
  const key = layoutKey(clip);
  const kept = deps.layouts.get(key);
  if (kept !== undefined) return kept;
  const layout = await layOut(deps, clip, signal);
  deps.layouts.put(key, layout, layout.heldBytes);
  return layout;
}

async function layOut(deps: PlaybackDeps, clip: FoundClip, signal: AbortSignal): Promise<PlainLayout> {
  if (clip.recordings[0].format === "mpegts") {
    return layOutPlainTransport(deps, await planTransportClip(deps, clip, signal), signal);
  }
  return layOutPlainClip(deps, await planClip(deps, clip, signal), signal);
}

/** All that a layout comes from: what was asked for, and where the bytes of which recordings are. */
function layoutKey({ request, recordings }: FoundClip): string {
  const hash = createHash("sha256").update(JSON.stringify(request));
  for (const { id, fileIdentity, bytes, local, archive, step, sha256, fragmentIndex } of recordings) {
    const facts = [id, fileIdentity, bytes, local, archive, step, sha256, fragmentIndex?.byteLength];
    hash.update(`\n${facts.join(" ")}`);
  }
  return hash.digest("hex");
}

/** A plan as fMP4. Throws as `writeClip`. */
export function streamClip(deps: PlaybackDeps, plan: ClipPlan, signal: AbortSignal): Promise<Readable> {
  return streamOf([makeFragmentedInit(plan.splice, plan.startUs)], fragmentedMedia(deps, plan, signal));
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
