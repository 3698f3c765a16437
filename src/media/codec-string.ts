/** Sample entries (ISO/IEC 14496-12 §8.5.2) as codec strings: RFC 6381, ISO/IEC 14496-15 Annex E, AV1 and VP9 in ISO BMFF. */
import { type Box, findLeniently, fourcc, fourccText } from "./box.js";
import { readAudioConfig, readEsds } from "./esds.js";
import { hevcProfileTierLevel } from "./hevc-sps.js";

export type SampleEntry =
  | { readonly kind: "video"; readonly codec: string; readonly widthPx: number; readonly heightPx: number }
  | {
      readonly kind: "audio";
      readonly codec: string;
      /** Null where the entry cannot say it. */
      readonly sampleRateHz: number | null;
      readonly channels: number;
    }
  | { readonly kind: "other"; readonly codec: string };

/** Bytes of the entry's fixed fields, before its boxes. */
const VISUAL_FIELDS = 78;
const AUDIO_FIELDS = 28;

const VIDEO_CODECS = new Map<number, (entry: Box) => string | undefined>([
  [fourcc("avc1"), avcString],
  [fourcc("avc3"), avcString],
  [fourcc("hvc1"), hevcString],
  [fourcc("hev1"), hevcString],
  [fourcc("av01"), av1String],
  [fourcc("vp09"), vp9String],
  [fourcc("mp4v"), mpeg4VisualString],
  [fourcc("mjpg"), () => "mjpeg"],
  [fourcc("jpeg"), () => "mjpeg"],
]);

const AUDIO_CODECS = new Map<number, string>(
  ["Opus", "ac-3", "ec-3", "ipcm", "lpcm"].map((codec): [number, string] => [fourcc(codec), codec]),
);
AUDIO_CODECS.set(fourcc("fLaC"), "flac");

/** Never throws: a configuration box that cannot be read leaves the bare fourcc, so that the media stays indexed. */
export function describeSampleEntry(entry: Box): SampleEntry {
  const bare = fourccText(entry.type);
  const bodyBytes = entry.end - entry.body;
  const videoCodec = VIDEO_CODECS.get(entry.type);
  if (videoCodec !== undefined && bodyBytes >= VISUAL_FIELDS) {
    return {
      kind: "video",
      codec: videoCodec(entry) ?? bare,
      widthPx: entry.view.getUint16(entry.body + 24),
      heightPx: entry.view.getUint16(entry.body + 26),
    };
  }
  if (bodyBytes < AUDIO_FIELDS) return { kind: "other", codec: bare };
  if (entry.type === fourcc("mp4a")) return mpeg4Audio(entry);
  const audioCodec = AUDIO_CODECS.get(entry.type);
  if (audioCodec === undefined) return { kind: "other", codec: bare };
  return { kind: "audio", codec: audioCodec, ...audioFields(entry) };
}

function audioFields(entry: Box): { readonly sampleRateHz: number | null; readonly channels: number } {
  const wholeHz = entry.view.getUint32(entry.body + 24) >>> 16;
  return { channels: entry.view.getUint16(entry.body + 16), sampleRateHz: wholeHz === 0 ? null : wholeHz };
}

function mpeg4Audio(entry: Box): SampleEntry {
  const fields = audioFields(entry);
  const esds = findLeniently(entry, entry.body + AUDIO_FIELDS, fourcc("esds"));
  const stream = esds === undefined ? undefined : readEsds(esds);
  if (stream === undefined) return { kind: "audio", codec: "mp4a", ...fields };
  if (stream.objectType !== 0x40) return { kind: "audio", codec: `mp4a.${hexByte(stream.objectType)}`, ...fields };
  const config = readAudioConfig(stream.specificInfo);
  if (config === undefined) return { kind: "audio", codec: "mp4a.40", ...fields };
  return {
    kind: "audio",
    codec: `mp4a.40.${String(config.objectType)}`,
    sampleRateHz: config.sampleRateHz ?? fields.sampleRateHz,
    channels: config.channels ?? fields.channels,
  };
}

