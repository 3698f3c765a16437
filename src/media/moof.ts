/**
 * One `moof` (ISO/IEC 14496-12 §8.8): per track when it starts, how long it is, where its first sync sample lies. Only
 * tables are read, never media. The order of `traf` boxes means nothing: MediaMTX writes them in random order.
 */
import { type Box, childrenOf, damaged, fourcc, placeOf, readUint64, requireBody, requireChild } from "./box.js";
import type { InitTrack, SampleDefaults } from "./init.js";
import { ticksToUs } from "./ticks.js";

/** Samples that take no bytes in `trun` cannot be bounded by its size. */
export const MAX_UNIFORM_SAMPLES = 1_048_576;
/** A sample this long is suspect; see track-timeline.ts. */
const LONG_SAMPLE_SEC = 10;
/** Enough of each fragment to know the usual duration of a sample. */
const TYPICAL_SAMPLES = 64;
/** `sample_is_non_sync_sample` of §8.8.3.1. */
export const NON_SYNC_SAMPLE = 0x1_0000;

export const TFHD = {
  baseDataOffset: 0x1,
  descriptionIndex: 0x2,
  duration: 0x8,
  size: 0x10,
  flags: 0x20,
  baseIsMoof: 0x2_0000,
};
export const TRUN = {
  dataOffset: 0x1,
  firstFlags: 0x4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  compositionOffset: 0x800,
};

/** What one track has in one fragment. */
export interface TrackSpan {
  readonly trackId: number;
  /** `tfdt`; null when absent: the span then follows the one before. */
  readonly startTicks: number | null;
  readonly durationTicks: number;
  readonly sampleCount: number;
  /** Of all sample bytes. */
  readonly sizeBytes: number;
  /** From the start of the span to its first sync sample; null when it holds none. */
  readonly syncOffsetTicks: number | null;
  readonly longSamplesTicks: readonly number[];
  readonly typicalSamplesTicks: readonly number[];
}

const TRAF = fourcc("traf");
const TFHD_BOX = fourcc("tfhd");
const TFDT = fourcc("tfdt");
const TRUN_BOX = fourcc("trun");

/**
 * `isLearning`: usual durations of samples are wanted too. Throws `data-loss` for a table that contradicts itself or
 * names a track that `moov` lacks.
 */
export function readMoof(moof: Box, tracks: ReadonlyMap<number, InitTrack>, isLearning: boolean): TrackSpan[] {
  const spans: TrackSpan[] = [];
  for (const box of childrenOf(moof)) if (box.type === TRAF) spans.push(readTraf(box, tracks, isLearning));
  if (spans.length === 0) throw damaged(`read ${placeOf(moof)}: no traf inside`);
  return spans;
}

interface Run {
  readonly trackId: number;
  readonly startTicks: number | null;
  durationTicks: number;
  sampleCount: number;
  sizeBytes: number;
  syncOffsetTicks: number | null;
  readonly longTicks: number;
  readonly longSamplesTicks: number[];
  readonly typicalSamplesTicks: number[];
  readonly mostTypical: number;
}

function readTraf(traf: Box, tracks: ReadonlyMap<number, InitTrack>, isLearning: boolean): TrackSpan {
  const children = childrenOf(traf);
  const { trackId, defaults, timescale } = readTfhd(requireChild(children, TFHD_BOX, traf), tracks);
  const tfdt = children.find((box) => box.type === TFDT);
  const run: Run = {
    trackId,
    startTicks: tfdt === undefined ? null : readTfdt(tfdt, timescale),
    durationTicks: 0,
    sampleCount: 0,
    sizeBytes: 0,
    syncOffsetTicks: null,
    longTicks: LONG_SAMPLE_SEC * timescale,
    longSamplesTicks: [],
    typicalSamplesTicks: [],
    mostTypical: isLearning ? TYPICAL_SAMPLES : 0,
  };
  for (const box of children) if (box.type === TRUN_BOX) addTrun(run, box, defaults);
  return run;
}

