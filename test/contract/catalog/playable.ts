import { describe, expect, it } from "vitest";

import { storeFragmentIndexes } from "../../../src/catalog/fragment-indexes.js";
import { findListable, findPlayable, listListable } from "../../../src/catalog/playable-recordings.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Track } from "../../../src/core/recording.js";
import { at, CAM1, insertRow } from "./builders.js";
import { openFresh, type TestedDialect } from "./dialects.js";

const TRACK: Track = {
  ...{ kind: "video", id: 1, codec: "avc1.640028", timescale: 90_000 },
  ...{ widthPx: 1_920, heightPx: 1_080, frameRate: 29.97 },
};
const RANGE = { path: CAM1, fromUs: at(10), toUs: at(30) };

export function describePlayable(dialect: TestedDialect): void {
  describe("what playback reads", () => {
    it("is the same whole, as a playlist reads it, and as it is looked for", async () => {
      const catalog = await openFresh(dialect);
      const indexed = await insertRow(catalog, 8, { tracks: [TRACK], filePath: "cam1/a 'quote' \u00e9 \"b\".mp4" });
      const index = Uint8Array.from([1, 0, 255, 128]);
      await storeFragmentIndexes(catalog.db, [{ id: indexed.id, fragmentIndex: index }]);
      const begun = await insertRow(catalog, 12, { local: "open", mediaDurationUs: null, step: "settle" });
      const stored = await insertRow(catalog, 20, { local: "released", archive: "verified", objectKey: "k" });
      await insertRow(catalog, 16, { local: "released" });
      await insertRow(catalog, 40);
      await insertRow(catalog, 14, { path: parsePathName("cam2") });

      const playable = await findPlayable(catalog, RANGE);
      expect(playable.map(({ id }) => id)).toEqual([indexed.id, begun.id, stored.id]);
      expect(playable[0]).toMatchObject({ tracks: [TRACK], filePath: indexed.filePath, archive: "none" });
      const listable = await findListable(catalog, RANGE);
      for (const [number, { fragmentIndex, ...facts }] of listable.entries()) {
        expect(playable[number]).toMatchObject(facts);
        expect(fragmentIndex && [...fragmentIndex]).toEqual(number === 0 ? [...index] : null);
      }
      expect(listable.map(({ mediaDurationUs, step }) => [mediaDurationUs, step])).toEqual([
        [indexed.mediaDurationUs, null],
        [null, "settle"],
        [stored.mediaDurationUs, null],
      ]);
      const looked = listable.map(({ id, startUs, updatedAtUs }) => ({ id, startUs, updatedAtUs }));
      expect(await listListable(catalog, RANGE)).toEqual(looked);
      expect(await listListable(catalog, { ...RANGE, path: parsePathName("cam3") })).toEqual([]);
    });
  });
}
