/**
 * A corpus of broken recordings, grown by code from a sound one: cut at every border of a box, every size of a box set to
 * what sizes must never be, boxes repeated and put inside each other.
 */
import { u32, u64 } from "./fmp4.js";

export interface BrokenRecording {
  readonly what: string;
  readonly bytes: Buffer;
}

interface Place {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

const CONTAINERS = new Set(["moov", "trak", "mdia", "minf", "stbl", "mvex", "udta", "moof", "traf"]);
const SIZES = [0, 1, 7, 8, 0x7fff_ffff, 2 ** 31, 0xffff_ffff] as const;
const LARGE_SIZES = [0n, 1n, 15n, 16n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n] as const;

/** All boxes of a sound recording, parents before their children. */
export function boxesOf(bytes: Buffer, from = 0, to = bytes.length): Place[] {
  const places: Place[] = [];
  for (let start = from; start + 8 <= to; start = start + bytes.readUInt32BE(start)) {
    const type = bytes.toString("latin1", start + 4, start + 8);
    const end = start + bytes.readUInt32BE(start);
    places.push({ type, start, end });
    if (CONTAINERS.has(type)) places.push(...boxesOf(bytes, start + 8, end));
  }
  return places;
}

/** `boxes` limits the corpus to the first boxes of the file. */
export function breakRecording(sound: Buffer, boxes = Infinity): BrokenRecording[] {
  return boxesOf(sound)
    .slice(0, boxes)
    .flatMap((place) => [...cutAt(sound, place), ...withSizes(sound, place), ...rearranged(sound, place)]);
}

function cutAt(sound: Buffer, { type, start, end }: Place): BrokenRecording[] {
  return [start, start + 4, start + 8, end - 1].map((at) => ({
    what: `cut off at byte ${at}, by ${type} of ${start}`,
    bytes: sound.subarray(0, at),
  }));
}

function withSizes(sound: Buffer, { type, start }: Place): BrokenRecording[] {
  const head = sound.subarray(0, start);
  const rest = sound.subarray(start + 4);
  const body = sound.subarray(start + 8);
  return [
    ...SIZES.map((size) => ({
      what: `${type} at ${start} of size ${size}`,
      bytes: Buffer.concat([head, u32(size), rest]),
    })),
    ...LARGE_SIZES.map((size) => ({
      what: `${type} at ${start} of 64-bit size ${size}`,
      bytes: Buffer.concat([head, u32(1), Buffer.from(type, "latin1"), u64(size), body]),
    })),
  ];
}

function rearranged(sound: Buffer, { type, start, end }: Place): BrokenRecording[] {
  const [head, whole, tail] = [sound.subarray(0, start), sound.subarray(start, end), sound.subarray(end)];
  const header = (bytes: number): Buffer => Buffer.concat([u32(bytes), Buffer.from(type, "latin1")]);
  const nested = Array.from({ length: 50 }, (_, depth) => header(whole.length + 8 * (50 - depth)));
  return [
    { what: `${type} at ${start} missing`, bytes: Buffer.concat([head, tail]) },
    { what: `${type} at ${start} twice`, bytes: Buffer.concat([head, whole, whole, tail]) },
    { what: `${type} at ${start} inside 50 others`, bytes: Buffer.concat([head, ...nested, whole, tail]) },
    {
      what: `${type} at ${start} full of zeros`,
      bytes: Buffer.concat([head, header(end - start), Buffer.alloc(end - start - 8), tail]),
    },
    {
      what: `${type} at ${start} full of ones`,
      bytes: Buffer.concat([head, header(end - start), Buffer.alloc(end - start - 8, 0xff), tail]),
    },
  ];
}
