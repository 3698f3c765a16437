import { describe, expect, it } from "vitest";

import { formatVtt } from "../../../src/core/vtt.js";
import { parseSprite, tileNear } from "../../../src/web/sprite.js";

const FROM_MS = Date.UTC(2026, 10, 20);

describe("the index of a sprite", () => {
  it("is read as it is written", () => {
    const url = "sprite.jpg?path=site%2Fgate&from=2026-11-20T00%3A00%3A00Z";
    const cues = [0, 300, 90_000].map((sec, index) => ({
      ...{ fromUs: sec * 1e6 + 4_500, toUs: (sec + 300) * 1e6 },
      text: `${url}#xywh=${String(index * 160)},${String(index * 90)},160,90`,
    }));
    expect(parseSprite(formatVtt(cues), FROM_MS)).toEqual({
      url,
      tiles: [
        { atMs: FROM_MS + 4, xPx: 0, yPx: 0 },
        { atMs: FROM_MS + 300_004, xPx: 160, yPx: 90 },
        { atMs: FROM_MS + 90_000_004, xPx: 320, yPx: 180 },
      ],
    });
    expect(parseSprite(formatVtt([]), FROM_MS)).toEqual({ url: undefined, tiles: [] });
  });

  it("gives the nearest tile, and none that is far", () => {
    const tiles = [0, 300_000, 600_000].map((atMs) => ({ atMs, xPx: 0, yPx: 0 }));
    const near = (atMs: number) => tileNear(tiles, atMs, 360_000)?.atMs;
    expect([-1, 149_000, 151_000, 960_000, 960_001, -360_001].map(near)).toEqual([
      ...[0, 0, 300_000, 600_000, undefined, undefined],
    ]);
  });
});
