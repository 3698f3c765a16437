/**
 * A piece of footage as H.264 and AAC in MPEG-TS, by itself and in its place on the file's time, so that pieces that were
 * made by different ffmpegs follow one another without a seam.
 */
import { AppError } from "../core/errors.js";
import { US_PER_SEC } from "../core/instant.js";
import type { Track } from "../core/recording.js";
import { type FfmpegStreamJob, streamFfmpeg } from "./ffmpeg-stream.js";
import type { FfmpegSettings } from "./ffmpeg.js";

/** What comes out, at most: level 4.2 is 1080p at 60 frames a second. */
export const TRANSCODED_CODECS = { video: "avc1.4d402a", audio: "mp4a.40.2" } as const;

/** The sound of a piece begins a little before its picture, and no time may be negative. */
const AHEAD_US = 10 * US_PER_SEC;
const MOST_OUTPUT_BYTES = 96 * 1_048_576;
const WIDEST_PX = 1_920;

export interface TranscodeRequest {
  /** A fragmented MP4 that begins with a sync sample; its time is 0 there. */
  readonly media: FfmpegStreamJob["input"];
  readonly tracks: readonly Track[];
  /** Of its beginning, on the time of the file that it is a piece of. */
  readonly startUs: number;
}

/** Whole, so that what fails halfway is an answer of its own. Throws as `streamFfmpeg`, and what reading the media throws. */
export async function transcode(
  settings: FfmpegSettings,
  { media, tracks, startUs }: TranscodeRequest,
  signal: AbortSignal,
): Promise<Buffer> {
  const video = tracks.find(({ kind }) => kind === "video");
  const args = [
    ...["-copyts", "-protocol_whitelist", "pipe", "-f", "mov", "-i", "pipe:0"],
    ...["-map", "0:v:0?", "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1"],
    ...(video !== undefined && /^avc[13]\./.test(video.codec) ? ["-c:v", "copy"] : TO_H264),
    ...["-c:a", "aac", "-b:a", "96k", "-ac", "2"],
    ...["-output_ts_offset", `${String(startUs + AHEAD_US)}us`, "-muxdelay", "0", "-muxpreload", "0"],
    ...["-f", "mpegts", "pipe:1"],
  ];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of streamFfmpeg(settings, { args, input: media, purpose: "transcode" }, signal)) {
    bytes += chunk.length;
    if (bytes > MOST_OUTPUT_BYTES) {
      throw new AppError({ kind: "data-loss", message: `transcode: more than ${String(MOST_OUTPUT_BYTES)} bytes` });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Frames keep their times, whatever rate the camera claims; no B-frames, so that none is shown later than it ends. */
const TO_H264 = [
  ...["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-level", "4.2", "-crf", "24"],
  ...["-maxrate", "8M", "-bufsize", "8M", "-pix_fmt", "yuv420p", "-bf", "0", "-g", "600", "-sc_threshold", "0"],
  ...["-threads", "2", "-fps_mode", "passthrough", "-enc_time_base:v", "1:90000"],
  ...["-vf", `scale=w='trunc(min(${String(WIDEST_PX)},iw)/2)*2':h='trunc(ow/a/2)*2'`],
];
