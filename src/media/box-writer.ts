/** ISO BMFF boxes as bytes (ISO/IEC 14496-12 §4.2). */

const UINT32 = 0x1_0000_0000;

export function makeBox(type: string, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(boxOf(type, parts));
}

/** The same without copying what is in it. */
export function boxOf(type: string, parts: readonly Uint8Array[]): Uint8Array[] {
  const bodyBytes = lengthOf(parts);
  return [Buffer.concat([uint32(8 + bodyBytes), Buffer.from(type, "latin1")]), ...parts];
}

export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

interface FullBox {
  readonly version?: number;
  readonly flags?: number;
}

export function makeFullBox(
  type: string,
  { version = 0, flags = 0 }: FullBox,
  ...parts: readonly Uint8Array[]
): Buffer {
  return makeBox(type, uint32(version * 0x100_0000 + flags), ...parts);
}

export function fullBoxOf(
  type: string,
  { version = 0, flags = 0 }: FullBox,
  parts: readonly Uint8Array[],
): Uint8Array[] {
  return boxOf(type, [uint32(version * 0x100_0000 + flags), ...parts]);
}

export function uint16(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);
  return bytes;
}

/** Negative values as two's complement. */
export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

export function uint64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32BE(Math.floor(value / UINT32), 0);
  bytes.writeUInt32BE(value % UINT32, 4);
  return bytes;
}

/** Of an `mdat` with this much in it: the long form only where it is needed. */
export function mdatHeader(bodyBytes: number): Buffer {
  const type = Buffer.from("mdat", "latin1");
  if (bodyBytes + 8 < UINT32) return Buffer.concat([uint32(bodyBytes + 8), type]);
  return Buffer.concat([uint32(1), type, uint64(bodyBytes + 16)]);
}
