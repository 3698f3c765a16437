/** Which samples a clip holds, and what of them an mp4 shows. */
import { describe, expect, it } from "vitest";

import type { KeptSamples } from "../../../src/media/fragment-writer.js";
import { makeMovieHead } from "../../../src/media/moov-writer.js";
import type { SampleRun } from "../../../src/media/sample-runs.js";
import { SampleTable } from "../../../src/media/sample-table.js";
import { readSpliceInit } from "../../../src/media/splice-init.js";
import { ClipTimeline } from "../../../src/playback/clip-timeline.js";
import { init } from "../../support/fmp4.js";

const TIMESCALE = 10;
const NON_SYNC = 0x1_0000;

/** By when they are decoded; presented at 1 4 2 3 7 5 6, then 8 11 9 10. */
const GOP_OF_SEVEN = [1, 3, 0, 0, 3, 0, 0];
const NEXT_GOP = [1, 3, 0, 0];
const NO_REORDERING = [0, 0, 0, 0];

interface Fragment {
  readonly startTicks: number;
  readonly compositionTicks: readonly number[];
  readonly syncs: readonly number[];
}

function runOf({ startTicks, compositionTicks, syncs }: Fragment): SampleRun {
  const count = compositionTicks.length;
  return {
    ...{ trackId: 1, startTicks, offsetBytes: 0 },
    durationsTicks: new Uint32Array(count).fill(1),
    sizesBytes: new Uint32Array(count).fill(100),
    flags: Uint32Array.from({ length: count }, (_none, at) => (syncs.includes(at) ? 0 : NON_SYNC)),
    compositionTicks: Int32Array.from(compositionTicks),
  };
}

interface Kept {
  readonly dts: number[];
  /** For so many ticks, by the edit list where there is one. */
  readonly shown: number;
}

function keep(fragments: readonly Fragment[], untilTicks: number): Kept {
  const splice = readSpliceInit(init({ tracks: [{ id: 1, timescale: TIMESCALE }] }));
  const presentationTicks = fragments[0]!.compositionTicks[0]!;
  const timeline = new ClipTimeline({ splice, mainTrackId: 1, timescale: TIMESCALE, presentationTicks });
  timeline.enter({ zeroTicks: 0, untilUs: (untilTicks * 1e6) / TIMESCALE });
  const kept: KeptSamples[] = fragments.flatMap((fragment) => timeline.keep([runOf(fragment)]));
  const table = new SampleTable(TIMESCALE);
  for (const samples of kept) table.add(samples, 0);
  for (const { first, last, sizeBytes, durationTicks } of kept) {
    expect([sizeBytes, durationTicks]).toEqual([100 * (last - first), last - first]);
  }
  const dts = kept.flatMap(({ startTicks, first, last }) =>
    Array.from({ length: last - first }, (_n, at) => startTicks + at),
  );
  const [track] = splice.tracks;
  const movie = { startUs: 0, timescale: TIMESCALE, presentationTicks, mediaBytes: 0 };
  const edit = lastEditOf(makeMovieHead({ ...movie, tracks: [{ track: track!, table }] }));
  // Without one all is shown.
  if (edit === undefined) expect([presentationTicks, table.hidesSamples]).toEqual([0, false]);
  else expect(edit).toBe(table.shownTicks);
  return { dts, shown: table.shownTicks };
}

/** How long it lasts; undefined: there is no edit list. */
function lastEditOf(head: readonly Uint8Array[]): number | undefined {
  const bytes = Buffer.concat(head);
  const at = bytes.indexOf("elst");
  if (at < 0) return undefined;
  // Version 1: of 20 bytes each, behind type, version and count.
  return Number(bytes.readBigUInt64BE(at + 12 + 20 * (bytes.readUInt32BE(at + 8) - 1)));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_none, at) => at);

describe("a clip of pictures that are shown as they are decoded", () => {
  const GOP = { startTicks: 0, compositionTicks: NO_REORDERING, syncs: [0] };

  it.each([
    [0.5, 1],
    [1, 1],
    [2.5, 3],
    [9, 4],
  ])("that ends at tick %d holds %d", (until, count) => {
    expect(keep([GOP], until)).toEqual({ dts: upTo(count), shown: count });
  });
});

describe("a clip of reordered pictures", () => {
  const WHOLE = { startTicks: 0, compositionTicks: [...GOP_OF_SEVEN, ...NEXT_GOP], syncs: [0, 7] };

  it.each([
    // Only the first one is shown until then: what follows it is not needed.
    [1, 1, 1],
    // The second one needs the fourth, which is shown later.
    [2, 3, 2],
    [2.5, 4, 3],
    [3, 4, 3],
    // The fourth is there already, and is shown now.
    [4, 4, 4],
    [5, 6, 5],
    [6, 7, 6],
    // The next GOP begins here.
    [7, 7, 7],
    [7.5, 8, 8],
    [99, 11, 11],
  ])("that ends at tick %d holds %d of them and shows %d", (until, held, shown) => {
    expect(keep([WHOLE], until)).toEqual({ dts: upTo(held), shown });
  });

  it("holds no picture of a GOP that begins at its end, though that one is shown a tick earlier than by its clock", () => {
    const hasty = { startTicks: 0, compositionTicks: [...GOP_OF_SEVEN, 0, 2, 0], syncs: [0, 7] };
    expect(keep([hasty], 7)).toEqual({ dts: upTo(7), shown: 7 });
  });

  it("hides what others need also where the first picture is shown as it is decoded", () => {
    const beginning = { startTicks: 0, compositionTicks: [0, 4, 0, 0, 0], syncs: [0] };
    expect(keep([beginning], 3)).toEqual({ dts: upTo(3), shown: 3 });
  });

  it("holds what a fragment behind needs, and hides it", () => {
    const first = { startTicks: 0, compositionTicks: GOP_OF_SEVEN.slice(0, 2), syncs: [0] };
    const second = { startTicks: 2, compositionTicks: GOP_OF_SEVEN.slice(2), syncs: [] };
    expect(keep([first, second], 2)).toEqual({ dts: upTo(3), shown: 2 });
    // That none does is known too late.
    expect(keep([first, second], 1)).toEqual({ dts: upTo(2), shown: 1 });
  });
});
