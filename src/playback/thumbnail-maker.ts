/**
 * Makes the periodic pictures of what waits in the table, one after the other, and removes those whose recording is gone.
 * When nothing is due, recordings of before there were pictures join, some at a time, and MPEG-TS of before gets its
 * index. It only ever waits for others: nothing of the pipeline waits for it. What cannot be made now comes back later;
 * ffmpeg gets a few chances for each recording.
 */
import { findToCatchUp, noteCaughtUp, restartThumbnailCatchUp } from "../catalog/thumbnail-catch-up.js";
import {
  leaveThumbnailQueue,
  nextForThumbnails,
  postponeThumbnails,
  type WaitingForThumbnails,
} from "../catalog/thumbnail-queue.js";
import { forgetThumbnail, listThumbnailsToRemove, type SweepPlace, sweepThumbnails } from "../catalog/thumbnails.js";
import { fullJitterMs } from "../core/back-off.js";
import { describeError, isAppError } from "../core/errors.js";
import type { RecordingId } from "../core/recording.js";
import { FfmpegUnavailable } from "../media/ffmpeg.js";
import type { Logger } from "../platform/logger.js";
import { indexTransport } from "./index-transport.js";
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
/** Between pages of rows of before that hold nothing to do. */
const WALK_EVERY_MS = 250;
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
  #hasCaughtUp = false;

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
        if (await this.makeNext()) continue;
        const restMs = (await this.catchUp()) === "looked" ? WALK_EVERY_MS : LOOK_EVERY_MS;
        await clock.sleep(restMs, signal);
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

  /**
   * A page of the recordings of before, when there is time for them; "looked": it held nothing to do. Throws when the
   * database does not answer.
   */
  async catchUp(): Promise<"worked" | "looked" | "full" | "done"> {
    const { catalog, intervalUs, isPressed } = this.#deps;
    if (this.#hasCaughtUp) return "done";
    if (isPressed() || catalog.clock.monotonicMs() < this.#restUntilMs) return "full";
    if (intervalUs === 0) await restartThumbnailCatchUp(catalog);
    const found = intervalUs === 0 ? "done" : await findToCatchUp(catalog, intervalUs);
    this.#hasCaughtUp = found === "done";
    if (found === "done" || found === "full") return found;
    for (const id of found.uncut) await this.#index(id);
    if (this.#stopping.signal.aborted) return "full";
    await noteCaughtUp(catalog, found);
    return found.uncut.length + found.withoutPictures.length > 0 ? "worked" : "looked";
  }

  /** What cannot be read now goes on being played as a whole file. */
  async #index(id: RecordingId): Promise<void> {
    await this.#giveWay();
    try {
      await indexTransport(this.#deps, id, this.#stopping.signal);
    } catch (error) {
      this.#tell("a recording cannot be indexed now", error);
    }
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
