/**
 * A multivariant playlist (RFC 8216, section 4.3.4.2) of one variant: what must be decoded and how fast it comes, told
 * before anything is fetched.
 */
import type { HlsFileFacts } from "./hls-playlist.js";
import { US_PER_SEC } from "./instant.js";
import type { Track } from "./recording.js";

export interface Variant {
  readonly uri: string;
  readonly files: readonly HlsFileFacts[];
  /** Of every file; the same may stand in it several times. */
  readonly tracks: readonly Track[];
}

export function renderMultivariant({ uri, files, tracks }: Variant): string {
  const { peakBitsPerSec, meanBitsPerSec } = bitRates(files);
  const videos = tracks.filter((track) => track.kind === "video");
  const largest = videos.toSorted((a, b) => b.widthPx * b.heightPx - a.widthPx * a.heightPx)[0];
  const frameRate = Math.max(0, ...videos.map((video) => video.frameRate ?? 0));
  const attributes = [
    `BANDWIDTH=${String(peakBitsPerSec)}`,
    `AVERAGE-BANDWIDTH=${String(meanBitsPerSec)}`,
    // "Every media format in any of the Renditions" has to be listed.
    `CODECS="${[...new Set(tracks.map(({ codec }) => codec))].join(",")}"`,
    ...(largest === undefined ? [] : [`RESOLUTION=${String(largest.widthPx)}x${String(largest.heightPx)}`]),
    ...(frameRate === 0 ? [] : [`FRAME-RATE=${frameRate.toFixed(3)}`]),
  ];
  return `#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-STREAM-INF:${attributes.join(",")}\n${uri}\n`;
}

/** "The largest bit rate of any … contiguous set of segments" is at most that of the fastest segment. */
function bitRates(files: readonly HlsFileFacts[]): {
  readonly peakBitsPerSec: number;
  readonly meanBitsPerSec: number;
} {
  let peak = 0;
  let bits = 0;
  let us = 0;
  for (const { segments } of files) {
    for (const { bytes, durationUs } of segments) {
      bits += bytes * 8;
      us += durationUs;
      if (durationUs > 0) peak = Math.max(peak, (bytes * 8 * US_PER_SEC) / durationUs);
    }
  }
  const mean = us === 0 ? 0 : Math.round((bits * US_PER_SEC) / us);
  return { peakBitsPerSec: Math.max(1, mean, Math.ceil(peak)), meanBitsPerSec: Math.max(1, mean) };
}
