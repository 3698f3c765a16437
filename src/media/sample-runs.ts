/**
 * All samples of one fragment with their places in the file (ISO/IEC 14496-12 §8.8.7, §8.8.8), for copying them: moof.ts
 * reads the same tables for their sums alone.
 */
import { type Box, childrenOf, damaged, fourcc, placeOf, readUint64, requireBody, requireChild } from "./box.js";
import type { InitTrack, SampleDefaults } from "./init.js";
import { flagsOf, MAX_UNIFORM_SAMPLES, readTfdt, readTfhd, TFHD, TRUN } from "./moof.js";

/** The samples of one `trun`, which lie one behind the other. */
export interface SampleRun {
  readonly trackId: number;
  /** `tfdt`; null: right after the run before. */
  readonly startTicks: number | null;
  /** Of the first sample, from the start of the file. */
  readonly offsetBytes: number;
  readonly durationsTicks: Uint32Array;
  readonly sizesBytes: Uint32Array;
  readonly flags: Uint32Array;
  readonly compositionTicks: Int32Array;
}

export interface FragmentBoxes {
  readonly moof: Box;
  /** Of what is inside `mdat`, from the start of the file. */
  readonly mediaStartBytes: number;
  readonly mediaEndBytes: number;
}

/** Throws `data-loss` for a table that contradicts itself or points outside of `mdat`. */
export function readSampleRuns(fragment: FragmentBoxes, tracks: ReadonlyMap<number, InitTrack>): SampleRun[] {
  const { moof } = fragment;
  const runs: SampleRun[] = [];
  const moofStartBytes = moof.viewOffsetBytes + moof.start;
  let implicitBase = moofStartBytes;
  for (const traf of childrenOf(moof)) {
    if (traf.type !== fourcc("traf")) continue;
    const children = childrenOf(traf);
    const head = readHead(requireChild(children, fourcc("tfhd"), traf), tracks, { moofStartBytes, implicitBase });
    const tfdt = children.find((box) => box.type === fourcc("tfdt"));
    let startTicks = tfdt === undefined ? null : readTfdt(tfdt, head.timescale);
    let nextBytes = head.baseBytes;
    for (const trun of children) {
      if (trun.type !== fourcc("trun")) continue;
      const run = readTrun(trun, { ...head, startTicks, nextBytes });
      nextBytes = endOf(run);
      if (run.offsetBytes < fragment.mediaStartBytes || nextBytes > fragment.mediaEndBytes) {
        throw damaged(`read ${placeOf(trun)}: samples outside of mdat`);
      }
      startTicks = null;
      if (run.sizesBytes.length > 0) runs.push(run);
    }
    implicitBase = nextBytes;
  }
  return runs;
}

/** Offset after the last sample. */
function endOf(run: SampleRun): number {
  let end = run.offsetBytes;
  for (const size of run.sizesBytes) end += size;
  return end;
}

interface Bases {
  readonly moofStartBytes: number;
  /** Without any flag: "the end of the data defined by the preceding track fragment" (§8.8.7.1). */
  readonly implicitBase: number;
}

interface Head {
  readonly trackId: number;
  readonly defaults: SampleDefaults;
  readonly timescale: number;
  readonly baseBytes: number;
}

function readHead(tfhd: Box, tracks: ReadonlyMap<number, InitTrack>, bases: Bases): Head {
  const head = readTfhd(tfhd, tracks);
  const flags = flagsOf(tfhd);
  let at = tfhd.body + 8;
  let baseBytes = (flags & TFHD.baseIsMoof) !== 0 ? bases.moofStartBytes : bases.implicitBase;
  if ((flags & TFHD.baseDataOffset) !== 0) {
    requireBody(tfhd, 16);
    baseBytes = readUint64(tfhd, at);
    at += 8;
  }
  if ((flags & TFHD.descriptionIndex) !== 0) {
    requireBody(tfhd, at - tfhd.body + 4);
    const index = tfhd.view.getUint32(at);
    if (index !== 1) throw damaged(`read ${placeOf(tfhd)}: sample description ${String(index)}, expected 1`);
  }
  return { ...head, baseBytes };
}

interface TrunContext extends Head {
  readonly startTicks: number | null;
  /** Where its samples begin when it does not say. */
  readonly nextBytes: number;
}

function readTrun(trun: Box, context: TrunContext): SampleRun {
  requireBody(trun, 8);
  const { view } = trun;
  const flags = flagsOf(trun);
  const count = view.getUint32(trun.body + 4);
  let at = trun.body + 8;
  const next = (flag: number): number | undefined => {
    if ((flags & flag) === 0) return undefined;
    requireBody(trun, at + 4 - trun.body);
    at += 4;
    return view.getUint32(at - 4);
  };
  const dataOffset = next(TRUN.dataOffset);
  const firstFlags = next(TRUN.firstFlags);
  const fields = [TRUN.duration, TRUN.size, TRUN.flags, TRUN.compositionOffset].filter((flag) => (flags & flag) !== 0);
  if (fields.length === 0 && count > MAX_UNIFORM_SAMPLES) throw damaged(`read ${placeOf(trun)}: too many samples`);
  requireBody(trun, at - trun.body + count * fields.length * 4);
  const column = (flag: number, fallback: number): Uint32Array => {
    const values = new Uint32Array(count);
    const index = fields.indexOf(flag);
    if (index < 0) return values.fill(fallback);
    const stride = 4 * fields.length;
    for (let sample = 0, from = at + 4 * index; sample < count; sample += 1, from += stride) {
      values[sample] = view.getUint32(from);
    }
    return values;
  };
  const sampleFlags = column(TRUN.flags, context.defaults.flags);
  if (firstFlags !== undefined && count > 0 && (flags & TRUN.flags) === 0) sampleFlags[0] = firstFlags;
  return {
    trackId: context.trackId,
    startTicks: context.startTicks,
    offsetBytes: dataOffset === undefined ? context.nextBytes : context.baseBytes + (dataOffset | 0),
    durationsTicks: column(TRUN.duration, context.defaults.durationTicks),
    sizesBytes: column(TRUN.size, context.defaults.sizeBytes),
    flags: sampleFlags,
    // Version 0 says unsigned, but no writer means 13 hours.
    compositionTicks: new Int32Array(column(TRUN.compositionOffset, 0).buffer),
  };
}