/** `avc1.PPCCLL`: profile, constraint flags and level as they stand in AVCDecoderConfigurationRecord. */
function avcString(entry: Box): string | undefined {
  const config = configBytes(entry, "avcC", 4);
  if (config === undefined) return undefined;
  return `${fourccText(entry.type)}.${[config[1], config[2], config[3]].map(hexByte).join("")}`;
}

/** ISO/IEC 14496-15 Annex E.3: compatibility flags in reverse bit order, trailing zero constraint bytes left out. */
function hevcString(entry: Box): string | undefined {
  const config = configBytes(entry, "hvcC", 13);
  if (config === undefined) return undefined;
  const level = hevcProfileTierLevel(config) ?? config.subarray(1, 13);
  const profile = level[0] ?? 0;
  const space = ["", "A", "B", "C"][profile >> 6] ?? "";
  const tier = (profile & 0x20) === 0 ? "L" : "H";
  const constraints = [...level.subarray(5, 11)];
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    `${fourccText(entry.type)}.${space}${String(profile & 0x1f)}`,
    reverseBits(level.subarray(1, 5)).toString(16).toUpperCase(),
    `${tier}${String(level[11])}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join(".");
}

function reverseBits(bytes: Uint8Array): number {
  let reversed = 0;
  for (let bit = bytes.length * 8 - 1; bit >= 0; bit -= 1) {
    reversed = reversed * 2 + (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
  }
  return reversed;
}

/** `av01.P.LLT.DD`, AV1 Codec ISO Media File Format Binding §5. */
function av1String(entry: Box): string | undefined {
  const config = configBytes(entry, "av1C", 3);
  if (config === undefined) return undefined;
  const profile = (config[1] ?? 0) >> 5;
  const level = (config[1] ?? 0) & 0x1f;
  const flags = config[2] ?? 0;
  const isHighDepth = (flags & 0x40) !== 0;
  const isTwelveBit = profile === 2 && (flags & 0x20) !== 0;
  const depth = isHighDepth ? (isTwelveBit ? 12 : 10) : 8;
  return `av01.${String(profile)}.${twoDigits(level)}${(flags & 0x80) === 0 ? "M" : "H"}.${twoDigits(depth)}`;
}

/** `vp09.PP.LL.DD`, VP Codec ISO Media File Format Binding. */
function vp9String(entry: Box): string | undefined {
  const config = configBytes(entry, "vpcC", 7)?.subarray(4);
  if (config === undefined) return undefined;
  return `vp09.${[config[0] ?? 0, config[1] ?? 0, (config[2] ?? 0) >> 4].map(twoDigits).join(".")}`;
}

function mpeg4VisualString(entry: Box): string | undefined {
  const esds = findLeniently(entry, entry.body + VISUAL_FIELDS, fourcc("esds"));
  const stream = esds === undefined ? undefined : readEsds(esds);
  if (stream === undefined) return undefined;
  if (stream.objectType === 0x6c) return "mjpeg";
  if (stream.objectType !== 0x20) return `mp4v.${hexByte(stream.objectType)}`;
  // visual_object_sequence_start_code 00 00 01 b0, then profile_and_level_indication, decimal in the codec string
  const info = stream.specificInfo;
  const hasProfile = info[2] === 1 && info[3] === 0xb0 && info[4] !== undefined;
  return hasProfile ? `mp4v.20.${String(info[4])}` : "mp4v.20";
}

/** Body of a configuration box of the entry when it holds at least `minBytes`. */
function configBytes(entry: Box, type: string, minBytes: number): Uint8Array | undefined {
  const box = findLeniently(entry, entry.body + VISUAL_FIELDS, fourcc(type));
  if (box === undefined || box.end - box.body < minBytes) return undefined;
  return new Uint8Array(box.view.buffer, box.view.byteOffset + box.body, box.end - box.body);
}

function hexByte(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, "0");
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
