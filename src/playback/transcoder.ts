/**
 * Makes pieces of recordings playable for browsers that lack their codecs, each for one viewer, a few at once. Nothing is
 * kept: a viewer that leaves ends its ffmpeg.
 */
import { findPlayableById } from "../catalog/playable-neighbours.js";
import type { PlayableRecording } from "../catalog/playable-recordings.js";
import { AppError, isAppError } from "../core/errors.js";
import type { Recording } from "../core/recording.js";
import type { TimeRange } from "../core/span.js";
import type { FfmpegSettings } from "../media/ffmpeg.js";
import { withPlainPcm } from "../media/pcm-entry.js";
import { transcode, type TranscodeRequest } from "../media/transcode.js";
import { Gate } from "../platform/gate.js";
import { planClip } from "./clip-plan.js";
import type { ClipRequest } from "./clip-request.js";
import { noFootage } from "./clip-segments.js";
import type { PlaybackDeps } from "./playback-deps.js";
import { fragmentedTransport } from "./transport-clip.js";
import { planTransportClip } from "./transport-clip-plan.js";
import { streamClip } from "./write-clip.js";

export interface TranscoderDeps {
  readonly playback: PlaybackDeps;
  readonly ffmpeg: FfmpegSettings;
  /** ffmpegs at once; twice as many may wait. */
  readonly atOnce: number;
}

const WITHIN_MS = 60_000;

export class Transcoder {
  readonly #deps: TranscoderDeps;
  readonly #gate: Gate;

  constructor(deps: TranscoderDeps) {
    this.#deps = deps;
    this.#gate = new Gate({ purpose: "transcode", atOnce: deps.atOnce, mostWaiting: deps.atOnce * 2 });
  }

  /**
   * MPEG-TS of [fromUs, toUs), from the sync sample at or before it. Throws `not-found` when nothing of it is there,
   * `unavailable` without ffmpeg, at the deadline and when too many wait, `data-loss` for damaged media.
   */
  read(recording: Pick<Recording, "id" | "path">, range: TimeRange, viewer: AbortSignal): Promise<Buffer> {
    return this.#gate.run(() => this.#make(recording, range, viewer), viewer);
  }

  async #make({ id, path }: Pick<Recording, "id" | "path">, range: TimeRange, viewer: AbortSignal): Promise<Buffer> {
    const signal = AbortSignal.any([viewer, AbortSignal.timeout(WITHIN_MS)]);
    const { playback, ffmpeg } = this.#deps;
    try {
      const recording = await findPlayableById(playback.catalog, id);
      const request = { path, ...range, format: "fmp4", gaps: "keep" } as const;
      if (recording === undefined) throw noFootage(request);
      const open = recording.format === "mpegts" ? openTransport : openFragments;
      return await transcode(ffmpeg, await open(playback, { request, recording }, signal), signal);
    } catch (error) {
      if (!isAppError(error, "cancelled") || viewer.aborted) throw error;
      const message = `transcode: no end within ${String(WITHIN_MS)} ms`;
      throw new AppError({ kind: "unavailable", message, cause: error });
    }
  }
}

interface Piece {
  readonly request: ClipRequest;
  readonly recording: PlayableRecording;
}

async function openFragments(
  playback: PlaybackDeps,
  { request, recording }: Piece,
  signal: AbortSignal,
): Promise<TranscodeRequest> {
  const plan = await planClip(playback, { request, recordings: [recording] }, signal);
  const own = plan.parts.at(-1)?.segment;
  return {
    media: opened(() => streamClip(playback, { ...plan, splice: withPlainPcm(plan.splice) }, signal)),
    tracks: plan.splice.tracks.map(({ track }) => track),
    startUs: plan.startUs - (own?.startUs ?? plan.startUs),
  };
}

/** Opened by whoever reads it: without an ffmpeg that is nobody, who would close nothing. */
async function* opened(open: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<Uint8Array> {
  yield* await open();
}

/** Another ffmpeg puts it into fragments, where it is cut to the sample. */
async function openTransport(
  playback: PlaybackDeps,
  { request, recording }: Piece,
  signal: AbortSignal,
): Promise<TranscodeRequest> {
  const plan = await planTransportClip(playback, { request, recordings: [recording] }, signal);
  const media = fragmentedTransport(playback, plan, signal);
  return { media, tracks: plan.tracks, startUs: plan.startUs - recording.startUs };
}
