/**
 * profile_tier_level of the SPS inside HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1). The record repeats
 * it, but MediaMTX copies the constraint bytes from the escaped NAL unit (mediacommon `codec_boxes.go`), so they are
 * wrong there.
 */
const SPS = 33;
const ARRAYS_AT = 22;
/** NAL header, then one byte with VPS id and sub-layers (ITU-T H.265 §7.3.2.2). */
const BEFORE_PROFILE = 3;
const PROFILE_TIER_LEVEL_BYTES = 12;

/** Undefined when the record holds no SPS. */
export function hevcProfileTierLevel(record: Uint8Array): Uint8Array | undefined {
  const sps = findSps(record);
  if (sps === undefined) return undefined;
  const bytes = unescape(sps.subarray(0, 2 * (BEFORE_PROFILE + PROFILE_TIER_LEVEL_BYTES)));
  const wanted = bytes.subarray(BEFORE_PROFILE, BEFORE_PROFILE + PROFILE_TIER_LEVEL_BYTES);
  return wanted.length === PROFILE_TIER_LEVEL_BYTES ? wanted : undefined;
}

function findSps(record: Uint8Array): Uint8Array | undefined {
  let at = ARRAYS_AT + 1;
  for (let array = 0; array < (record[ARRAYS_AT] ?? 0); array += 1) {
    const type = (record[at] ?? 0) & 0x3f;
    const units = uint16(record, at + 1);
    at += 3;
    for (let unit = 0; unit < units && at + 2 <= record.length; unit += 1) {
      const lengthBytes = uint16(record, at);
      if (type === SPS) return record.subarray(at + 2, at + 2 + lengthBytes);
      at += 2 + lengthBytes;
    }
  }
  return undefined;
}

/** Without emulation prevention: 00 00 03 stands for 00 00 (§7.4.2). */
function unescape(escaped: Uint8Array): Uint8Array {
  return escaped.filter((byte, at) => !(byte === 3 && at >= 2 && escaped[at - 1] === 0 && escaped[at - 2] === 0));
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
