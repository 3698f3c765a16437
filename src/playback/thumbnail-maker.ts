/**
 * Makes the periodic pictures of what waits in the table, one after the other, and removes those whose recording is gone.
 * It only ever waits for others: nothing of the pipeline waits for it. What cannot be made now comes back later; ffmpeg
 * gets a few chances for each recording.
 */
import {
  leaveThumbnailQueue,
  nextForThumbnails,
  postponeThumbnails,
  type WaitingForThumbnails,
} from "../catalog/thumbnail-queue.js";
import { forgetThumbnail, listThumbnailsToRemove, type SweepPlace, sweepThumbnails } from "../catalog/thumbnails.js";
import { fullJitterMs } from "../core/back-off.js";
import { describeError, isAppError } from "../core/errors.js";
import { FfmpegUnavailable } from "../media/ffmpeg.js";
import type { Logger } from "../platform/logger.js";
import { makeThumbnails, type MakeThumbnailsDeps, type ThumbnailResult } from "./make-thumbnails.js";

export interface ThumbnailMakerDeps extends Omit<MakeThumbnailsDeps, "giveWay" | "onResult"> {
  readonly logger: Logger;
  /** Something that cannot wait is kept waiting. */
  readonly isPressed: () => boolean;
  readonly count: (result: ThumbnailCount) => void;
}

/** ffmpeg-failed: it is missing, or did not end · delayed: disk or store are away · given-up: ffmpeg failed too often. */
type ThumbnailCount = ThumbnailResult | "ffmpeg-failed" | "delayed" | "given-up";

const LOOK_EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 60_000;
const PRESSED_REST_MS = 50;
const MOST_FFMPEG_FAILURES = 5;
/** With the first retries after seconds and the last ones after a quarter of an hour, a store may be away for long. */
const LONGEST_REST_MS = 60_000;

export class ThumbnailMaker {
  readonly #deps: ThumbnailMakerDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #sweptTo: SweepPlace = null;
  #sweepAtMs = 0;
  #removeAtMs = 0;
  #restUntilMs = 0;
  #failures = 0;
  #told: string | null = null;

  constructor(deps: ThumbnailMakerDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** What is being made is made again by the next process. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps.catalog;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.removeGone();
        const hasWorked = await this.makeNext();
        if (!hasWorked) await clock.sleep(LOOK_EVERY_MS, signal);
      } catch (error) {
        this.#tell("pictures cannot be made now", error);
        await clock.sleep(LONGEST_REST_MS, signal);
      }
    }
  }

  /**
   * The pictures of the recording that is due first; false: none is due, or it is better to wait. Throws when the database
   * does not answer.
   */
  async makeNext(): Promise<boolean> {
    const { catalog, intervalUs } = this.#deps;
    if (catalog.clock.monotonicMs() < this.#restUntilMs) return false;
    const next = intervalUs === 0 ? undefined : await nextForThumbnails(catalog);
    if (next === undefined || next.dueAtUs > catalog.clock.nowUs()) return false;
    const { waiting } = next;
    const { signal } = this.#stopping;
    try {
      const giveWay = (): Promise<void> => this.#giveWay();
      await makeThumbnails({ ...this.#deps, giveWay, onResult: this.#deps.count }, waiting.recordingId, signal);
      await leaveThumbnailQueue(catalog, waiting.recordingId);
      this.#failures = 0;
      this.#told = null;
    } catch (error) {
      if (signal.aborted) return false;
      await this.#noteFailure(waiting, error);
    }
    return true;
  }

  /** Rows first, then objects; an object that cannot go now keeps its row. Throws when the database does not answer. */
  async removeGone(): Promise<void> {
    const { catalog, store } = this.#deps;
    const nowMs = catalog.clock.monotonicMs();
    if (nowMs >= this.#sweepAtMs) {
      this.#sweptTo = await sweepThumbnails(catalog, this.#sweptTo);
      this.#sweepAtMs = nowMs + SWEEP_EVERY_MS;
    }
    if (nowMs < this.#removeAtMs) return;
    for (const thumbnail of await listThumbnailsToRemove(catalog)) {
      if (this.#stopping.signal.aborted) return;
      try {
        await store.remove(thumbnail.objectKey, this.#stopping.signal);
      } catch (error) {
        this.#removeAtMs = catalog.clock.monotonicMs() + SWEEP_EVERY_MS;
        this.#tell("pictures of recordings that are gone stay for now", error);
        return;
      }
      await forgetThumbnail(catalog, thumbnail);
    }
  }

  async #giveWay(): Promise<void> {
    const { catalog, isPressed } = this.#deps;
    while (isPressed() && !this.#stopping.signal.aborted) {
      await catalog.clock.sleep(PRESSED_REST_MS, this.#stopping.signal);
    }
  }

  /** One recording that cannot be read does not keep the others waiting; a store that is away does, for a while. */
  async #noteFailure(waiting: WaitingForThumbnails, error: unknown): Promise<void> {
    const { catalog, count } = this.#deps;
    const isOfFfmpeg = error instanceof FfmpegUnavailable;
    count(isOfFfmpeg ? "ffmpeg-failed" : "delayed");
    this.#tell("pictures of a recording have to wait", error);
    const { recordingId } = waiting;
    const ffmpegFailures = waiting.ffmpegFailures + (isOfFfmpeg ? 1 : 0);
    // What nobody foresaw may happen for ever.
    const isForeseen = isAppError(error) && error.kind !== "internal";
    if (ffmpegFailures >= MOST_FFMPEG_FAILURES || (!isForeseen && waiting.attempts >= MOST_FFMPEG_FAILURES)) {
      count("given-up");
      await leaveThumbnailQueue(catalog, recordingId);
      return;
    }
    const delayMs = fullJitterMs(waiting.attempts);
    await postponeThumbnails(
      catalog,
      { recordingId, attempts: waiting.attempts + 1, ffmpegFailures },
      { dueAtUs: catalog.clock.nowUs() + Math.round(delayMs * 1_000), error: describeError(error) },
    );
    if (isOfFfmpeg) return;
    this.#failures += 1;
    this.#restUntilMs = catalog.clock.monotonicMs() + Math.min(LONGEST_REST_MS, fullJitterMs(this.#failures));
  }

  /** Once for each reason. */
  #tell(message: string, error: unknown): void {
    const text = describeError(error);
    if (text !== this.#told && !this.#stopping.signal.aborted) this.#deps.logger.warn(message, { err: text });
    this.#told = text;
  }
}
