/** The tables of one track of a plain MP4 (ISO/IEC 14496-12 §8.6, §8.7), kept packed while they grow. */
import { AppError } from "../core/errors.js";
import { fullBoxOf, uint32 } from "./box-writer.js";
import type { KeptSamples } from "./fragment-writer.js";
import { NON_SYNC_SAMPLE } from "./moof.js";
import { RunList, Uint32List } from "./number-list.js";

/** Readers take a longer one for negative. */
const LONGEST_DELTA_TICKS = 0x7fff_ffff;
const UINT32 = 0x1_0000_0000;

export class SampleTable {
  /** Of the first sample on the clip's time. */
  firstTicks: number | undefined;
  firstCompositionTicks = 0;
  readonly #timescale: number;
  readonly #deltas = new RunList();
  readonly #compositions = new RunList();
  readonly #sizes = new Uint32List();
  readonly #syncs = new Uint32List();
  readonly #chunks: number[] = [];
  /** First chunk and samples per chunk, wherever the latter changes. */
  readonly #chunkRuns = new Uint32List();
  #samplesPerChunk = 0;
  #isAllSync = true;
  #hasCompositions = false;
  #endTicks = 0;
  /** Where the last sample that is to be shown ends, and where the first one that is not would begin. */
  #shownEndTicks = -Infinity;
  #hiddenFromTicks = Infinity;
  /** A sample lasts until the next one begins, which is not known before. */
  #lastDelta: number | undefined;

  constructor(timescale: number) {
    this.#timescale = timescale;
  }

  get durationTicks(): number {
    return this.firstTicks === undefined ? 0 : this.#endTicks - this.firstTicks;
  }

  /** From when the first sample is shown to the end of the last one; of reordered samples not the sum of all durations. */
  get shownTicks(): number {
    if (this.firstTicks === undefined) return 0;
    const endTicks = Math.min(this.#shownEndTicks, this.#hiddenFromTicks);
    return Math.max(0, endTicks - this.firstTicks - this.firstCompositionTicks);
  }

  /** Whether it holds samples that are there for others alone. */
  get hidesSamples(): boolean {
    return this.#hiddenFromTicks !== Infinity;
  }

  /** The samples are one chunk, which begins at `offsetBytes` from the start of all media. */
  add(kept: KeptSamples, offsetBytes: number): void {
    const { run, first, last, startTicks, durationTicks } = kept;
    if (this.firstTicks === undefined) {
      this.firstTicks = startTicks;
      this.firstCompositionTicks = run.compositionTicks[first] ?? 0;
    } else if (this.#lastDelta !== undefined) this.#lastDelta += startTicks - this.#endTicks;
    this.#addChunk(offsetBytes, last - first);
    let ticks = startTicks;
    for (let sample = first; sample < last; sample += 1) {
      this.#pushDelta(run.durationsTicks[sample] ?? 0);
      this.#sizes.push(run.sizesBytes[sample] ?? 0);
      const composition = run.compositionTicks[sample] ?? 0;
      this.#compositions.push(composition >>> 0);
      this.#hasCompositions ||= composition !== 0;
      this.#show(ticks + composition, run.durationsTicks[sample] ?? 0, kept.shownUntilTicks);
      ticks += run.durationsTicks[sample] ?? 0;
      if (((run.flags[sample] ?? 0) & NON_SYNC_SAMPLE) === 0) this.#syncs.push(this.#sizes.length);
      else this.#isAllSync = false;
    }
    this.#endTicks = startTicks + durationTicks;
  }

  #show(atTicks: number, durationTicks: number, untilTicks: number): void {
    if (atTicks < untilTicks) this.#shownEndTicks = Math.max(this.#shownEndTicks, atTicks + durationTicks);
    else this.#hiddenFromTicks = Math.min(this.#hiddenFromTicks, atTicks);
  }

  #addChunk(offsetBytes: number, sampleCount: number): void {
    this.#chunks.push(offsetBytes);
    if (sampleCount === this.#samplesPerChunk) return;
    this.#samplesPerChunk = sampleCount;
    this.#chunkRuns.push(this.#chunks.length);
    this.#chunkRuns.push(sampleCount);
    this.#chunkRuns.push(1);
  }

  #pushDelta(durationTicks: number): void {
    if (this.#lastDelta !== undefined) this.#flushDelta(this.#lastDelta);
    this.#lastDelta = durationTicks;
  }

  #flushDelta(delta: number): void {
    if (delta > LONGEST_DELTA_TICKS) {
      const hours = Math.round(delta / this.#timescale / 360) / 10;
      throw new AppError({
        kind: "failed-precondition",
        message: `write stts: nothing for ${String(hours)} hours, expected less than ${String(Math.floor(LONGEST_DELTA_TICKS / this.#timescale / 3_600))} in a plain MP4`,
        hint: "ask for gaps=close, for format=fmp4, or for one clip on each side of the gap",
      });
    }
    this.#deltas.push(delta);
  }

  /** Boxes of `stbl` behind `stsd`, but for the places of chunks. Ends the table. */
  finish(): Uint8Array[] {
    if (this.#lastDelta !== undefined) this.#flushDelta(this.#lastDelta);
    return [
      ...fullBoxOf("stts", {}, this.#deltas.finish()),
      ...(this.#hasCompositions ? fullBoxOf("ctts", { version: 1 }, this.#compositions.finish()) : []),
      ...(this.#isAllSync ? [] : fullBoxOf("stss", {}, [uint32(this.#syncs.length), this.#syncs.bigEndian()])),
      ...fullBoxOf("stsc", {}, [uint32(this.#chunkRuns.length / 3), this.#chunkRuns.bigEndian()]),
      ...fullBoxOf("stsz", {}, [uint32(0, this.#sizes.length), this.#sizes.bigEndian()]),
    ];
  }

  /** `stco`, or `co64` for files that its 32 bits do not reach over. */
  chunkOffsets(mediaStartBytes: number, isShort: boolean): Uint8Array[] {
    const width = isShort ? 4 : 8;
    const offsets = Buffer.allocUnsafe(width * this.#chunks.length);
    for (const [index, relative] of this.#chunks.entries()) {
      const offset = mediaStartBytes + relative;
      if (!isShort) offsets.writeUInt32BE(Math.floor(offset / UINT32), 8 * index);
      offsets.writeUInt32BE(offset % UINT32, width * index + width - 4);
    }
    return fullBoxOf(isShort ? "stco" : "co64", {}, [uint32(this.#chunks.length), offsets]);
  }
}
