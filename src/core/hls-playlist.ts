/**
 * An HLS media playlist (RFC 8216) as text. Each file keeps its own timeline (MediaMTX's `tfdt` begins anew in each), so
 * each begins with a discontinuity, its own map and its own wall clock; a hole in the footage is no more than a jump of
 * that clock.
 */
import { formatRfc3339, US_PER_SEC } from "./instant.js";

export interface HlsSegment {
  /** Wall clock of its first sample. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly bytes: number;
  /** Of the first byte in the file; null: the segment is the whole file. */
  readonly offsetBytes: number | null;
  /** It begins with a sync sample. */
  readonly beginsWithSync: boolean;
  /** Of its own; default: that of its file. */
  readonly uri?: string;
}

export interface HlsFileFacts {
  /** Printable ASCII without quotes. */
  readonly uri: string;
  /** Of `ftyp` + `moov`; null for MPEG-TS, which has none. */
  readonly initBytes: number | null;
  /** At least one. */
  readonly segments: readonly HlsSegment[];
}

/** With its lines, which are the same in whatever playlist it stands. */
export interface HlsFile extends HlsFileFacts {
  readonly text: string;
}

export interface MediaPlaylist {
  readonly files: readonly HlsFile[];
  /** EVENT: lines are only ever added. */
  readonly type: "VOD" | "EVENT";
  /** Nothing will be added. */
  readonly isEnded: boolean;
  /** No segment needs another one to be decoded. */
  readonly isIndependent: boolean;
}

/** What EXT-X-MAP in a playlist of media segments, EXT-X-BYTERANGE and fractions of a second need (RFC 8216, section 7). */
const VERSION = { map: 6, byteRange: 4, fractions: 3 } as const;
/**
 * "The server MUST NOT change the value of the EXT-X-TARGETDURATION tag" (section 6.2.1), and what is still to come is
 * not known: only a longer GOP than this breaks the rule.
 */
const EVENT_TARGET_SEC = 10;

export function renderMediaPlaylist({ files, type, isEnded, isIndependent }: MediaPlaylist): string {
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${String(versionOf(files))}`,
    `#EXT-X-TARGETDURATION:${String(targetSec(files, type))}`,
    "#EXT-X-MEDIA-SEQUENCE:0",
    `#EXT-X-PLAYLIST-TYPE:${type}`,
  ];
  if (isIndependent) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  for (const [index, file] of files.entries()) {
    if (index > 0) lines.push("#EXT-X-DISCONTINUITY");
    lines.push(file.text);
  }
  if (isEnded) lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

function versionOf(files: readonly HlsFileFacts[]): number {
  if (files.some(({ initBytes }) => initBytes !== null)) return VERSION.map;
  const hasRanges = files.some(({ segments }) => segments.some(({ offsetBytes }) => offsetBytes !== null));
  return hasRanges ? VERSION.byteRange : VERSION.fractions;
}

/** For `text`. */
export function textOfFile({ uri, initBytes, segments }: HlsFileFacts): string {
  const lines: string[] = [];
  if (initBytes !== null) lines.push(`#EXT-X-MAP:URI="${uri}",BYTERANGE="${String(initBytes)}@0"`);
  const [first] = segments;
  if (first !== undefined) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${formatRfc3339(first.startUs)}`);
  for (const { durationUs, bytes, offsetBytes, uri: own } of segments) {
    lines.push(`#EXTINF:${secondsText(durationUs)},`);
    if (offsetBytes !== null) lines.push(`#EXT-X-BYTERANGE:${String(bytes)}@${String(offsetBytes)}`);
    lines.push(own ?? uri);
  }
  return lines.join("\n");
}

/** "The EXTINF duration …, when rounded to the nearest integer, MUST be less than or equal to" it (section 4.3.3.1). */
function targetSec(files: readonly HlsFileFacts[], type: MediaPlaylist["type"]): number {
  let longestUs = 0;
  for (const { segments } of files) {
    for (const { durationUs } of segments) longestUs = Math.max(longestUs, durationUs);
  }
  return Math.max(type === "EVENT" ? EVENT_TARGET_SEC : 1, Math.round(longestUs / US_PER_SEC));
}

function secondsText(us: number): string {
  const whole = Math.floor(us / US_PER_SEC);
  return `${String(whole)}.${String(us - whole * US_PER_SEC).padStart(6, "0")}`;
}
