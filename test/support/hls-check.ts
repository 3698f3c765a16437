/**
 * An independent reader of HLS playlists: RFC 8216's own rules for tags, and a box walk of its own over the bytes that
 * the playlist names. Shares no code with the product. Throws at the first thing that is wrong.
 */
interface CheckedSegment {
  readonly uri: string;
  readonly offset: number;
  readonly size: number;
  readonly sec: number;
  /** Wall clock of its start by EXT-X-PROGRAM-DATE-TIME, in seconds since 1970. */
  readonly wallSec: number;
  /** The text of its lines, as they stand. */
  readonly text: string;
  /** Samples of the video track, or of the first track where there is none. */
  readonly samples: number;
  /** Its first such sample is a sync sample. */
  readonly beginsWithSync: boolean;
}

export interface CheckedPlaylist {
  readonly version: number;
  readonly type: string;
  readonly isEnded: boolean;
  readonly isIndependent: boolean;
  readonly targetSec: number;
  readonly discontinuities: number;
  readonly segments: readonly CheckedSegment[];
  readonly samples: number;
  readonly sec: number;
}

export type Load = (uri: string, offset: number, size: number | undefined) => Promise<Buffer>;

interface Named {
  readonly uri: string;
  readonly map: { readonly uri: string; readonly size: number; readonly offset: number } | undefined;
  readonly range: readonly [size: number, offset: number] | undefined;
  readonly sec: number;
  readonly wall: number | undefined;
  readonly isDiscontinuous: boolean;
  readonly text: string;
}

const ONCE = /^#EXT-X-(VERSION|TARGETDURATION|MEDIA-SEQUENCE|PLAYLIST-TYPE|INDEPENDENT-SEGMENTS|ENDLIST)/;

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`playlist: ${what}`);
}

export async function checkPlaylist(text: string, load: Load): Promise<CheckedPlaylist> {
  const { head, named, isEnded } = parse(text);
  must(named.length > 0, "holds no segment");
  const targetSec = Number(head.get("TARGETDURATION"));
  must(Number.isInteger(targetSec), "target duration is no integer");
  const segments: CheckedSegment[] = [];
  let wall = 0;
  let previous: { named: Named; media: Media | undefined; offset: number; size: number } | undefined;
  for (const one of named) {
    must(Math.round(one.sec) <= targetSec, `EXTINF ${one.sec} is longer than the target ${targetSec}`);
    if (one.wall !== undefined) wall = one.wall;
    must(previous !== undefined || one.wall !== undefined, "the first segment has no wall clock");
    const [size, offset] = one.range ?? [undefined, 0];
    const bytes = await load(one.uri, offset, size);
    must(size === undefined || bytes.length === size, `${one.uri} has ${bytes.length} bytes at ${offset}, not ${size}`);
    const media = one.map === undefined ? checkTs(bytes, offset === 0) : await checkFmp4(one, bytes, load);
    const isSameFile = previous?.named.uri === one.uri;
    const isEdge = one.isDiscontinuous || previous === undefined;
    must(isSameFile !== isEdge, "a discontinuity stands not at a file's edge");
    if (isSameFile && previous !== undefined && media !== undefined && previous.media !== undefined) {
      must(
        previous.offset + previous.size === offset,
        `${one.uri}: bytes between ${previous.offset} and ${offset} are lost`,
      );
      const apart = media.startSec - previous.media.startSec;
      if (previous.media.isWhole)
        must(Math.abs(apart - previous.named.sec) < 2e-5, `EXTINF ${previous.named.sec}, its samples say ${apart}`);
    }
    const isLast = named[named.indexOf(one) + 1]?.uri !== one.uri;
    if (isLast && media?.isWhole === true) {
      const lasts = media.endSec - media.startSec;
      must(Math.abs(lasts - one.sec) < 2e-3, `EXTINF ${one.sec} of the last of ${one.uri}, its samples say ${lasts}`);
    }
    segments.push({
      ...{ uri: one.uri, offset, size: bytes.length, sec: one.sec, wallSec: wall, text: one.text },
      samples: media?.samples ?? 0,
      beginsWithSync: media?.beginsWithSync ?? false,
    });
    wall += one.sec;
    previous = { named: one, media, offset, size: bytes.length };
  }
  const isIndependent = head.has("INDEPENDENT-SEGMENTS");
  must(!isIndependent || segments.every(({ beginsWithSync }) => beginsWithSync), "segments are not independent");
  return {
    version: Number(head.get("VERSION")),
    type: head.get("PLAYLIST-TYPE") ?? "",
    ...{ isEnded, isIndependent, targetSec, segments },
    discontinuities: named.filter(({ isDiscontinuous }) => isDiscontinuous).length,
    samples: segments.reduce((sum, { samples }) => sum + samples, 0),
    sec: segments.reduce((sum, { sec }) => sum + sec, 0),
  };
}

