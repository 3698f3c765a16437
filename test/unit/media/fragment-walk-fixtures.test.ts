import { describe, expect, it } from "vitest";

import { FMP4_FIXTURES, fixture, inspectFixture } from "./fixtures.js";

const H264 = { kind: "video", id: 1, timescale: 90_000, widthPx: 320, heightPx: 180 };
const AAC = { kind: "audio", id: 2, codec: "mp4a.40.2", timescale: 48_000, sampleRateHz: 48_000, channels: 1 };

describe("header walk of real recordings", () => {
  it.each(FMP4_FIXTURES.filter(({ hookDurationSec }) => hookDurationSec !== null))(
    "gives $name the duration that MediaMTX told its hook, to the microsecond",
    (file) => {
      const inspection = inspectFixture(file);
      expect(inspection.mediaDurationUs).toBe(Math.round((file.hookDurationSec ?? 0) * 1e6));
      expect(inspection.plausibleDurationUs).toBe(inspection.mediaDurationUs);
      expect(inspection.declaredDurationUs).toBe(Math.floor((file.hookDurationSec ?? 0) * 1e3) * 1e3);
      expect(inspection).toMatchObject({ finalised: true });
      expect(inspection.tornReason).toBeUndefined();
    },
  );

  /** Start of the timespan to start of its last file, plus that file's duration: how MediaMTX's `/list` counts. */
  it.each([
    ["v1.20.1/h264-aac", 0, 3, 12.612121],
    ["v1.20.1/h264-aac", 4, 5, 6.906602],
    ["v1.20.1/h264-bframes", 0, 1, 9.655481],
    ["v1.20.1/h265-only", 0, 1, 9.851205],
    ["v1.20.1/killed", 0, 2, 8.9568855],
    ["v1.14.0/h264-aac", 0, 3, 12.604454],
    ["v1.14.0/h264-aac", 4, 5, 6.924942],
    ["v1.14.0/h264-bframes", 0, 1, 9.744189],
    ["v1.14.0/h265-only", 0, 1, 9.851679],
    ["v1.14.0/killed", 0, 1, 8.198209],
  ])("agrees with MediaMTX's list of %s, files %i to %i", (folder, first, last, listedSec) => {
    const files = FMP4_FIXTURES.filter((file) => file.folder === folder);
    const { declaredDurationUs, mediaDurationUs } = inspectFixture(files[last]!);
    const spanUs = files[last]!.startUs - files[first]!.startUs + (declaredDurationUs ?? mediaDurationUs);
    expect(Math.abs(spanUs - listedSec * 1e6)).toBeLessThanOrEqual(1);
  });

  it("F7: indexes the whole fragment of a file whose MediaMTX was killed, and says that it was never finalised", () => {
    const file = fixture("v1.20.1/killed/2026-11-20_17-05-13");
    expect(inspectFixture(file)).toMatchObject({
      finalised: false,
      declaredDurationUs: null,
      mediaDurationUs: 1_004_437,
      wholeBytes: 14_790,
      startUs: file.startUs,
      position: { segmentNumber: 2 },
    });
  });

  it.each([
    ["v1.14.0/h264-aac", [{ ...H264, codec: "avc1.64000b", frameRate: 10 }, AAC]],
    ["v1.20.1/h264-aac", [{ ...H264, codec: "avc1.64000b", frameRate: 10 }, AAC]],
    ["v1.20.1/h264-bframes/2026-11-20_17-04-48", [{ ...H264, codec: "avc1.64000c", frameRate: 10 }]],
    ["v1.14.0/h265-only", [{ ...H264, codec: "hev1.1.6.L60.90", frameRate: 10 }]],
    ["v1.20.1/h265-only", [{ ...H264, codec: "hvc1.1.6.L60.90", frameRate: 10 }]],
  ])("describes the tracks of %s", (name, tracks) => {
    expect(inspectFixture(fixture(name)).tracks).toEqual(tracks);
  });

  it("finds the sync samples: every two seconds, wherever they lie in a fragment", () => {
    const index = inspectFixture(fixture("v1.20.1/h265-only/2026-11-20_17-04-42")).fragments!;
    expect(index).toMatchObject({ mainTrackId: 1, timescale: 90_000, initBytes: 814 });
    expect(index.fragments.map(({ syncTicks }) => syncTicks)).toEqual([0, 153_000, null, 333_000, null, null]);
    expect(index.fragments.map(({ startTicks }) => startTicks)).toEqual([
      0, 90_000, 180_000, 270_000, 360_000, 450_000,
    ]);
  });

  it("keeps a fragment that holds audio only, without times of the main track", () => {
    const index = inspectFixture(fixture("v1.20.1/h264-aac/2026-11-20_17-04-54")).fragments!;
    expect(index.fragments.at(-1)).toEqual({
      offsetBytes: 13_230,
      sizeBytes: 192,
      startTicks: null,
      durationTicks: 0,
      syncTicks: null,
    });
  });

  it("reads start, stream id and consecutive numbers from mtxi, and does without in files of 1.14.0", () => {
    const files = FMP4_FIXTURES.filter(({ folder }) => folder === "v1.20.1/h264-aac");
    const inspections = files.map(inspectFixture);
    expect(inspections.map(({ startUs }) => startUs)).toEqual(files.map(({ startUs }) => startUs));
    expect(inspections.map(({ position }) => position?.segmentNumber)).toEqual([0, 1, 2, 3, 0, 1]);
    expect(new Set(inspections.map(({ position }) => position?.streamId)).size).toBe(2);
    expect(inspections[0]?.position?.streamId).toBe("4dc782f4-8fa2-4323-91f1-743c684b0166");
    const old = inspectFixture(fixture("v1.14.0/h264-aac"));
    expect(old).toMatchObject({ startUs: null, position: null });
  });

  it("lays fragments end to end, from the init to the end of the file", () => {
    for (const file of FMP4_FIXTURES) {
      const { fragments, wholeBytes } = inspectFixture(file);
      let end = fragments!.initBytes;
      for (const fragment of fragments!.fragments) {
        expect(fragment.offsetBytes).toBe(end);
        end += fragment.sizeBytes;
      }
      expect(end).toBe(wholeBytes);
    }
  });
});
