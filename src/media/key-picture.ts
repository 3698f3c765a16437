/** One JPEG of one sync sample. Only sync samples are decoded, so what a fragment holds before its first does not matter. */
import type { SegmentFormat } from "../core/recording.js";
import { type FfmpegJob, type FfmpegSettings, runFfmpeg } from "./ffmpeg.js";

const DEMUXERS: Readonly<Record<SegmentFormat, string>> = { fmp4: "mov", mpegts: "mpegts" };
/** 8K has 33 million; a header that claims more is none of a camera. */
const MOST_PIXELS = 67_108_864;

export interface PictureRequest {
  readonly format: SegmentFormat;
  /** fMP4: init and one fragment; MPEG-TS: any piece that holds its tables. */
  readonly media: FfmpegJob["input"];
  /** At most this wide, never wider than the video; the height follows, in square pixels. */
  readonly widthPx: number;
}

/** Throws as `runFfmpeg`; `data-loss` when there is no whole sync sample in the bytes. */
export function decodeKeyPicture(
  settings: FfmpegSettings,
  { format, media, widthPx }: PictureRequest,
  signal: AbortSignal,
): Promise<Buffer> {
  const width = `max(2,trunc(min(${String(widthPx)},iw*sar)/2)*2)`;
  const args = [
    ...["-threads", "1", "-max_pixels", String(MOST_PIXELS), "-skip_frame", "nokey"],
    ...["-protocol_whitelist", "pipe", "-f", DEMUXERS[format], "-i", "pipe:0"],
    ...["-map", "0:v:0", "-frames:v", "1"],
    ...["-vf", `scale=w='${width}':h='max(2,trunc(ow/dar/2)*2)',setsar=1`],
    ...["-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p", "-threads", "1", "-f", "image2pipe", "pipe:1"],
  ];
  return runFfmpeg(settings, { args, input: media }, signal);
}
