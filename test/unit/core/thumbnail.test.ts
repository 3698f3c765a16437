import { describe, expect, it } from "vitest";

import { isHousekeepingKey } from "../../../src/core/object-key.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { RecordingId, Track } from "../../../src/core/recording.js";
import { pictureInstants, type PicturedFacts, thumbnailKey } from "../../../src/core/thumbnail.js";

const MINUTE_US = 60_000_000;
const INTERVAL_US = 5 * MINUTE_US;
const VIDEO: Track = { kind: "video", id: 1, codec: "avc1", timescale: 1, widthPx: 1, heightPx: 1, frameRate: null };
const AUDIO: Track = { kind: "audio", id: 2, codec: "mp4a", timescale: 1, sampleRateHz: 8_000, channels: 1 };
const DAY_US = Date.UTC(2026, 10, 20) * 1_000;

function instants(fromMin: number, toMin: number, changes: Partial<PicturedFacts> = {}): number[] {
  const facts = { startUs: DAY_US + fromMin * MINUTE_US, endUs: DAY_US + toMin * MINUTE_US, position: null } as const;
  const recording: PicturedFacts = { ...facts, tracks: [VIDEO], format: "fmp4", ...changes };
  return pictureInstants(recording, INTERVAL_US).map((us) => (us - DAY_US) / MINUTE_US);
}

const numbered = (segmentNumber: number) => ({ position: { streamId: "a", segmentNumber } });

describe("the instants of pictures", () => {
  it("are the whole multiples of the interval, each in one of the recordings that join", () => {
    expect(instants(1, 16)).toEqual([5, 10, 15]);
    expect([instants(4, 5), instants(5, 6)]).toEqual([[], [5]]);
    expect(instants(6, 9)).toEqual([]);
  });

  it("hold the beginning of a run, once", () => {
    expect(instants(6, 11, numbered(0))).toEqual([6, 10]);
    expect(instants(5, 6, numbered(0))).toEqual([5]);
    expect(instants(6, 9, numbered(1))).toEqual([]);
  });

  it("are none without video, without length, and when there is no interval", () => {
    expect(instants(1, 16, { tracks: [AUDIO] })).toEqual([]);
    expect(instants(1, 16, { tracks: [] })).toEqual([]);
    expect(instants(1, 16, { tracks: [], format: "mpegts" })).toEqual([5, 10, 15]);
    expect(instants(5, 5)).toEqual([]);
    const recording = { startUs: 0, endUs: 10, position: null, tracks: [VIDEO], format: "fmp4" } as const;
    expect(pictureInstants(recording, 0)).toEqual([]);
  });

  it("are some thousands at most, whatever a recording claims", () => {
    expect(instants(0, 60 * 24 * 365 * 100).length).toBeLessThanOrEqual(10_000);
  });
});

describe("the key of a picture", () => {
  const id = "01932f6e-7c1a-7abc-8def-0123456789ab" as RecordingId;

  it("stands below ~thumbnails by path, day, instant and recording", () => {
    const key = thumbnailKey("recordings", { path: parsePathName("site/gate"), id, atUs: DAY_US + 22_940 });
    expect(key).toBe("recordings/~thumbnails/site/gate/2026/11/20/20261120T000000.022940Z_0123456789ab.jpg");
    expect(isHousekeepingKey("recordings", key)).toBe(true);
  });
});
