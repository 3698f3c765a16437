/** The arithmetic of the timeline: what is where, and what zooming and panning do. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readAddress, writeAddress } from "../../../src/web/address.js";
import { marked, NO_MARKS } from "../../../src/web/marks.js";
import { isLoaded, mediaOf, wallOf } from "../../../src/web/media-clock.js";
import { type DrawnSpan, nextFootageMs, spanAt } from "../../../src/web/spans.js";
import { ticksOf } from "../../../src/web/ticks.js";
import { DAY_MS, follow, HOUR_MS, lengthMs, MINUTE_MS, msOf, pxOf, zoomAbout } from "../../../src/web/time-scale.js";

const NOON = Date.UTC(2026, 10, 20, 12);
const view = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 41 }), fc.integer({ min: MINUTE_MS, max: DAY_MS }))
  .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }));
const width = fc.integer({ min: 100, max: 4_000 });

describe("the time scale", () => {
  it("gives for a pixel the instant that is drawn at it", () => {
    fc.assert(
      fc.property(view, width, fc.double({ min: 0, max: 1, noNaN: true }), (shown, widthPx, share) => {
        const px = share * widthPx;
        expect(pxOf(shown, widthPx, msOf(shown, widthPx, px))).toBeCloseTo(px, 1);
      }),
    );
  });

  it("keeps what is under the pointer there, and shows from a minute to a day", () => {
    fc.assert(
      fc.property(
        view,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (shown, factor, share) => {
          const aboutMs = shown.fromMs + share * lengthMs(shown);
          const zoomed = zoomAbout(shown, factor, aboutMs);
          expect(lengthMs(zoomed)).toBeGreaterThanOrEqual(MINUTE_MS - 1);
          expect(lengthMs(zoomed)).toBeLessThanOrEqual(DAY_MS + 1);
          expect((aboutMs - zoomed.fromMs) / lengthMs(zoomed)).toBeCloseTo(share, 3);
        },
      ),
    );
  });

  it("moves only when the playhead leaves the middle", () => {
    const shown = { fromMs: NOON, toMs: NOON + HOUR_MS };
    expect(follow(shown, NOON + HOUR_MS / 2)).toBe(shown);
    const moved = follow(shown, NOON + HOUR_MS);
    expect(moved.fromMs).toBeGreaterThan(NOON);
    expect(lengthMs(moved)).toBe(HOUR_MS);
  });

  it("marks round times of the zone, no denser than they can be read", () => {
    const ticks = ticksOf({ fromMs: NOON, toMs: NOON + DAY_MS }, 1_000, () => HOUR_MS);
    expect(ticks.length).toBeGreaterThan(4);
    expect(ticks.length).toBeLessThan(13);
    expect(ticks.filter(({ kind }) => kind === "day").map(({ atMs }) => atMs)).toEqual([Date.UTC(2026, 10, 20, 23)]);
    for (const { atMs } of ticks) expect((atMs + HOUR_MS) % HOUR_MS).toBe(0);
  });
});

describe("the player's clock", () => {
  const fragments = [
    { startSec: 0, durationSec: 4, wallMs: NOON },
    { startSec: 4, durationSec: 4, wallMs: NOON + 10_000 },
  ];

  it("leaves gaps out, and goes to what follows one", () => {
    expect(wallOf(fragments, 1)).toBe(NOON + 1_000);
    expect(wallOf(fragments, 5)).toBe(NOON + 11_000);
    expect(mediaOf(fragments, NOON + 1_000)).toBe(1);
    expect(mediaOf(fragments, NOON + 6_000)).toBe(4);
    expect(mediaOf(fragments, NOON + 14_000)).toBeUndefined();
    expect([isLoaded(fragments, NOON + 6_000), isLoaded(fragments, NOON - 1)]).toEqual([true, false]);
    expect(wallOf([], 1)).toBeUndefined();
  });
});

describe("spans", () => {
  const spans: DrawnSpan[] = [
    { fromMs: 0, toMs: 10, kind: "footage", where: "both" },
    { fromMs: 10, toMs: 20, kind: "gap", cause: "unknown" },
    { fromMs: 20, toMs: 30, kind: "footage", where: "local" },
  ];

  it("are half-open, and the next footage is where it begins", () => {
    expect(spanAt(spans, 10)).toBe(spans[1]);
    expect(spanAt(spans, 30)).toBeUndefined();
    expect([5, 10, 19, 25, 30].map((at) => nextFootageMs(spans, at))).toEqual([5, 20, 20, 25, undefined]);
  });
});

describe("the address", () => {
  it("says the same again when it is read", () => {
    const address = { paths: ["site/gate", "yard ü"], atMs: NOON, zoomMs: 600_000 };
    expect(readAddress(writeAddress(address).slice(2))).toEqual(address);
  });

  it("takes nonsense for nothing, and at most nine paths", () => {
    expect(readAddress("?at=never&zoom=-1")).toEqual({ paths: [], atMs: undefined, zoomMs: HOUR_MS });
    expect(
      readAddress(`?path=${Array.from({ length: 20 }, (_, index) => `cam${index}`).join(",")}`).paths,
    ).toHaveLength(9);
  });
});

describe("marks", () => {
  it("never turn the range round", () => {
    const both = marked(marked(NO_MARKS, "inMs", 10), "outMs", 20);
    expect(both).toEqual({ inMs: 10, outMs: 20 });
    expect(marked(both, "outMs", 5)).toEqual({ inMs: undefined, outMs: 5 });
    expect(marked(both, "inMs", 30)).toEqual({ inMs: 30, outMs: undefined });
  });
});
