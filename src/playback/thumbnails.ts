/**
 * Pictures for viewers: found by the index, decoded by ffmpeg from a few bytes, kept in the cache. Who asks for the same
 * picture at the same time shares one ffmpeg, which ends when the last of them has left.
 */
import { createHash } from "node:crypto";

import { AppError, isAppError } from "../core/errors.js";
import type { FfmpegSettings } from "../media/ffmpeg.js";
import { decodeKeyPicture } from "../media/key-picture.js";
import { Gate } from "../platform/gate.js";
import { SharedWork } from "../platform/shared-work.js";
import { type LocateDeps, locatePicture, type Picture, type PictureRequest } from "./locate-picture.js";
import type { PictureCache } from "./picture-cache.js";
import type { PlaybackDeps } from "./playback-deps.js";

export interface ThumbnailDeps extends PlaybackDeps, LocateDeps {
  readonly cache: PictureCache;
  readonly ffmpeg: FfmpegSettings;
  /** ffmpegs at once. */
  readonly atOnce: number;
}

/** Of reading and decoding together; a store may be slow. */
const MAKE_WITHIN_MS = 20_000;
const MOST_WAITING = 128;
/** MediaMTX refuses parts above `recordMaxPartSize`, 50 MB. */
const MOST_MEDIA_BYTES = 64 * 1_048_576;

export class Thumbnails {
  readonly #deps: ThumbnailDeps;
  readonly #gate: Gate;
  readonly #shared = new SharedWork<Buffer>();

  constructor(deps: ThumbnailDeps) {
    this.#deps = deps;
    this.#gate = new Gate({ atOnce: deps.atOnce, mostWaiting: MOST_WAITING });
  }

  /** Throws as `locatePicture`. */
  locate(request: PictureRequest): Promise<Picture> {
    return locatePicture(this.#deps, request);
  }

  /** A JPEG. Throws `unavailable` without ffmpeg, at the deadline and when too many wait, `data-loss` for damaged media. */
  async read(picture: Picture, widthPx: number, signal: AbortSignal): Promise<Buffer> {
    const name = pictureName(picture, widthPx);
    const kept = await this.#deps.cache.get(name);
    if (kept !== undefined) return kept;
    return this.#shared.join(
      name,
      (unwanted) => this.#gate.run(() => this.#make(picture, widthPx, unwanted), unwanted),
      signal,
    );
  }

  async #make(picture: Picture, widthPx: number, unwanted: AbortSignal): Promise<Buffer> {
    const signal = AbortSignal.any([unwanted, AbortSignal.timeout(MAKE_WITHIN_MS)]);
    const jpeg = await this.#decode(picture, widthPx, signal).catch((error: unknown) => {
      throw isAppError(error, "cancelled") && !unwanted.aborted ? tooSlow(error) : error;
    });
    await this.#deps.cache.put(pictureName(picture, widthPx), jpeg);
    return jpeg;
  }

  async #decode(picture: Picture, widthPx: number, signal: AbortSignal): Promise<Buffer> {
    const { ffmpeg } = this.#deps;
    const { format } = picture.recording;
    const media = await this.#readParts(picture, signal);
    try {
      return await decodeKeyPicture(ffmpeg, { format, media, widthPx }, signal);
    } catch (error) {
      const head = headOfTransportStream(picture);
      if (!isAppError(error, "data-loss") || head === undefined) throw error;
      return decodeKeyPicture(ffmpeg, { format, media: await this.#readParts(head, signal), widthPx }, signal);
    }
  }

  async #readParts({ recording, parts }: Picture, signal: AbortSignal): Promise<Uint8Array[]> {
    const read: Uint8Array[] = [];
    const wanted = parts.reduce((sum, { start, end }) => sum + end - start + 1, 0);
    if (wanted > MOST_MEDIA_BYTES) {
      const message = `picture of recording ${recording.id}: a fragment of ${String(wanted)} bytes is too large`;
      throw new AppError({ kind: "data-loss", message });
    }
    const reader = await this.#deps.openReader(recording, signal);
    try {
      for (const { start, end } of parts) read.push(await reader.read(start, end - start + 1));
      return read;
    } finally {
      await reader.close();
    }
  }
}

/** 32 hex digits: the same for the same bytes and width, whoever asks and whenever. */
export function pictureName({ recording, parts }: Picture, widthPx: number): string {
  const facts = [recording.id, ...parts.flatMap(({ start, end }) => [start, end]), widthPx];
  return createHash("sha256").update(facts.join(" ")).digest("hex").slice(0, 32);
}

/** A piece of a file whose GOP is longer than the piece holds no sync sample; the head of a file always does. */
function headOfTransportStream(picture: Picture): Picture | undefined {
  const [piece] = picture.parts;
  const isPiece = picture.recording.format === "mpegts" && picture.takenAtUs === null;
  if (!isPiece || piece === undefined || piece.start === 0) return undefined;
  return { ...picture, parts: [{ start: 0, end: piece.end - piece.start }] };
}

function tooSlow(cause: unknown): AppError {
  const message = `make a picture: no end within ${String(MAKE_WITHIN_MS)} ms`;
  return new AppError({ kind: "unavailable", message, cause });
}
