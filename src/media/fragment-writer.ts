/** `moof` and the header of its `mdat` for samples that are copied from elsewhere (ISO/IEC 14496-12 §8.8). */
import { makeBox, makeFullBox, mdatHeader, uint32, uint64 } from "./box-writer.js";
import { TFHD, TRUN } from "./moof.js";
import type { SampleRun } from "./sample-runs.js";

/** Samples [first, last) of a run, in another file's time. */
export interface KeptSamples {
  readonly run: SampleRun;
  readonly first: number;
  readonly last: number;
  readonly startTicks: number;
  readonly durationTicks: number;
  /** Samples that are presented from here on are there for others to be decoded, not to be shown; may be Infinity. */
  readonly shownUntilTicks: number;
  /** Of the first of them, in the file that they come from. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** `kept` in the order in which their bytes will follow. */
export function makeFragmentHead(sequence: number, kept: readonly KeptSamples[]): Buffer {
  const sizeBytes = kept.reduce((sum, samples) => sum + samples.sizeBytes, 0);
  const mdat = mdatHeader(sizeBytes);
  const moofBytes = makeMoof(sequence, kept, 0).byteLength;
  return Buffer.concat([makeMoof(sequence, kept, moofBytes + mdat.byteLength), mdat]);
}

function makeMoof(sequence: number, kept: readonly KeptSamples[], dataOffset: number): Buffer {
  let offset = dataOffset;
  const trafs = kept.map((samples) => {
    const traf = makeTraf(samples, offset);
    offset += samples.sizeBytes;
    return traf;
  });
  return makeBox("moof", makeFullBox("mfhd", {}, uint32(sequence)), ...trafs);
}

function makeTraf(samples: KeptSamples, dataOffset: number): Buffer {
  const tfhd = makeFullBox("tfhd", { flags: TFHD.baseIsMoof }, uint32(samples.run.trackId));
  const tfdt = makeFullBox("tfdt", { version: 1 }, uint64(samples.startTicks));
  return makeBox("traf", tfhd, tfdt, makeTrun(samples, dataOffset));
}

function makeTrun({ run, first, last }: KeptSamples, dataOffset: number): Buffer {
  const hasOffsets = run.compositionTicks.subarray(first, last).some((ticks) => ticks !== 0);
  const stride = hasOffsets ? 16 : 12;
  const entries = Buffer.allocUnsafe(stride * (last - first));
  for (let index = first, at = 0; index < last; index += 1, at += stride) {
    entries.writeUInt32BE(run.durationsTicks[index] ?? 0, at);
    entries.writeUInt32BE(run.sizesBytes[index] ?? 0, at + 4);
    entries.writeUInt32BE(run.flags[index] ?? 0, at + 8);
    if (hasOffsets) entries.writeInt32BE(run.compositionTicks[index] ?? 0, at + 12);
  }
  const always = TRUN.dataOffset | TRUN.duration | TRUN.size | TRUN.flags;
  const flags = always | (hasOffsets ? TRUN.compositionOffset : 0);
  return makeFullBox("trun", { version: 1, flags }, uint32(last - first, dataOffset), entries);
}
