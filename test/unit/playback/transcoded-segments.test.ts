import { describe, expect, it } from "vitest";

import { transcodedSegments } from "../../../src/playback/transcoded-segments.js";

const START_US = 1_000_000_000_000;

/** Fragments of one second; sync samples at these seconds, which may lie inside of a fragment. */
function file(seconds: number, syncsSec: readonly number[]) {
  const fragments = Array.from({ length: seconds }, (_, at) => {
    const sync = syncsSec.find((sec) => sec >= at && sec < at + 1);
    const [startTicks, durationTicks] = [at * 1_000, 1_000];
    const syncTicks = sync === undefined ? null : Math.round(sync * 1_000);
    return { offsetBytes: at * 10, sizeBytes: 10, startTicks, durationTicks, syncTicks };
  });
  const index = { mainTrackId: 1, timescale: 1_000, initBytes: 5, fragments };
  return { startUs: START_US, endUs: START_US + seconds * 1e6, index, trackCount: 1 };
}

function cut(of: ReturnType<typeof file>, fromSec: number, toSec: number, changes = {}) {
  const range = { fromUs: START_US + fromSec * 1e6, toUs: START_US + toSec * 1e6 };
  const segments = transcodedSegments(of, { ...range, isExact: false, isGrowing: false, behindUs: 0, ...changes });
  return segments.map(({ fromUs, toUs }) => [(fromUs - START_US) / 1e6, (toUs - START_US) / 1e6]);
}

describe("segments to be transcoded", () => {
  it("go from sync sample to sync sample, each at least four seconds, the last to the end", () => {
    expect(cut(file(12, [0, 2, 4, 6, 8, 10]), 0, 60)).toEqual([
      ...[[0, 4], [4, 8], [8, 12]], // prettier-ignore
    ]);
    expect(cut(file(12, [0, 2.5, 5.5, 8.5]), 0, 60)).toEqual([
      ...[[0, 5.5], [5.5, 12]], // prettier-ignore
    ]);
  });

  it("begin at the sync sample before the range, or at the first one, and end behind it", () => {
    expect(cut(file(12, [0, 4, 8]), 5, 7)).toEqual([[4, 8]]);
    expect(cut(file(12, [2.5, 7]), 0, 60)).toEqual([
      ...[[2.5, 7], [7, 12]], // prettier-ignore
    ]);
    expect(cut(file(12, [0, 4, 8]), 12, 60)).toEqual([]);
    expect(cut(file(12, []), 0, 60)).toEqual([]);
  });

  it("are cut at the range itself where nothing else is open", () => {
    expect(cut(file(12, [0, 4, 8]), 5, 9.5, { isExact: true })).toEqual([
      ...[[5, 8], [8, 9.5]], // prettier-ignore
    ]);
  });

  it("of a file that grows end with the last sync sample, and stay what they were", () => {
    expect(cut(file(9, [0, 4, 8]), 0, 60, { isGrowing: true })).toEqual([
      ...[[0, 4], [4, 8]], // prettier-ignore
    ]);
    expect(cut(file(3, [0]), 0, 60, { isGrowing: true })).toEqual([]);
  });

  it("of a file that grows wait until so much lies behind their end", () => {
    const growing = { isGrowing: true, behindUs: 1e6 };
    expect(cut(file(8, [0, 4, 7]), 0, 60, growing)).toEqual([[0, 4]]);
    expect(cut(file(9, [0, 4, 8]), 0, 60, growing)).toEqual([
      ...[[0, 4], [4, 8]], // prettier-ignore
    ]);
    expect(cut(file(8, [0, 4]), 0, 60, { behindUs: 1e6 })).toEqual([
      ...[[0, 4], [4, 8]], // prettier-ignore
    ]);
  });
});
