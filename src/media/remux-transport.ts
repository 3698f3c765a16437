/**
 * MPEG-TS as fragmented MP4, by ffmpeg: no media is made anew, and all times stay what they are, so that the tables of
 * the answer can be read and cut like those of any recording.
 */
import type { Track } from "../core/recording.js";
import type { FfmpegSettings } from "./ffmpeg.js";
import { streamFfmpeg } from "./ffmpeg-stream.js";

export interface TransportStream {
  /** In the order of the program. */
  readonly tracks: readonly Track[];
  readonly packets: AsyncIterable<Uint8Array>;
}

/** frag_discont: `tfdt` is the time stamp itself, not what has passed since the first one. */
const FLAGS = "default_base_moof+frag_keyframe+frag_discont+delay_moov+skip_trailer";

/** ffmpeg holds a fragment in memory: sound has no sync sample that would end one, and pictures may have none for long. */
const MOST_FRAGMENT_US = "5000000";

/** Throws as `streamFfmpeg`. */
export function remuxTransport(
  settings: FfmpegSettings,
  { tracks, packets }: TransportStream,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const sounds = tracks.filter(({ kind }) => kind === "audio");
  const isHevc = tracks.some(({ codec }) => /^(hvc1|hev1|hevc)/.test(codec));
  const args = [
    ...["-protocol_whitelist", "pipe", "-copyts", "-f", "mpegts", "-i", "pipe:0"],
    ...["-map", "0:v?", "-map", "0:a?", "-c", "copy"],
    ...(isHevc ? ["-tag:v", "hvc1"] : []),
    // MPEG-TS has ADTS headers in front of AAC, and MP4 none.
    ...sounds.flatMap(({ codec }, at) =>
      codec.startsWith("mp4a.40") ? [`-bsf:a:${String(at)}`, "aac_adtstoasc"] : [],
    ),
    ...["-avoid_negative_ts", "disabled", "-use_editlist", "0", "-fflags", "+bitexact"],
    ...["-f", "mp4", "-movflags", FLAGS, "-frag_duration", MOST_FRAGMENT_US, "pipe:1"],
  ];
  return streamFfmpeg(settings, { args, input: packets, purpose: "remux MPEG-TS" }, signal);
}