function parse(text: string): { head: Map<string, string>; named: Named[]; isEnded: boolean } {
  must(text.endsWith("\n"), "does not end with a line break");
  const lines = text.split("\n").slice(0, -1);
  must(lines[0] === "#EXTM3U", "does not begin with #EXTM3U");
  const head = new Map<string, string>();
  const named: Named[] = [];
  let map: Named["map"];
  let range: Named["range"];
  let sec: number | undefined;
  let wall: number | undefined;
  let isDiscontinuous = false;
  let own: string[] = [];
  for (const [index, line] of lines.slice(1).entries()) {
    must(line !== "" && !line.includes("\r"), `line ${index + 2} is empty`);
    const once = ONCE.exec(line);
    if (once?.[1] !== undefined) {
      must(!head.has(once[1]), `${once[1]} stands twice`);
      must(
        once[1] === "ENDLIST" ? index === lines.length - 2 : named.length === 0,
        `${once[1]} stands at line ${index + 2}`,
      );
      head.set(once[1], line.split(":")[1] ?? "");
      continue;
    }
    own.push(line);
    const [, tag = "", value = ""] = /^#(EXT[A-Z-]+):?(.*)$/.exec(line) ?? [];
    if (tag === "EXT-X-DISCONTINUITY") isDiscontinuous = true;
    else if (tag === "EXT-X-MAP") {
      const [, uri = "", size, offset] = /^URI="([^"]+)",BYTERANGE="(\d+)@(\d+)"$/.exec(value) ?? [];
      must(uri !== "", `"${line}" cannot be read`);
      map = { uri, size: Number(size), offset: Number(offset) };
    } else if (tag === "EXT-X-PROGRAM-DATE-TIME") {
      wall = Date.parse(value) / 1_000 + Number(/\.\d{3}(\d{1,3})/.exec(value)?.[1]?.padEnd(3, "0") ?? 0) / 1e6;
      must(Number.isFinite(wall), `"${line}" is no time`);
    } else if (tag === "EXTINF") {
      must(/^\d+(\.\d+)?,$/.test(value), `"${line}" is no duration`);
      sec = Number(value.slice(0, -1));
    } else if (tag === "EXT-X-BYTERANGE") {
      must(/^\d+@\d+$/.test(value), `"${line}" is no range`);
      const [size = 0, offset = 0] = value.split("@").map(Number);
      range = [size, offset];
    } else {
      must(!line.startsWith("#EXT"), `the tag ${line} is not expected`);
      if (line.startsWith("#")) continue;
      must(sec !== undefined, `${line} has no EXTINF`);
      named.push({ uri: line, map, range, sec, wall, isDiscontinuous, text: own.join("\n") });
      [range, sec, wall, isDiscontinuous, own] = [undefined, undefined, undefined, false, []];
    }
  }
  must(own.length === 0 || own.every((line) => line === "#EXT-X-ENDLIST"), "ends within a segment");
  for (const name of ["VERSION", "TARGETDURATION", "MEDIA-SEQUENCE"]) must(head.has(name), `${name} is missing`);
  const least = map !== undefined ? 6 : named.some((one) => one.range !== undefined) ? 4 : 3;
  must(Number(head.get("VERSION")) >= least, `needs version ${least}`);
  return { head, named, isEnded: head.has("ENDLIST") };
}

