/** Elementary stream descriptor (ISO/IEC 14496-1 §7.2.6): object type, and for AAC the AudioSpecificConfig. */
import type { Box } from "./box.js";

export interface ElementaryStream {
  /** ObjectTypeIndication: 0x40 MPEG-4 audio, 0x6b MP3, 0x6c JPEG, 0x20 MPEG-4 video … */
  readonly objectType: number;
  readonly specificInfo: Uint8Array;
}

export interface AudioConfig {
  /** Of the whole stream: 2 AAC-LC, 5 HE-AAC, 29 HE-AAC v2. */
  readonly objectType: number;
  readonly sampleRateHz: number | null;
  /** Null where the configuration describes channels otherwise. */
  readonly channels: number | null;
}

const ES_DESCRIPTOR = 3;
const DECODER_CONFIG = 4;
const SPECIFIC_INFO = 5;
const SAMPLE_RATES_HZ = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const CHANNELS = [null, 1, 2, 3, 4, 5, 6, 8];
const SBR = 5;
const PARAMETRIC_STEREO = 29;

/** Undefined when the descriptors are not as the standard says; the fourcc then has to do. */
export function readEsds(esds: Box): ElementaryStream | undefined {
  const es = descriptorAt(bytesOf(esds).subarray(4), ES_DESCRIPTOR);
  if (es === undefined || es.length < 3) return undefined;
  const flags = es[2] ?? 0;
  let at = 3;
  if ((flags & 0x80) !== 0) at += 2;
  if ((flags & 0x40) !== 0) at += 1 + (es[at] ?? 0);
  if ((flags & 0x20) !== 0) at += 2;
  const config = descriptorAt(es.subarray(at), DECODER_CONFIG);
  const objectType = config?.[0];
  if (config === undefined || objectType === undefined) return undefined;
  return { objectType, specificInfo: descriptorAt(config.subarray(13), SPECIFIC_INFO) ?? new Uint8Array() };
}

/** AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1, as far as the codec string and the output rate need it. */
export function readAudioConfig(bytes: Uint8Array): AudioConfig | undefined {
  if (bytes.length < 2) return undefined;
  const bits = bitReader(bytes);
  const objectType = readObjectType(bits);
  const baseRate = readSampleRate(bits);
  const channels = CHANNELS[bits(4)] ?? null;
  const isExtended = objectType === SBR || objectType === PARAMETRIC_STEREO;
  const sampleRateHz = isExtended ? readSampleRate(bits) : baseRate;
  return { objectType, sampleRateHz, channels };
}

function bytesOf(box: Box): Uint8Array {
  return new Uint8Array(box.view.buffer, box.view.byteOffset + box.body, box.end - box.body);
}

/** Body of the descriptor with this tag when it comes first; its length is a base-128 number of at most four bytes. */
function descriptorAt(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  if (bytes[0] !== tag) return undefined;
  let length = 0;
  for (let at = 1; at <= 4; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    length = length * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) return bytes.subarray(at + 1, at + 1 + length);
  }
  return undefined;
}

/** Reads beyond the end as zeros. */
function bitReader(bytes: Uint8Array): (count: number) => number {
  let position = 0;
  return (count) => {
    let value = 0;
    for (let index = 0; index < count; index += 1, position += 1) {
      value = value * 2 + (((bytes[position >> 3] ?? 0) >> (7 - (position & 7))) & 1);
    }
    return value;
  };
}

function readObjectType(bits: (count: number) => number): number {
  const type = bits(5);
  return type === 31 ? 32 + bits(6) : type;
}

function readSampleRate(bits: (count: number) => number): number | null {
  const index = bits(4);
  return index === 15 ? bits(24) : (SAMPLE_RATES_HZ[index] ?? null);
}
