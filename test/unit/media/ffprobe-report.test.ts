import { describe, expect, it } from "vitest";

import { durationUsOf, ffprobeReport, tracksOf } from "../../../src/media/ffprobe-report.js";

const VIDEO = { index: 0, codec_type: "video", width: 320, height: 180, time_base: "1/90000" };
const AUDIO = { index: 1, codec_type: "audio", sample_rate: "48000", channels: 2, time_base: "1/48000" };

function report(...streams: readonly object[]) {
  return ffprobeReport.parse({ streams });
}

describe("report of ffprobe", () => {
  it.each([
    ["avc1.42e01f", { codec_name: "h264", profile: "Constrained Baseline", level: 31 }],
    ["avc1.4d4028", { codec_name: "h264", profile: "Main", level: 40 }],
    ["avc1.64000b", { codec_name: "h264", profile: "High", level: 11 }],
    ["h264", { codec_name: "h264", profile: "Something New", level: 11 }],
    ["h264", { codec_name: "h264", profile: "High", level: -99 }],
    ["hvc1.1.6.L60", { codec_name: "hevc", profile: "Main", level: 60 }],
    ["hevc", { codec_name: "hevc" }],
    ["mpeg2video", { codec_name: "mpeg2video", profile: "Main", level: 8 }],
  ])("says %s of a video stream", (codec, stream) => {
    expect(tracksOf(report({ ...VIDEO, ...stream }))[0]).toMatchObject({ kind: "video", codec });
  });

  it.each([
    ["mp4a.40.2", { codec_name: "aac", profile: "LC" }],
    ["mp4a.40.2", { codec_name: "aac" }],
    ["mp4a.40.5", { codec_name: "aac", profile: "HE-AAC" }],
    ["mp4a.6b", { codec_name: "mp3" }],
    ["Opus", { codec_name: "opus" }],
    ["ac-3", { codec_name: "ac3" }],
    ["mp2", { codec_name: "mp2" }],
  ])("says %s of an audio stream", (codec, stream) => {
    expect(tracksOf(report({ ...AUDIO, ...stream }))[0]).toMatchObject({
      kind: "audio",
      codec,
      sampleRateHz: 48_000,
      channels: 2,
    });
  });

  it("reads PID, timescale and frame rate", () => {
    const stream = { ...VIDEO, id: "0x100", codec_name: "h264", avg_frame_rate: "30000/1001" };
    expect(tracksOf(report(stream))[0]).toMatchObject({ id: 256, timescale: 90_000, frameRate: 29.97 });
    expect(tracksOf(report({ ...VIDEO, avg_frame_rate: "0/0" }))[0]).toMatchObject({ id: 1, frameRate: null });
  });

  it("takes a stream that it knows nothing about for a track of another kind", () => {
    expect(tracksOf(report({ index: 2, codec_type: "data" }, { ...VIDEO, width: 0 }))).toMatchObject([
      { kind: "other", id: 3, codec: "none" },
      { kind: "other" },
    ]);
  });

  it("counts from the first sample of any stream to the end of the last", () => {
    const streams = [
      { ...VIDEO, start_time: "4.5", duration: "2.0" },
      { ...AUDIO, start_time: "4.25", duration: "1.5" },
    ];
    expect(durationUsOf(report(...streams))).toBe(2_250_000);
    expect(durationUsOf(ffprobeReport.parse({ streams, format: { duration: "2.3" } }))).toBe(2_300_000);
    expect(durationUsOf(report(VIDEO))).toBeNull();
  });
});
