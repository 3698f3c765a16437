/**
 * FragmentIndex as bytes, about 8 per fragment: a version byte, then unsigned LEB128 numbers. Fragments follow each
 * other and so do their times, so each is told as its difference from what the one before predicts.
 *
 * Fragment: flags, [gap before it], size, [|start - predicted start|], duration, [sync - start].
 */
import { AppError } from "../core/errors.js";
import type { Fragment, FragmentIndex } from "./inspection.js";

const VERSION = 1;
/** Bits of a fragment's flags byte. */
const FLAG = { gap: 1, start: 2, startDiffers: 4, startIsEarlier: 8, sync: 16, syncLater: 32 };
const MAX_BYTES_OF_NUMBER = 8;

/** What the fragment before foretells. */
interface Prediction {
  readonly offsetBytes: number;
  readonly startTicks: number;
}

export function encodeFragmentIndex(index: FragmentIndex): Uint8Array {
  const bytes: number[] = [VERSION];
  const header = [index.mainTrackId, index.timescale, index.initBytes, index.fragments.length];
  for (const value of header) pushNumber(bytes, value);
  let prediction: Prediction = { offsetBytes: index.initBytes, startTicks: 0 };
  for (const fragment of index.fragments) {
    pushFragment(bytes, fragment, prediction);
    prediction = predictAfter(fragment, prediction);
  }
  return Uint8Array.from(bytes);
}

/** Throws `data-loss` for bytes that `encodeFragmentIndex` did not make. */
export function decodeFragmentIndex(bytes: Uint8Array): FragmentIndex {
  const reader = new NumberReader(bytes);
  const version = reader.byte();
  if (version !== VERSION) throw unreadable(`version ${String(version)}, expected ${String(VERSION)}`);
  const mainTrackId = reader.number();
  const timescale = reader.number();
  const initBytes = reader.number();
  const count = reader.number();
  const fragments: Fragment[] = [];
  let prediction: Prediction = { offsetBytes: initBytes, startTicks: 0 };
  for (let index = 0; index < count; index += 1) {
    const fragment = readFragment(reader, prediction);
    fragments.push(fragment);
    prediction = predictAfter(fragment, prediction);
  }
  reader.end();
  return { mainTrackId, timescale, initBytes, fragments };
}

function predictAfter(fragment: Fragment, before: Prediction): Prediction {
  const startTicks = fragment.startTicks === null ? before.startTicks : fragment.startTicks + fragment.durationTicks;
  return {
    offsetBytes: fragment.offsetBytes + fragment.sizeBytes,
    startTicks: Number.isSafeInteger(startTicks) ? startTicks : 0,
  };
}

function pushFragment(bytes: number[], fragment: Fragment, predicted: Prediction): void {
  const { startTicks, syncTicks } = fragment;
  const gapBytes = fragment.offsetBytes - predicted.offsetBytes;
  const startDiff = startTicks === null ? 0 : startTicks - predicted.startTicks;
  const syncDiff = startTicks === null || syncTicks === null ? 0 : syncTicks - startTicks;
  if (startTicks === null && syncTicks !== null) {
    throw new AppError({
      kind: "internal",
      message: "encode fragment index: a fragment without start has a sync sample",
    });
  }
  const flags = [
    gapBytes === 0 ? 0 : FLAG.gap,
    startTicks === null ? 0 : FLAG.start,
    startDiff === 0 ? 0 : FLAG.startDiffers,
    startDiff < 0 ? FLAG.startIsEarlier : 0,
    syncTicks === null ? 0 : FLAG.sync,
    syncDiff === 0 ? 0 : FLAG.syncLater,
  ].reduce((all, flag) => all | flag, 0);
  bytes.push(flags);
  if (gapBytes !== 0) pushNumber(bytes, gapBytes);
  pushNumber(bytes, fragment.sizeBytes);
  if (startDiff !== 0) pushNumber(bytes, Math.abs(startDiff));
  pushNumber(bytes, fragment.durationTicks);
  if (syncDiff !== 0) pushNumber(bytes, syncDiff);
}

function readFragment(reader: NumberReader, predicted: Prediction): Fragment {
  const flags = reader.byte();
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const offsetBytes = predicted.offsetBytes + (has(FLAG.gap) ? reader.number() : 0);
  const sizeBytes = reader.number();
  const startDiff = has(FLAG.startDiffers) ? reader.number() : 0;
  const durationTicks = reader.number();
  const syncDiff = has(FLAG.syncLater) ? reader.number() : 0;
  const startTicks = predicted.startTicks + (has(FLAG.startIsEarlier) ? -startDiff : startDiff);
  return {
    offsetBytes,
    sizeBytes,
    startTicks: has(FLAG.start) ? startTicks : null,
    durationTicks,
    syncTicks: has(FLAG.sync) ? startTicks + syncDiff : null,
  };
}

function pushNumber(bytes: number[], value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new AppError({
      kind: "internal",
      message: `encode fragment index: value ${String(value)}, expected an integer from 0 to 2^53 - 1`,
    });
  }
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

class NumberReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw unreadable(`ends after ${String(this.#bytes.length)} bytes`);
    this.#at += 1;
    return byte;
  }

  number(): number {
    let value = 0;
    for (let index = 0; index < MAX_BYTES_OF_NUMBER; index += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * 128 ** index;
      if (byte < 128) {
        if (Number.isSafeInteger(value)) return value;
        break;
      }
    }
    throw unreadable(`a number before byte ${String(this.#at)} is beyond 2^53 - 1`);
  }

  end(): void {
    const rest = this.#bytes.length - this.#at;
    if (rest > 0) throw unreadable(`${String(rest)} bytes after the last fragment`);
  }
}

function unreadable(why: string): AppError {
  return new AppError({
    kind: "data-loss",
    message: `decode fragment index: ${why}`,
    hint: "inspect the recording again: the index is made from the file",
  });
}
