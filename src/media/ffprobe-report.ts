/** What `ffprobe -show_streams -show_format -show_error -of json` prints, as tracks and a duration. */
import { z } from "zod";

import { US_PER_SEC } from "../core/instant.js";
import type { Track } from "../core/recording.js";

const stream = z.object({
  index: z.number().int(),
  id: z.string().optional(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  profile: z.string().optional(),
  level: z.number().int().optional(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  avg_frame_rate: z.string().optional(),
  time_base: z.string().optional(),
  start_time: z.string().optional(),
  duration: z.string().optional(),
  sample_rate: z.string().optional(),
  channels: z.number().int().optional(),
});

export const ffprobeReport = z.object({
  streams: z.array(stream).default([]),
  format: z.object({ duration: z.string().optional() }).optional(),
  error: z.object({ code: z.number().int(), string: z.string() }).optional(),
});

export type FfprobeReport = z.infer<typeof ffprobeReport>;
type Stream = z.infer<typeof stream>;

/** profile_idc and the constraint byte that encoders usually set with it: the report does not hold that byte. */
const H264_PROFILES: Readonly<Record<string, string>> = {
  Baseline: "4200",
  "Constrained Baseline": "42e0",
  Main: "4d40",
  Extended: "5800",
  High: "6400",
  "High 10": "6e00",
  "High 10 Intra": "6e10",
  "High 4:2:2": "7a00",
  "High 4:2:2 Intra": "7a10",
  "High 4:4:4 Predictive": "f400",
  "CAVLC 4:4:4": "2c00",
};
/** general_profile_idc and compatibility flags. */
const HEVC_PROFILES: Readonly<Record<string, string>> = {
  Main: "1.6",
  "Main 10": "2.4",
  "Main Still Picture": "3.e",
  Rext: "4.10",
};
const AAC_OBJECT_TYPES: Readonly<Record<string, number>> = {
  Main: 1,
  LC: 2,
  SSR: 3,
  LTP: 4,
  "HE-AAC": 5,
  LD: 23,
  "HE-AACv2": 29,
  ELD: 39,
};
const CODECS: Readonly<Record<string, string>> = { opus: "Opus", ac3: "ac-3", eac3: "ec-3", mp3: "mp4a.6b" };

export function tracksOf(report: FfprobeReport): Track[] {
  return report.streams.map((entry): Track => {
    const base = { id: trackId(entry), codec: codecOf(entry), timescale: ratio(entry.time_base, true) ?? 1 };
    if (entry.codec_type === "video" && (entry.width ?? 0) > 0) {
      const frameRate = ratio(entry.avg_frame_rate, false);
      return {
        kind: "video",
        ...base,
        widthPx: entry.width ?? 0,
        heightPx: entry.height ?? 0,
        frameRate: frameRate === null ? null : Math.round(frameRate * 1_000) / 1_000,
      };
    }
    if (entry.codec_type === "audio" && Number(entry.sample_rate) > 0) {
      return { kind: "audio", ...base, sampleRateHz: Number(entry.sample_rate), channels: entry.channels ?? 0 };
    }
    return { kind: "other", ...base };
  });
}

/** First to last sample, the last one's duration included; null when ffprobe could not tell. */
export function durationUsOf(report: FfprobeReport): number | null {
  const total = Number(report.format?.duration);
  if (total > 0) return Math.round(total * US_PER_SEC);
  const spans = report.streams
    .map((entry) => ({ start: Number(entry.start_time), duration: Number(entry.duration) }))
    .filter(({ start, duration }) => Number.isFinite(start) && duration > 0);
  if (spans.length === 0) return null;
  const start = Math.min(...spans.map((span) => span.start));
  const end = Math.max(...spans.map((span) => span.start + span.duration));
  return Math.round((end - start) * US_PER_SEC);
}

/** MPEG-TS PID or MP4 track id (`0x100`); old ffprobe versions leave it out. */
function trackId(entry: Stream): number {
  const id = Number(entry.id);
  return Number.isSafeInteger(id) && id > 0 ? id : entry.index + 1;
}

function codecOf(entry: Stream): string {
  const name = entry.codec_name ?? "none";
  const profile = entry.profile ?? "";
  const level = entry.level ?? 0;
  if (name === "h264") {
    const known = H264_PROFILES[profile];
    return known === undefined || level <= 0 ? name : `avc1.${known}${level.toString(16).padStart(2, "0")}`;
  }
  if (name === "hevc") {
    const known = HEVC_PROFILES[profile];
    return known === undefined || level <= 0 ? name : `hvc1.${known}.L${String(level)}`;
  }
  if (name === "aac") return `mp4a.40.${String(AAC_OBJECT_TYPES[profile] ?? 2)}`;
  return CODECS[name] ?? name.toLowerCase();
}

/** `30000/1001`; inverted `1/90000` gives 90000. Null for `0/0`. */
function ratio(text: string | undefined, isInverted: boolean): number | null {
  const [over, under] = (text ?? "").split("/").map(Number);
  const value = isInverted ? Number(under) / Number(over) : Number(over) / Number(under);
  return Number.isFinite(value) && value > 0 ? value : null;
}
