/**
 * Pictures for viewers: found by the index, taken from the periodic ones where they have it, else decoded by ffmpeg from
 * a few bytes, and kept in the cache. Who asks for the same picture at the same time shares one ffmpeg, which ends when
 * the last of them has left.
 */
import { createHash } from "node:crypto";

import { findLastThumbnail, findThumbnail } from "../catalog/thumbnails.js";
import { AppError, isAppError } from "../core/errors.js";
import type { TimeRange } from "../core/span.js";
import { THUMBNAIL_WIDTH_PX } from "../core/thumbnail.js";
import { shrinkPicture } from "../media/key-picture.js";
import { Gate } from "../platform/gate.js";
import { SharedWork } from "../platform/shared-work.js";
import { type DecodeDeps, decodePicture } from "./decode-picture.js";
import { type LocateDeps, locatePicture, type Picture, type PictureRequest } from "./locate-picture.js";
import { readStoredPicture, storedName, type StoredPicturesDeps } from "./stored-pictures.js";

export interface ThumbnailDeps extends DecodeDeps, LocateDeps, StoredPicturesDeps {
  /** ffmpegs at once. */
  readonly atOnce: number;
}

export interface NearPictureRequest extends PictureRequest {
  /** A periodic picture that is older than the instant by at most this will do; 0: none. */
  readonly toleranceUs: number;
  /** Not one of before this; null: of any time. */
  readonly within: TimeRange | null;
}

/** Of reading and decoding together; a store may be slow. */
const MAKE_WITHIN_MS = 20_000;
const MOST_WAITING = 128;

export class Thumbnails {
  readonly #deps: ThumbnailDeps;
  readonly #gate: Gate;
  readonly #shared = new SharedWork<Buffer>();

  constructor(deps: ThumbnailDeps) {
    this.#deps = deps;
    this.#gate = new Gate({ purpose: "make a picture", atOnce: deps.atOnce, mostWaiting: MOST_WAITING });
  }

  /** Throws as `locatePicture`. */
  async locate(request: NearPictureRequest): Promise<Picture> {
    const { path, atUs, toleranceUs, within } = request;
    if (atUs === null || toleranceUs === 0) return locatePicture(this.#deps, request);
    const fromUs = Math.max(atUs - toleranceUs, within?.fromUs ?? 0);
    const near = await findLastThumbnail(this.#deps.catalog, path, { fromUs, toUs: atUs + 1 });
    return locatePicture(this.#deps, { path, atUs: near?.atUs ?? atUs });
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
    const jpeg = await this.#take(picture, widthPx, signal).catch((error: unknown) => {
      throw isAppError(error, "cancelled") && !unwanted.aborted ? tooSlow(error) : error;
    });
    await this.#deps.cache.put(pictureName(picture, widthPx), jpeg);
    return jpeg;
  }

  /** One of the periodic ones that cannot be read is as good as none. */
  async #take(picture: Picture, widthPx: number, signal: AbortSignal): Promise<Buffer> {
    const periodic = await this.#periodic(picture, widthPx, signal).catch(() => undefined);
    return periodic ?? decodePicture(this.#deps, { picture, widthPx }, signal);
  }

  /**
   * Undefined: of this very sync sample there is none that is wide enough. What is on disk is decoded sooner than a store
   * would answer.
   */
  async #periodic(
    { recording, takenAtUs }: Picture,
    widthPx: number,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    if (takenAtUs === null || widthPx > THUMBNAIL_WIDTH_PX) return undefined;
    const thumbnail = await findThumbnail(this.#deps.catalog, recording.id, takenAtUs);
    if (thumbnail === undefined) return undefined;
    const isOnDisk = recording.local === "open" || recording.local === "present";
    const jpeg = isOnDisk
      ? await this.#deps.cache.get(storedName(thumbnail.objectKey))
      : await readStoredPicture(this.#deps, thumbnail, signal);
    if (jpeg === undefined) return undefined;
    return widthPx === THUMBNAIL_WIDTH_PX ? jpeg : shrinkPicture(this.#deps.ffmpeg, { jpeg, widthPx }, signal);
  }
}

/** 32 hex digits: the same for the same bytes and width, whoever asks and whenever. */
export function pictureName({ recording, parts }: Picture, widthPx: number): string {
  const facts = [recording.id, ...parts.flatMap(({ start, end }) => [start, end]), widthPx];
  return createHash("sha256").update(facts.join(" ")).digest("hex").slice(0, 32);
}

function tooSlow(cause: unknown): AppError {
  const message = `make a picture: no end within ${String(MAKE_WITHIN_MS)} ms`;
  return new AppError({ kind: "unavailable", message, cause });
}