/** §8.8.7 */
export function readTfhd(
  tfhd: Box,
  tracks: ReadonlyMap<number, InitTrack>,
): { readonly trackId: number; readonly defaults: SampleDefaults; readonly timescale: number } {
  requireBody(tfhd, 8);
  const flags = flagsOf(tfhd);
  const trackId = tfhd.view.getUint32(tfhd.body + 4);
  const known = tracks.get(trackId);
  if (known === undefined) throw damaged(`read ${placeOf(tfhd)}: track ${String(trackId)}, expected one of moov`);
  let at = 8;
  if ((flags & TFHD.baseDataOffset) !== 0) at += 8;
  if ((flags & TFHD.descriptionIndex) !== 0) at += 4;
  const next = (flag: number, fallback: number): number => {
    if ((flags & flag) === 0) return fallback;
    at += 4;
    requireBody(tfhd, at);
    return tfhd.view.getUint32(tfhd.body + at - 4);
  };
  const durationTicks = next(TFHD.duration, known.defaults.durationTicks);
  const sizeBytes = next(TFHD.size, known.defaults.sizeBytes);
  const defaults = { durationTicks, sizeBytes, flags: next(TFHD.flags, known.defaults.flags) };
  return { trackId, defaults, timescale: known.track.timescale };
}

/** §8.8.12 */
export function readTfdt(tfdt: Box, timescale: number): number {
  requireBody(tfdt, 4);
  const isLong = tfdt.view.getUint8(tfdt.body) === 1;
  requireBody(tfdt, isLong ? 12 : 8);
  const ticks = isLong ? readUint64(tfdt, tfdt.body + 4) : tfdt.view.getUint32(tfdt.body + 4);
  ticksToUs(ticks, timescale); // refuses what no duration can hold
  return ticks;
}

/** §8.8.8. Without any flags a sample is what `trex` says: in MediaMTX's files a sync sample. */
function addTrun(run: Run, trun: Box, defaults: SampleDefaults): void {
  requireBody(trun, 8);
  const flags = flagsOf(trun);
  const count = trun.view.getUint32(trun.body + 4);
  let at = 8 + ((flags & TRUN.dataOffset) === 0 ? 0 : 4);
  let firstFlags = defaults.flags;
  if ((flags & TRUN.firstFlags) !== 0) {
    requireBody(trun, at + 4);
    firstFlags = trun.view.getUint32(trun.body + at);
    at += 4;
  }
  const hasDuration = (flags & TRUN.duration) !== 0;
  const hasSize = (flags & TRUN.size) !== 0;
  const hasFlags = (flags & TRUN.flags) !== 0;
  const sizeAt = hasDuration ? 4 : 0;
  const flagsAt = sizeAt + (hasSize ? 4 : 0);
  const strideBytes = flagsAt + (hasFlags ? 4 : 0) + ((flags & TRUN.compositionOffset) === 0 ? 0 : 4);
  if (strideBytes === 0) {
    addUniform(run, trun, { count, firstFlags, defaults });
    return;
  }
  requireBody(trun, at + count * strideBytes);
  const { view } = trun;
  if (!hasSize) run.sizeBytes += count * defaults.sizeBytes;
  for (let index = 0, sample = trun.body + at; index < count; index += 1, sample += strideBytes) {
    if (hasSize) run.sizeBytes += view.getUint32(sample + sizeAt);
    const durationTicks = hasDuration ? view.getUint32(sample) : defaults.durationTicks;
    // All the rest of a fragment is read for its sums alone.
    const wantsFlags = hasFlags && run.syncOffsetTicks === null;
    addSample(
      run,
      durationTicks,
      wantsFlags ? view.getUint32(sample + flagsAt) : index === 0 ? firstFlags : defaults.flags,
    );
  }
}

function addSample(run: Run, durationTicks: number, flags: number): void {
  if (run.syncOffsetTicks === null && (flags & NON_SYNC_SAMPLE) === 0) run.syncOffsetTicks = run.durationTicks;
  run.durationTicks += durationTicks;
  run.sampleCount += 1;
  if (durationTicks > run.longTicks) run.longSamplesTicks.push(durationTicks);
  if (run.typicalSamplesTicks.length < run.mostTypical) run.typicalSamplesTicks.push(durationTicks);
}

interface Uniform {
  readonly count: number;
  readonly firstFlags: number;
  readonly defaults: SampleDefaults;
}

/** All samples alike: counted, not visited, whatever count the file claims. */
function addUniform(run: Run, trun: Box, { count, firstFlags, defaults }: Uniform): void {
  if (count === 0) return;
  if (count > MAX_UNIFORM_SAMPLES) {
    throw damaged(`read ${placeOf(trun)}: ${String(count)} samples, expected at most ${String(MAX_UNIFORM_SAMPLES)}`);
  }
  addSample(run, defaults.durationTicks, firstFlags);
  if (count > 1) addSample(run, defaults.durationTicks, defaults.flags);
  const rest = Math.max(0, count - 2);
  run.sampleCount += rest;
  run.durationTicks += rest * defaults.durationTicks;
  run.sizeBytes += count * defaults.sizeBytes;
}

export function flagsOf(box: Box): number {
  return box.view.getUint32(box.body) & 0xff_ffff;
}