interface Media {
  readonly startSec: number;
  readonly endSec: number;
  readonly samples: number;
  readonly beginsWithSync: boolean;
  /** The track that is measured has samples from the segment's first fragment on. */
  readonly isWhole: boolean;
}

interface Box {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

function boxes(bytes: Buffer, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at < to;) {
    must(at + 8 <= to, `a box header at ${at} is cut off`);
    const size = bytes.readUInt32BE(at);
    must(size >= 8 && at + size <= to, `a box at ${at} of ${size} bytes leaves its place`);
    found.push({ type: bytes.toString("latin1", at + 4, at + 8), start: at, body: at + 8, end: at + size });
    at += size;
  }
  return found;
}

function within(bytes: Buffer, parent: Box, ...path: string[]): Box {
  let box = parent;
  for (const type of path) {
    const next = boxes(bytes, box.body, box.end).find((child) => child.type === type);
    must(next !== undefined, `no ${type} in ${box.type}`);
    box = next;
  }
  return box;
}

const inits = new Map<string, { readonly id: number; readonly timescale: number }>();

/** The video track of the map, else its first. */
async function trackOf(map: NonNullable<Named["map"]>, load: Load): Promise<{ id: number; timescale: number }> {
  const key = `${map.uri} ${map.size}`;
  const known = inits.get(key);
  if (known !== undefined) return known;
  const bytes = await load(map.uri, map.offset, map.size);
  must(bytes.length === map.size, `the map of ${map.uri} has ${bytes.length} bytes`);
  const top = boxes(bytes, 0, bytes.length);
  must(
    top[0]?.type === "ftyp" && top.at(-1)?.type === "moov",
    `the map holds ${top.map(({ type }) => type).join(" ")}`,
  );
  const moov = top.at(-1)!;
  const tracks = boxes(bytes, moov.body, moov.end)
    .filter(({ type }) => type === "trak")
    .map((trak) => {
      const hdlr = within(bytes, trak, "mdia", "hdlr");
      return {
        isVideo: bytes.toString("latin1", hdlr.body + 8, hdlr.body + 12) === "vide",
        id: bytes.readUInt32BE(within(bytes, trak, "tkhd").body + 12),
        timescale: bytes.readUInt32BE(within(bytes, trak, "mdia", "mdhd").body + 12),
      };
    });
  const track = tracks.find(({ isVideo }) => isVideo) ?? tracks[0];
  must(track !== undefined, "the map holds no track");
  inits.set(key, track);
  return track;
}

async function checkFmp4(one: Named, bytes: Buffer, load: Load): Promise<Media | undefined> {
  must(one.map?.uri === one.uri, `${one.uri} has the map of another file`);
  const track = await trackOf(one.map, load);
  const top = boxes(bytes, 0, bytes.length);
  must(top[0]?.type === "moof" && top.at(-1)?.type === "mdat", `${one.uri}: does not begin and end with a fragment`);
  let samples = 0;
  let start: number | undefined;
  let end = 0;
  let beginsWithSync = false;
  let hasSyncEarly = false;
  let isWhole = false;
  for (const [index, box] of top.entries()) {
    if (box.type !== "moof") continue;
    must(top[index + 1]?.type === "mdat", `${one.uri}: a moof has no mdat`);
    for (const traf of boxes(bytes, box.body, box.end).filter(({ type }) => type === "traf")) {
      if (bytes.readUInt32BE(within(bytes, traf, "tfhd").body + 4) !== track.id) continue;
      const tfdt = Number(bytes.readBigUInt64BE(within(bytes, traf, "tfdt").body + 4));
      const run = readRun(bytes, within(bytes, traf, "trun"));
      if (start === undefined) beginsWithSync = run.firstIsSync;
      if (index === 0) isWhole = true;
      if (start === undefined && run.hasSync) hasSyncEarly = true;
      start ??= tfdt;
      end = tfdt + run.ticks;
      samples += run.samples;
    }
  }
  if (start === undefined) return undefined;
  must(hasSyncEarly, `${one.uri} at ${one.range?.[1] ?? 0}: no sync sample in the first fragment of the track`);
  const { timescale } = track;
  return { startSec: start / timescale, endSec: end / timescale, samples, beginsWithSync, isWhole };
}

