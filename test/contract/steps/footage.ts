/** Small real segments, written where and when MediaMTX would write them. */
import { appendFile, mkdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { parsePathName } from "../../../src/core/path-name.js";
import { compileRecordPath, DEFAULT_RECORD_PATH, OUR_RECORD_PATH } from "../../../src/mediamtx/record-path.js";
import type { Clock } from "../../../src/platform/clock.js";
import { init, part, samples, type SegmentSpec } from "../../support/fmp4.js";

export const STREAM_A = "0a5c1b1e-0000-4000-8000-00000000000a";
export const STREAM_B = "0a5c1b1e-0000-4000-8000-00000000000b";
const TIMESCALE = 90_000;
const FRAMES_PER_SEC = 10;

export interface Footage {
  readonly startUs: number;
  /** Whole seconds, one fragment each. */
  readonly seconds?: number;
  readonly streamId?: string;
  /** Undefined: no `mtxi`, as MediaMTX wrote before 1.15.2. */
  readonly number?: number;
  readonly finalised?: boolean;
  /** Makes the bytes of one second differ from those of another camera. */
  readonly sampleBytes?: number;
}

/** The bytes of a segment; each second is one fragment that begins with a sync sample. */
export function footage(options: Footage): Buffer {
  const seconds = options.seconds ?? 4;
  return Buffer.concat([
    init(specOf(options, seconds)),
    ...Array.from({ length: seconds }, (_, at) => fragment(at, options.sampleBytes)),
  ]);
}

/** Second `at` of a segment. */
export function fragment(at: number, sampleBytes = 10): Buffer {
  const [first, ...others] = samples(FRAMES_PER_SEC, TIMESCALE / FRAMES_PER_SEC);
  return part({
    tracks: [
      {
        id: 1,
        tfdt: at * TIMESCALE,
        samples: [first!, ...others.map((sample) => ({ ...sample, isSync: false }))].map((sample) => ({
          ...sample,
          sizeBytes: sampleBytes,
        })),
      },
    ],
  });
}

function specOf(options: Footage, seconds: number): Omit<SegmentSpec, "parts"> {
  const { number, streamId = STREAM_A, startUs } = options;
  return {
    tracks: [{ id: 1, timescale: TIMESCALE }],
    mvhdDurationMs: options.finalised === false ? 0 : seconds * 1_000,
    ...(number === undefined
      ? {}
      : { mtxi: { streamId, segmentNumber: BigInt(number), ntpNs: BigInt(startUs) * 1_000n } }),
  };
}

/** The name that our own recordPath gives, below the record directory. */
export function nameOf(camera: string, startUs: number, template = OUR_RECORD_PATH): string {
  return compileRecordPath(template, { timeZone: "UTC" }).encode(parsePathName(camera), startUs);
}

/** A name that MediaMTX could give twice. */
export function oldNameOf(camera: string, startUs: number): string {
  return nameOf(camera, startUs, DEFAULT_RECORD_PATH);
}

/** Writes (`append`: adds) as if it happened now by the clock. */
export async function writeAt(
  clock: Clock,
  file: string,
  content: Buffer | string,
  options: { readonly append?: boolean; readonly agoSec?: number } = {},
): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await (options.append === true ? appendFile(file, content) : writeFile(file, content));
  const sec = clock.nowUs() / 1e6 - (options.agoSec ?? 0);
  await utimes(file, sec, sec);
}
