import { describe, expect, it } from "vitest";

import { samples, type SampleSpec, segment } from "../../support/fmp4.js";
import { inspectBytes } from "./fixtures.js";

const CLOCK = 90_000;
const VIDEO = { id: 1, timescale: CLOCK };
const AUDIO = { id: 2, timescale: 48_000, handler: "soun" as const };

/** Parts of one track at 10 fps, each beginning where the one before ends. */
function videoParts(...parts: readonly (readonly SampleSpec[])[]) {
  let tfdt = 0;
  return parts.map((part) => {
    const start = tfdt;
    tfdt += part.reduce((sum, { durationTicks }) => sum + durationTicks, 0);
    return { tracks: [{ id: 1, tfdt: start, samples: part }] };
  });
}

function inflated(durationTicks: number): SampleSpec[] {
  return [...samples(9, 9_000), { durationTicks }];
}

describe("durations of a segment", () => {
  it("does not believe a last sample that an RTP jump made an hour long, wherever the fragment stands", () => {
    for (const order of [0, 1, 2]) {
      const parts = [samples(10, 9_000), samples(10, 9_000), samples(10, 9_000)];
      parts[order] = inflated(3_600 * CLOCK);
      const inspection = inspectBytes(segment({ tracks: [VIDEO], parts: videoParts(...parts) }));
      expect(inspection.mediaDurationUs).toBe(2_900_000 + 3_600_000_000);
      expect(inspection.plausibleDurationUs).toBe(3_000_000);
      expect(inspection.tracks[0]).toMatchObject({ frameRate: 10 });
    }
  });

  it("corrects a duration that wrapped to 2^32 and did not move the fragment after it", () => {
    const wrapped = videoParts(samples(10, 9_000), inflated(2 ** 32 - 9_000));
    const after = { tracks: [{ id: 1, tfdt: 20 * 9_000, samples: samples(10, 9_000) }] };
    const inspection = inspectBytes(segment({ tracks: [VIDEO], parts: [...wrapped, after] }));
    expect(inspection.plausibleDurationUs).toBe(3_000_000);
  });

  it("believes long samples that are usual in the file, and short stalls", () => {
    const slow = videoParts(samples(2, 12 * CLOCK), samples(2, 12 * CLOCK));
    expect(inspectBytes(segment({ tracks: [VIDEO], parts: slow })).plausibleDurationUs).toBe(48_000_000);
    const stalled = videoParts(samples(10, 9_000), inflated(9 * CLOCK));
    expect(inspectBytes(segment({ tracks: [VIDEO], parts: stalled })).plausibleDurationUs).toBe(10_900_000);
  });

  it("lets another track vouch for a long sample", () => {
    const audio = { id: 2, tfdt: 0, samples: samples(30, 48_000) };
    const parts = [{ tracks: [audio, { id: 1, tfdt: 0, samples: inflated(29 * CLOCK) }] }];
    expect(inspectBytes(segment({ tracks: [VIDEO, AUDIO], parts })).plausibleDurationUs).toBe(30_000_000);
  });

  it("takes a fragment that starts one tick early or late for the next one, and a real hole for a hole", () => {
    const parts = (tfdts: readonly number[]) =>
      tfdts.map((tfdt) => ({ tracks: [{ id: 1, tfdt, samples: samples(10, 9_000) }] }));
    const durationOf = (tfdts: readonly number[]) =>
      inspectBytes(segment({ tracks: [VIDEO], parts: parts(tfdts) })).mediaDurationUs;
    expect(durationOf([0, 90_000, 180_000])).toBe(3_000_000);
    expect(durationOf([0, 89_999, 179_999])).toBe(3_000_000);
    expect(durationOf([0, 90_001, 180_001])).toBe(3_000_011);
    expect(durationOf([0, 270_000])).toBe(4_000_000);
  });

  it("matches tracks by id, whatever the order of their traf boxes", () => {
    const video = { id: 1, tfdt: 0, samples: samples(10, 9_000) };
    const audio = { id: 2, tfdt: 4_800, samples: samples(50, 960) };
    const one = inspectBytes(segment({ tracks: [VIDEO, AUDIO], parts: [{ tracks: [video, audio] }] }));
    const other = inspectBytes(segment({ tracks: [VIDEO, AUDIO], parts: [{ tracks: [audio, video] }] }));
    expect(other).toEqual(one);
    expect(one.mediaDurationUs).toBe(1_100_000);
  });

  it("tells no frame rate from a single sample", () => {
    const parts = videoParts(samples(1, 9_000));
    expect(inspectBytes(segment({ tracks: [VIDEO], parts })).tracks[0]).toMatchObject({ frameRate: null });
  });

  it("finds a sync sample in the middle of a fragment and none in one that has none", () => {
    const mixed = [...samples(4, 9_000, false), ...samples(1, 9_000), ...samples(5, 9_000, false)];
    const parts = videoParts(mixed, samples(10, 9_000, false), samples(10, 9_000));
    const { fragments } = inspectBytes(segment({ tracks: [VIDEO], parts }));
    expect(fragments?.fragments.map(({ syncTicks }) => syncTicks)).toEqual([36_000, null, 180_000]);
  });

  it("takes audio for the main track where there is no video", () => {
    const parts = [{ tracks: [{ id: 2, tfdt: 0, samples: samples(50, 960) }] }];
    expect(inspectBytes(segment({ tracks: [AUDIO], parts })).fragments).toMatchObject({
      mainTrackId: 2,
      timescale: 48_000,
    });
  });
});
