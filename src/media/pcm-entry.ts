/**
 * PCM under a name that every ffmpeg knows. MediaMTX writes G.711 and other plain sound as `ipcm` (ISO/IEC 23003-5), which
 * ffmpeg reads since 6.1 only; QuickTime's `twos` and `sowt` mean the same 16-bit samples.
 */
import { fourcc } from "./box.js";
import type { SpliceInit, SpliceTrack } from "./splice-init.js";

/** Of `stsd`: its own header, version and flags, the count of entries. */
const ENTRY_AT = 16;
const TYPE_AT = ENTRY_AT + 4;
/** ISO/IEC 14496-12 §12.2.3 */
const SAMPLE_SIZE_AT = ENTRY_AT + 26;
const CHILDREN_AT = ENTRY_AT + 36;
/** `format_flags` of `pcmC` (§5.1.2): 1 is little-endian. */
const LITTLE_ENDIAN = 1;

export function withPlainPcm(splice: SpliceInit): SpliceInit {
  return { ...splice, tracks: splice.tracks.map(withPlainEntry) };
}

function withPlainEntry(track: SpliceTrack): SpliceTrack {
  const { stsd } = track;
  if (stsd.byteLength < CHILDREN_AT) return track;
  const view = new DataView(stsd.buffer, stsd.byteOffset, stsd.byteLength);
  if (view.getUint32(TYPE_AT) !== fourcc("ipcm") || view.getUint16(SAMPLE_SIZE_AT) !== 16) return track;
  const renamed = Uint8Array.from(stsd);
  new DataView(renamed.buffer).setUint32(TYPE_AT, fourcc(isLittleEndian(view) ? "sowt" : "twos"));
  return { ...track, stsd: renamed };
}

/** Without `pcmC`, as older MediaMTX wrote it, samples are as in the network: big-endian. */
function isLittleEndian(stsd: DataView): boolean {
  for (let at = CHILDREN_AT; at + 13 <= stsd.byteLength; at += Math.max(8, stsd.getUint32(at))) {
    if (stsd.getUint32(at + 4) === fourcc("pcmC")) return (stsd.getUint8(at + 12) & LITTLE_ENDIAN) !== 0;
  }
  return false;
}
