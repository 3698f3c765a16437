/** The recordings of test/fixtures, through the product's own scan, inspection and archive, against MediaMTX's /list. */
import { createHash } from "node:crypto";
import { cp, readdir, readFile, utimes } from "node:fs/promises";
import path from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { findFragmentIndex } from "../../../src/catalog/fragment-indexes.js";
import { mergeRuns } from "../../../src/core/continuity.js";
import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import type { Recording } from "../../../src/core/recording.js";
import { decodeFragmentIndex } from "../../../src/media/fragment-index-codec.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { type Bench, createBench, useBench } from "./bench.js";

const FIXTURE_DIR = path.resolve(import.meta.dirname, "../../fixtures/recordings");
/** After every recording ended, before QUIET_TIME of the killed ones was over. */
const NOW_US = parseRfc3339("2026-11-20T17:05:50Z");

useBench();

let clock: FakeClock;
let bench: Bench;

beforeEach(() => {
  clock = createFakeClock(NOW_US);
});

/** Copies the folder of one MediaMTX version; each file was last written when its footage ended, or a little later. */
async function importVersion(version: string): Promise<void> {
  bench = await createBench({ clock });
  await cp(path.join(FIXTURE_DIR, version), bench.recordDir, { recursive: true });
  for (const entry of await readdir(bench.recordDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === "hooks.csv") continue;
    const startUs = startOfName(entry.name);
    await utimes(path.join(entry.parentPath, entry.name), (startUs + 4_000_000) / 1e6, (startUs + 4_000_000) / 1e6);
  }
  await bench.scan();
  await bench.drain();
}

function startOfName(name: string): number {
  const [day = "", time = ""] = name.replace(/\.\w+$/, "").split("_");
  const [hour, minute, second, micros] = time.split("-");
  return parseRfc3339(`${day}T${hour}:${minute}:${second}.${micros}Z`);
}

async function rowsOf(camera: string): Promise<Recording[]> {
  return (await bench.rows()).filter((row) => row.path === camera);
}

/** What `/list` would answer, as [start, seconds]. */
async function spansOf(camera: string): Promise<[string, number][]> {
  const runs = mergeRuns(await rowsOf(camera));
  return runs.map(({ startUs, endUs }) => [formatRfc3339(startUs), (endUs - startUs) / 1e6]);
}

/** Starts are exact; MediaMTX's lengths read `mvhd`, which holds milliseconds, for all but the last file of a run. */
function expectSpans(spans: [string, number][], listed: [string, number][]): void {
  expect(spans.map(([start]) => start)).toEqual(listed.map(([start]) => start));
  for (const [index, [, seconds]] of listed.entries()) {
    expect(Math.abs(spans[index]![1] - seconds)).toBeLessThan(0.001);
  }
}

const LISTED: Record<string, Record<string, [string, number][]>> = {
  "v1.20.1": {
    "h264-aac": [
      ["2026-11-20T17:04:43.02294Z", 12.612121],
      ["2026-11-20T17:04:58.15097Z", 6.906602],
    ],
    "h264-bframes": [["2026-11-20T17:04:43.214874Z", 9.655481]],
    "h265-only": [["2026-11-20T17:04:42.722984Z", 9.851205]],
    killed: [["2026-11-20T17:05:05.266944Z", 8.9568855]],
  },
  "v1.14.0": {
    "h264-aac": [
      ["2026-11-20T17:05:17.738953Z", 12.604454],
      ["2026-11-20T17:05:32.870966Z", 6.924942],
    ],
    "h264-bframes": [["2026-11-20T17:05:18.162054Z", 9.744189]],
    "h265-only": [["2026-11-20T17:05:17.698987Z", 9.851679]],
    killed: [["2026-11-20T17:05:40.034979Z", 8.198209]],
  },
};

