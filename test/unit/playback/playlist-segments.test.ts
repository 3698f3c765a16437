import { describe, expect, it } from "vitest";

import type { Fragment, FragmentIndex } from "../../../src/media/inspection.js";
import { type Cut, type FileFootage, segmentsOf } from "../../../src/playback/playlist-segments.js";

const START_US = 1_000_000_000;
const SIZE = 100;
const INIT = 50;

/** [start, duration, sync] of the main track in seconds; null: nothing of it, or no sync sample. */
type Spec = readonly [start: number | null, duration: number, sync: number | null];

function indexOf(specs: readonly Spec[]): FragmentIndex {
  const fragments = specs.map(([start, duration, sync], at): Fragment => ({
    offsetBytes: INIT + at * SIZE,
    sizeBytes: SIZE,
    startTicks: start === null ? null : start * 1_000,
    durationTicks: duration * 1_000,
    syncTicks: sync === null ? null : sync * 1_000,
  }));
  return { mainTrackId: 1, timescale: 1_000, initBytes: INIT, fragments };
}

/** [start, seconds, first fragment, fragments] */
function cut(specs: readonly Spec[], changes: Partial<Cut & FileFootage> = {}): (readonly number[])[] {
  const file = { startUs: START_US, endUs: START_US + 9_000_000, index: indexOf(specs), trackCount: 2, ...changes };
  const how = {
    fromUs: 0,
    toUs: Number.MAX_SAFE_INTEGER,
    isExact: false,
    leastUs: 2_000_000,
    isGrowing: false,
    ...changes,
  };
  return segmentsOf(file, { ...how, fromUs: changes.fromUs ?? 0 }).map(
    ({ startUs, durationUs, offsetBytes, bytes }) => [
      (startUs - START_US) / 1e6,
      durationUs / 1e6,
      ((offsetBytes ?? 0) - INIT) / SIZE,
      bytes / SIZE,
    ],
  );
}

/** Fragments of a second, a sync sample every `gop` of them, `late` seconds into its fragment. */
function seconds(count: number, gop: number, late = 0): Spec[] {
  return Array.from({ length: count }, (_, at): Spec => {
    const first = at === 0 ? 0 : at + late;
    return [at, 1, at % gop === 0 ? first : null];
  });
}

describe("the segments of a file", () => {
  it("begin where a sync sample is, and take short GOPs together", () => {
    expect(cut(seconds(5, 1))).toEqual([
      [0, 2, 0, 2],
      [2, 2, 2, 2],
      [4, 1, 4, 1],
    ]);
    expect(cut(seconds(6, 2))).toEqual([
      [0, 2, 0, 2],
      [2, 2, 2, 2],
      [4, 2, 4, 2],
    ]);
    expect(cut(seconds(6, 1), { leastUs: 6_000_000 })).toEqual([[0, 6, 0, 6]]);
  });

  it("are as long as the GOP where it is longer than wanted", () => {
    expect(cut(seconds(8, 5))).toEqual([
      [0, 5, 0, 5],
      [5, 3, 5, 3],
    ]);
    expect(cut(seconds(8, 100))).toEqual([[0, 8, 0, 8]]);
  });

  it("wait for a fragment that begins with its sync sample, but no longer than six seconds", () => {
    expect(cut(seconds(12, 3, 0.5))).toEqual([
      [0, 6, 0, 6],
      [6, 6, 6, 6],
    ]);
    const [unaligned, aligned]: Spec[] = [
      [2, 1, 2.5],
      [3, 1, 3],
    ];
    expect(cut([[0, 1, 0], [1, 1, null], unaligned!, aligned!])).toEqual([
      [0, 3, 0, 3],
      [3, 1, 3, 1],
    ]);
  });

  it("take a GOP that is a frame short of the wanted length as long enough", () => {
    const short: Spec[] = [
      [0, 1.96, 0],
      [1.96, 1.96, 1.96],
      [3.92, 1.96, 3.92],
    ];
    expect(cut(short)).toHaveLength(3);
  });

  it("keep what came before the first sync sample, from tick 0 where there are several tracks", () => {
    const audioFirst: Spec[] = [
      [null, 0, null],
      [null, 0, null],
      [2.5, 1, 2.5],
      [3.5, 1, null],
      [4.5, 1, 4.5],
    ];
    expect(cut(audioFirst)).toEqual([
      [0, 4.5, 0, 4],
      [4.5, 1, 4, 1],
    ]);
    expect(cut([[0.25, 1, 0.25]], { trackCount: 1 })).toEqual([[0.25, 1, 0, 1]]);
  });

  it("last as long as the row says where the main track never came", () => {
    expect(
      cut([
        [null, 0, null],
        [null, 0, null],
      ]),
    ).toEqual([[0, 9, 0, 2]]);
  });
});

describe("a range", () => {
  const from = (sec: number) => ({ fromUs: START_US + sec * 1_000_000 });

  it("begins at the last sync sample at or before its beginning", () => {
    expect(cut(seconds(6, 2), from(4))[0]).toEqual([4, 2, 4, 2]);
    expect(cut(seconds(6, 2), from(3.999))[0]).toEqual([2, 2, 2, 2]);
    // The frame at 3.2 s needs the sync sample of second 0: that of second 3 comes at 3.5 s.
    expect(cut(seconds(6, 3, 0.5), from(3.2))[0]).toEqual([0, 6, 0, 6]);
    expect(cut(seconds(6, 3, 0.5), from(3.5))[0]).toEqual([3, 3, 3, 3]);
  });

  it("that begins within the first GOP keeps what came before its sync sample", () => {
    expect(
      cut(
        [
          [null, 0, null],
          [1, 1, 1],
          [2, 1, null],
          [3, 1, 3],
        ],
        from(2),
      )[0],
    ).toEqual([0, 3, 0, 3]);
  });

  it("leaves out what begins at its end or later", () => {
    expect(cut(seconds(6, 2), { toUs: START_US + 4_000_000 })).toHaveLength(2);
    expect(cut(seconds(6, 2), { toUs: START_US + 4_000_001 })).toHaveLength(3);
  });
});

describe("a file that grows", () => {
  it("names a segment once the next one has begun, and then never otherwise", () => {
    const all = seconds(9, 2);
    let before: (readonly number[])[] = [];
    for (let count = 1; count <= all.length; count += 1) {
      const now = cut(all.slice(0, count), { isGrowing: true });
      expect(now.slice(0, before.length)).toEqual(before);
      before = now;
    }
    expect(before).toHaveLength(4);
    expect(cut(all).slice(0, 4)).toEqual(before);
    expect(cut(all)).toHaveLength(5);
  });
});
