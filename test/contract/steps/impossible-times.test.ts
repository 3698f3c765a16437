/** Files that claim to be of a time that no number of ours can hold: one of them must not make lists or queue unreadable. */
import path from "node:path";

import { describe, expect, it } from "vitest";

import { listRejectedFiles } from "../../../src/catalog/rejected-files.js";
import { listRecordings } from "../../../src/catalog/recording-lists.js";
import { createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20, 12) * 1_000;
const LAST_SECONDS_US = Date.UTC(2200, 0, 1) * 1_000 - 2_000_000;

useBench();

describe("files of impossible times", () => {
  it("are rejected by name, taken at their name's word or quarantined, and all others go on (F12)", async () => {
    const bench = await createBench();
    const write = (name: string, content: Buffer) =>
      writeAt(bench.clock, path.join(bench.recordDir, name), content, { agoSec: 100 });
    const good = footage({ startUs: START_US, number: 0 });
    const names = {
      good: nameOf("cam1", START_US),
      badName: "cam2/9999-12-31_23-59-59-999999.mp4",
      negative: "cam2/0000-01-01_00-00-00-000000.mp4",
      badBox: nameOf("cam3", START_US),
      pastTheEnd: nameOf("cam4", LAST_SECONDS_US),
    };
    await write(names.good, good);
    await write(names.badName, good);
    await write(names.negative, good);
    await write(names.badBox, footage({ startUs: 9_007_199_254_740_991, number: 0, sampleBytes: 11 }));
    await write(names.pastTheEnd, footage({ startUs: LAST_SECONDS_US, number: 0, sampleBytes: 12 }));
    await bench.scan();
    await bench.drain();
    const states = (await bench.rows()).map(({ filePath, startUs, local, archive }) => [
      filePath,
      { startUs, local, archive },
    ]);
    expect(Object.fromEntries(states)).toEqual({
      [names.good]: { startUs: START_US, local: "present", archive: "verified" },
      [names.badBox]: { startUs: START_US, local: "present", archive: "verified" },
      [names.pastTheEnd]: { startUs: LAST_SECONDS_US, local: "quarantined", archive: "none" },
    });
    const rejected = await listRejectedFiles(bench.catalog, 10);
    expect(rejected.map(({ filePath }) => filePath)).toEqual([names.negative, names.badName]);
    expect((await listRecordings(bench.catalog, {}, { order: "newest", limit: 10 })).items).toHaveLength(3);
  });
});