describe.each(["v1.20.1", "v1.14.0"])("the recordings of MediaMTX %s", (version) => {
  it("make the timespans that MediaMTX's own /list says, once the killed file is quiet", async () => {
    await importVersion(version);
    await clock.advance(61_000);
    await bench.drain();
    for (const [camera, listed] of Object.entries(LISTED[version]!)) expectSpans(await spansOf(camera), listed);
  });

  it("are all archived, and every object has the bytes of its file", async () => {
    await importVersion(version);
    await clock.advance(61_000);
    await bench.drain();
    const rows = await bench.rows();
    const files = (await readdir(path.join(FIXTURE_DIR, version), { recursive: true })).filter((name) =>
      /\.(mp4|ts)$/.test(name),
    );
    expect(rows.map(({ filePath }) => filePath).sort()).toEqual(files.sort());
    for (const row of rows) {
      const original = await readFile(path.join(FIXTURE_DIR, version, row.filePath));
      const object = await readFile(path.join(bench.bucketDir, row.objectKey!));
      expect(object.equals(original)).toBe(true);
      expect(row).toMatchObject({
        local: "present",
        archive: "verified",
        step: "release",
        bytes: original.length,
        sha256: createHash("sha256").update(original).digest("hex"),
        md5: createHash("md5").update(original).digest("hex"),
        error: null,
      });
    }
  });

  it("have their tracks", async () => {
    await importVersion(version);
    const tracksOf = async (camera: string) =>
      (await rowsOf(camera))[0]!.tracks.map((track) => [track.kind, track.codec.split(".")[0]]);
    expect(await tracksOf("h264-aac")).toEqual([
      ["video", "avc1"],
      ["audio", "mp4a"],
    ]);
    expect(await tracksOf("h264-bframes")).toEqual([["video", "avc1"]]);
    // Which of the two MediaMTX writes differs by its version.
    expect(await tracksOf("h265-only")).toEqual([["video", version === "v1.20.1" ? "hvc1" : "hev1"]]);
    const [video] = (await rowsOf("h264-aac"))[0]!.tracks;
    expect(video).toMatchObject({ widthPx: 320, heightPx: 180, timescale: 90_000 });
    expect((video as { frameRate: number }).frameRate).toBeCloseTo(10, 0);
  });

  it("have a sync sample at the start of each file and every two seconds, by the stored fragment index", async () => {
    await importVersion(version);
    for (const row of await rowsOf("h264-aac")) {
      const index = decodeFragmentIndex((await findFragmentIndex(bench.catalog, row.id))!);
      const syncSec = index.fragments
        .map(({ syncTicks }) => syncTicks)
        .filter((ticks) => ticks !== null)
        .map((ticks) => ticks / index.timescale);
      expect(syncSec[0]).toBe(0);
      const gaps = syncSec.slice(1).map((sec, at) => sec - syncSec[at]!);
      for (const gap of gaps) expect(gap).toBeCloseTo(2, 1);
      expect(index.fragments.at(-1)!.offsetBytes + index.fragments.at(-1)!.sizeBytes).toBe(row.bytes);
    }
  });
});

describe("what only mtxi can tell", () => {
  it("is the stream id and number: the disconnect of v1.20.1 is a gap of its length, the rest joins (F65)", async () => {
    await importVersion("v1.20.1");
    const rows = await rowsOf("h264-aac");
    expect(rows.map(({ position }) => position!.segmentNumber)).toEqual([0, 1, 2, 3, 0, 1]);
    expect(new Set(rows.map(({ position }) => position!.streamId)).size).toBe(2);
    const gaps = rows.map(({ gapBeforeUs }) => gapBeforeUs);
    expect([gaps[0], gaps[1], gaps[2], gaps[3], gaps[5]]).toEqual([null, 0, 0, 0, 0]);
    expect(gaps[4]! / 1e6).toBeCloseTo(58.15097 - (43.02294 + 12.612121), 2);
    expect(rows.every(({ missingBefore }) => missingBefore === 0)).toBe(true);
  });

  it("is not there in v1.14.0: ends that meet join, and the disconnect is a gap all the same", async () => {
    await importVersion("v1.14.0");
    const rows = await rowsOf("h264-aac");
    expect(rows.every(({ position }) => position === null)).toBe(true);
    expect(rows.map(({ gapBeforeUs }) => gapBeforeUs !== null && gapBeforeUs > 0)).toEqual([
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
  });
});

describe("the recording that kill -9 tore (v1.20.1/killed)", () => {
  it("is left alone while its last write is younger than QUIET_TIME, then listed as partial (F7, F8)", async () => {
    await importVersion("v1.20.1");
    const [first, second, torn] = await rowsOf("killed");
    expect([first!.partial, second!.partial]).toEqual([false, false]);
    expect(torn).toMatchObject({ local: "open", step: "settle", archive: "none", sha256: null });
    await clock.advance(61_000);
    await bench.drain();
    const settled = (await rowsOf("killed"))[2]!;
    expect(settled).toMatchObject({ local: "present", archive: "verified", partial: true });
    expect((settled.endUs - settled.startUs) / 1e6).toBeGreaterThan(0.5);
  });
});

describe("MPEG-TS recordings (F66)", () => {
  it("have the same guarantees, by name, quiet time and ffprobe; gaps are by clock alone", async () => {
    await importVersion("v1.20.1");
    const open = await rowsOf("mpegts");
    expect(open.map(({ format }) => format)).toEqual(["mpegts", "mpegts", "mpegts"]);
    await clock.advance(61_000);
    await bench.drain();
    const rows = await rowsOf("mpegts");
    expect(rows.map(({ archive, local, position }) => ({ archive, local, position }))).toEqual(
      rows.map(() => ({ archive: "verified", local: "present", position: null })),
    );
    expect(rows[0]!.tracks.map(({ kind }) => kind)).toContain("video");
    for (const row of rows) expect((row.endUs - row.startUs) / 1e6).toBeGreaterThan(1);
    expect(rows.map(({ gapBeforeUs }) => gapBeforeUs)).toEqual([null, 0, 0]);
  });
});
