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
  const args = [
    ...["-threads", "1", "-max_pixels", String(MOST_PIXELS), "-skip_frame", "nokey"],
    ...["-protocol_whitelist", "pipe", "-f", DEMUXERS[format], "-i", "pipe:0"],
    ...["-map", "0:v:0", "-frames:v", "1", "-vf", atMost(widthPx), ...AS_JPEG],
  ];
  return runFfmpeg(settings, { args, input: media }, signal);
}

/** The same picture, less wide. Throws as `runFfmpeg`. */
export function shrinkPicture(
  settings: FfmpegSettings,
  { jpeg, widthPx }: { readonly jpeg: Uint8Array; readonly widthPx: number },
  signal: AbortSignal,
): Promise<Buffer> {
  const args = [...OF_JPEGS, "-frames:v", "1", "-vf", atMost(widthPx), ...AS_JPEG];
  return runFfmpeg(settings, { args, input: [jpeg] }, signal);
}

export interface SheetRequest {
  /** In the order in which they are laid: row by row. */
  readonly jpegs: readonly Uint8Array[];
  readonly columns: number;
  readonly rows: number;
  /** Each picture fills one as far as its shape allows, on black. */
  readonly tileWidthPx: number;
  readonly tileHeightPx: number;
}

/** One JPEG of many. Throws as `runFfmpeg`. */
export function tilePictures(
  settings: FfmpegSettings,
  { jpegs, columns, rows, tileWidthPx, tileHeightPx }: SheetRequest,
  signal: AbortSignal,
): Promise<Buffer> {
  const size = `${String(tileWidthPx)}:${String(tileHeightPx)}`;
  const filters = [
    // Shapes may change on the way: each picture is fitted by itself.
    `scale=${size}:force_original_aspect_ratio=decrease:force_divisible_by=2:eval=frame`,
    `pad=${size}:(ow-iw)/2:(oh-ih)/2:eval=frame`,
    `setsar=1,tile=${String(columns)}x${String(rows)}`,
  ];
  const args = ["-reinit_filter", "0", ...OF_JPEGS, "-frames:v", "1", "-vf", filters.join(","), ...AS_JPEG];
  return runFfmpeg(settings, { args, input: jpegs }, signal);
}

const OF_JPEGS = [
  ...["-threads", "1", "-max_pixels", String(MOST_PIXELS)],
  ...["-protocol_whitelist", "pipe", "-f", "image2pipe", "-c:v", "mjpeg", "-i", "pipe:0", "-map", "0:v:0"],
];
const AS_JPEG = ["-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p", "-threads", "1", "-f", "image2pipe", "pipe:1"];

function atMost(widthPx: number): string {
  const width = `max(2,trunc(min(${String(widthPx)},iw*sar)/2)*2)`;
  return `scale=w='${width}':h='max(2,trunc(ow/dar/2)*2)',setsar=1`;
}
