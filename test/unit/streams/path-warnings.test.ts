import { describe, expect, it } from "vitest";

import type { PathSettings } from "../../../src/contract/path-settings.js";
import { effectiveSettings } from "../../../src/streams/effective-settings.js";
import { warningsOf } from "../../../src/streams/path-warnings.js";

const warned = (own: PathSettings, inherited = {}) =>
  warningsOf(effectiveSettings(own, inherited)).map(({ field }) => field);

describe("a setting as it counts", () => {
  it("is the path's own, else what the base says, else MediaMTX's default", () => {
    const settings = effectiveSettings({ record: false }, { record: true, maxReaders: 5, sourceOnDemand: "yes" });
    expect(settings.record).toEqual({ value: false, from: "own", inherited: true });
    expect(settings.maxReaders).toEqual({ value: 5, from: "defaults", inherited: 5 });
    expect(settings.sourceOnDemand).toEqual({ value: true, from: "defaults", inherited: true });
    expect(settings.recordSegmentDuration).toEqual({ value: "1h", from: "mediamtx", inherited: "1h" });
  });

  it("keeps the placeholder out of recordings unless the path says otherwise", () => {
    const always = { alwaysAvailable: true, alwaysAvailableTracks: [{ codec: "H264" as const }] };
    expect(effectiveSettings(always, {}).alwaysAvailableRecorded).toMatchObject({ value: false, from: "defaults" });
    const own = effectiveSettings({ ...always, alwaysAvailableRecorded: true }, {});
    expect(own.alwaysAvailableRecorded).toEqual({ value: true, from: "own", inherited: false });
    expect(effectiveSettings({}, {}).alwaysAvailableRecorded).toMatchObject({ value: true, from: "mediamtx" });
  });
});

describe("what people seldom mean", () => {
  const pulled = { source: "rtsp://camera/1", record: true };

  it("is nothing for a camera that is simply recorded", () => {
    expect(warned(pulled)).toEqual([]);
    expect(warned({ record: true, overridePublisher: false })).toEqual([]);
  });

  it.each<[string, PathSettings, string[]]>([
    ["recorded on demand", { ...pulled, sourceOnDemand: true }, ["sourceOnDemand"]],
    ["a short segment", { ...pulled, recordSegmentDuration: "1500ms" }, ["recordSegmentDuration"]],
    ["a long segment", { ...pulled, recordSegmentDuration: "2h" }, ["recordSegmentDuration"]],
    ["a long part", { ...pulled, recordPartDuration: "11s" }, ["recordPartDuration"]],
    ["mpegts", { ...pulled, recordFormat: "mpegts" }, ["recordFormat"]],
    ["an encrypted source without a fingerprint", { ...pulled, source: "rtsps://camera/1" }, ["sourceFingerprint"]],
    ["a fingerprint for nothing", { ...pulled, sourceFingerprint: "ab".repeat(32) }, ["sourceFingerprint"]],
    ["a camera's own clock", { ...pulled, useAbsoluteTimestamp: true }, ["useAbsoluteTimestamp"]],
    ["a transport of another protocol", { source: "srt://camera:1", rtspTransport: "tcp" }, ["rtspTransport"]],
    ["a publisher's setting of a source", { ...pulled, overridePublisher: false }, ["overridePublisher"]],
    [
      "a recorded placeholder",
      {
        ...{ record: true, alwaysAvailable: true, alwaysAvailableTracks: [{ codec: "H264" }] },
        alwaysAvailableRecorded: true,
      },
      ["alwaysAvailableRecorded"],
    ],
  ])("is told of: %s", (_name, settings, fields) => {
    expect(warned(settings)).toEqual(fields);
  });

  it("counts what the base says too", () => {
    expect(warned({ source: "rtsp://camera/1", sourceOnDemand: true }, { record: true })).toEqual(["sourceOnDemand"]);
  });
});
