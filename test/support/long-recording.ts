/**
 * Hours of footage in no time: real boxes in MediaMTX's layout, a second in each fragment, 30 pictures and 48 frames of
 * sound; the media itself is a hole in the file, which reads as zeros.
 */
import { mkdir, open } from "node:fs/promises";
import path from "node:path";

import { audioEntry, box, init, part, type PartSpec, type TrackSpec, u32 } from "./fmp4.js";

const PICTURES_PER_SEC = 30;
const VIDEO_TIMESCALE = 90_000;
/** Divides 48 kHz into whole frames per second, which AAC does not. */
const SOUND_FRAMES_PER_SEC = 50;
const SOUND_TIMESCALE = 48_000;
const SOUND_FRAME_BYTES = 320;

const DOPS = box("dOps", [0, 2, 0, 0], u32(48_000), [0, 0, 0]);
const TRACKS: readonly TrackSpec[] = [
  { id: 1, timescale: VIDEO_TIMESCALE },
  { id: 2, timescale: SOUND_TIMESCALE, handler: "soun", sampleEntry: audioEntry("Opus", SOUND_TIMESCALE, DOPS) },
];

export interface LongRecording {
  readonly seconds: number;
  readonly bytesPerSec: number;
  /** Wall clock of the first sample. */
  readonly startUs: number;
  /** In MediaMTX's numbering. */
  readonly number: number;
}

/** Written below `directory` as `name`. */
export async function writeLongRecording(directory: string, name: string, long: LongRecording): Promise<void> {
  const file = path.join(directory, name);
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, "w");
  try {
    const mtxi = {
      streamId: "0a5c1b1e-0000-4000-8000-00000000000a",
      segmentNumber: BigInt(long.number),
      ntpNs: BigInt(long.startUs) * 1_000n,
      dtsNs: BigInt(long.number * long.seconds) * 1_000_000_000n,
    };
    const head = init({ tracks: TRACKS, mvhdDurationMs: long.seconds * 1_000, mtxi });
    await handle.write(head, 0, head.length, 0);
    let at = head.length;
    for (let second = 0; second < long.seconds; second += 1) {
      const { heads, mediaBytes } = fragmentOf(second, long);
      await handle.write(heads, 0, heads.length, at);
      at += heads.length + mediaBytes;
    }
    await handle.truncate(at);
  } finally {
    await handle.close();
  }
}

function fragmentOf(second: number, { bytesPerSec }: LongRecording): { heads: Buffer; mediaBytes: number } {
  const pictureBytes = Math.floor((bytesPerSec - SOUND_FRAMES_PER_SEC * SOUND_FRAME_BYTES) / PICTURES_PER_SEC);
  const spec: PartSpec = {
    tracks: [
      {
        id: 1,
        tfdt: second * VIDEO_TIMESCALE,
        samples: Array.from({ length: PICTURES_PER_SEC }, (_, index) => ({
          durationTicks: VIDEO_TIMESCALE / PICTURES_PER_SEC,
          sizeBytes: pictureBytes,
          isSync: index === 0,
        })),
      },
      {
        id: 2,
        tfdt: second * SOUND_TIMESCALE,
        samples: Array.from({ length: SOUND_FRAMES_PER_SEC }, () => ({
          durationTicks: SOUND_TIMESCALE / SOUND_FRAMES_PER_SEC,
          sizeBytes: SOUND_FRAME_BYTES,
        })),
      },
    ],
  };
  const mediaBytes = pictureBytes * PICTURES_PER_SEC + SOUND_FRAME_BYTES * SOUND_FRAMES_PER_SEC;
  return { heads: part(spec).subarray(0, -mediaBytes), mediaBytes };
}