function readRun(bytes: Buffer, trun: Box): { samples: number; ticks: number; firstIsSync: boolean; hasSync: boolean } {
  const flags = bytes.readUInt32BE(trun.body) & 0xffffff;
  must((flags & 0x301) === 0x301, "a trun lacks offset, durations or sizes, which MediaMTX writes");
  const samples = bytes.readUInt32BE(trun.body + 4);
  const hasFlags = (flags & 0x400) !== 0;
  const stride = 8 + (hasFlags ? 4 : 0) + ((flags & 0x800) === 0 ? 0 : 4);
  let ticks = 0;
  const sync: boolean[] = [];
  for (let at = trun.body + 12, index = 0; index < samples; index += 1, at += stride) {
    ticks += bytes.readUInt32BE(at);
    sync.push(!hasFlags || (bytes.readUInt32BE(at + 8) & 0x10000) === 0);
  }
  return { samples, ticks, firstIsSync: sync[0] ?? false, hasSync: sync.includes(true) };
}

/** One packet of MPEG-TS: where its payload begins, and what stands in front of it. */
function packetAt(bytes: Buffer, at: number) {
  must(bytes[at] === 0x47, `no packet at byte ${at}`);
  const control = (bytes[at + 3]! >> 4) & 3;
  const fieldSize = control >= 2 ? bytes[at + 4]! : -1;
  return {
    pid: bytes.readUInt16BE(at + 1) & 0x1fff,
    begins: (bytes[at + 1]! & 0x40) !== 0,
    isRandomAccess: fieldSize > 0 && (bytes[at + 5]! & 0x40) !== 0,
    payload: bytes.subarray(at + 5 + fieldSize, at + 188),
  };
}

/**
 * Of the first picture track: every segment has to begin with PAT and PMT, and to hold a picture that needs no other. In
 * front of a file's first picture there may be sound, which counts.
 */
function checkTs(bytes: Buffer, isFileStart: boolean): Media {
  must(bytes.length > 0 && bytes.length % 188 === 0, `an MPEG-TS segment has ${bytes.length} bytes`);
  const [pat, pmt] = [packetAt(bytes, 0), packetAt(bytes, 188)];
  must(pat.pid === 0 && pat.begins, "an MPEG-TS segment does not begin with its PAT");
  must(pmt.pid === (pat.payload.readUInt16BE(11) & 0x1fff), "no PMT follows the PAT");
  const videoPid = pmt.payload.readUInt16BE(14) & 0x1fff;
  const pts: number[] = [];
  let beginsWithSync = false;
  let hasSync = false;
  let firstSec: number | undefined;
  for (let at = 0; at < bytes.length; at += 188) {
    const { pid, begins, isRandomAccess, payload } = packetAt(bytes, at);
    const hasTime = begins && payload.readUInt32BE(0) >>> 8 === 1 && (payload[7]! & 0x80) !== 0;
    must(hasTime || !begins || pid !== videoPid, `no PES with a time at byte ${at}`);
    if (!hasTime) continue;
    const high = (payload[9]! & 0x0e) * 2 ** 29;
    const sec = (high + (payload.readUInt16BE(10) >> 1) * 2 ** 15 + (payload.readUInt16BE(12) >> 1)) / 90_000;
    firstSec ??= sec;
    if (pid !== videoPid) continue;
    if (pts.length === 0) beginsWithSync = isRandomAccess;
    hasSync ||= isRandomAccess;
    pts.push(sec);
  }
  must(pts.length > 1 && hasSync, "an MPEG-TS segment has no picture that needs no other");
  const lastSec = Math.max(...pts);
  const startSec = isFileStart ? (firstSec ?? NaN) : pts[0]!;
  const endSec = lastSec + (lastSec - Math.min(...pts)) / (pts.length - 1);
  return { startSec, endSec, samples: pts.length, beginsWithSync, isWhole: true };
}
