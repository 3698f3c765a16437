/**
 * ISO BMFF boxes (ISO/IEC 14496-12 §4.2) over bytes in memory. Every size that the file states is checked against the
 * bytes that are there before anything is read or allocated by it.
 */
import { AppError } from "../core/errors.js";

/** More children than any writer makes; stops a file of nothing but box headers. */
const MAX_CHILDREN = 1_024;
const UINT32 = 0x1_0000_0000;

export interface Box {
  /** Four-character code as a big-endian number; see `fourcc`. */
  readonly type: number;
  readonly view: DataView;
  /** Of `view`'s first byte, from the start of the file; for messages. */
  readonly viewOffsetBytes: number;
  /** Indexes into `view`: header, first byte after the header, end (exclusive). */
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

export interface BoxHeader {
  readonly type: number;
  readonly headerBytes: number;
  /** Whole box; exact up to 2^53, and only ever compared beyond. */
  readonly sizeBytes: number;
}

export function fourcc(text: string): number {
  let code = 0;
  for (let index = 0; index < 4; index += 1) code = code * 256 + text.charCodeAt(index);
  return code;
}

/** `moov`, or hexadecimal when a character is not printable. */
export function fourccText(type: number): string {
  const text = String.fromCharCode(type >>> 24, (type >>> 16) & 0xff, (type >>> 8) & 0xff, type & 0xff);
  return /^[\x20-\x7e]{4}$/.test(text) ? text : `0x${type.toString(16).padStart(8, "0")}`;
}

/** The file contradicts itself or ends too early. */
export function damaged(message: string): AppError {
  return new AppError({ kind: "data-loss", message });
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The header at `at`, or undefined when the view ends inside it. Throws `data-loss` for a size that no box can have. */
export function readBoxHeader(view: DataView, at: number, offsetBytes: number): BoxHeader | undefined {
  if (view.byteLength - at < 8) return undefined;
  const size32 = view.getUint32(at);
  const type = view.getUint32(at + 4);
  if (size32 === 1 && view.byteLength - at < 16) return undefined;
  const headerBytes = size32 === 1 ? 16 : 8;
  const sizeBytes = size32 === 1 ? view.getUint32(at + 8) * UINT32 + view.getUint32(at + 12) : size32;
  if (sizeBytes < headerBytes) {
    throw damaged(
      `read box ${fourccText(type)} at byte ${String(offsetBytes)}: box size ${String(sizeBytes)}, expected at least ${String(headerBytes)}`,
    );
  }
  return { type, headerBytes, sizeBytes };
}

/** The boxes that fill `parent` from index `from` (default: its body). Throws `data-loss` when they do not fill it. */
export function childrenOf(parent: Box, from = parent.body): Box[] {
  const children: Box[] = [];
  let at = from;
  while (at < parent.end) {
    const child = boxAt(parent, at);
    if (child === undefined) throw damaged(`read ${placeOf(parent)}: its last box is cut off`);
    if (children.length === MAX_CHILDREN) {
      throw damaged(`read ${placeOf(parent)}: more than ${String(MAX_CHILDREN)} boxes inside`);
    }
    children.push(child);
    at = child.end;
  }
  return children;
}

/** The first box of a type among those at `from`; undefined too when what lies before it cannot be read. */
export function findLeniently(parent: Box, from: number, type: number): Box | undefined {
  let at = from;
  for (let count = 0; at < parent.end && count < MAX_CHILDREN; count += 1) {
    const header = at + 8 <= parent.end ? parent.view.getUint32(at) : 0;
    if (header < 8 || at + header > parent.end) return undefined;
    const child = boxAt(parent, at);
    if (child === undefined || child.type === type) return child;
    at = child.end;
  }
  return undefined;
}

function boxAt(parent: Box, at: number): Box | undefined {
  const header = readBoxHeader(parent.view, at, parent.viewOffsetBytes + at);
  if (header === undefined || at + header.headerBytes > parent.end) return undefined;
  const end = at + header.sizeBytes;
  if (end > parent.end) {
    throw damaged(
      `read box ${fourccText(header.type)} at byte ${String(parent.viewOffsetBytes + at)}: box size ${String(header.sizeBytes)}, expected at most ${String(parent.end - at)} in ${placeOf(parent)}`,
    );
  }
  return {
    type: header.type,
    view: parent.view,
    viewOffsetBytes: parent.viewOffsetBytes,
    start: at,
    body: at + header.headerBytes,
    end,
  };
}

/** `tfdt at byte 1438` */
export function placeOf(box: Box): string {
  return `${fourccText(box.type)} at byte ${String(box.viewOffsetBytes + box.start)}`;
}

/** Proves that the body holds `bytes` before fields are read from it. */
export function requireBody(box: Box, bytes: number): void {
  if (box.end - box.body >= bytes) return;
  throw damaged(
    `read ${placeOf(box)}: box size ${String(box.end - box.start)}, expected at least ${String(box.body - box.start + bytes)}`,
  );
}

export function requireChild(children: readonly Box[], type: number, parent: Box): Box {
  const child = children.find((candidate) => candidate.type === type);
  if (child === undefined) throw damaged(`read ${placeOf(parent)}: no ${fourccText(type)} inside`);
  return child;
}

/** Throws `data-loss` beyond 2^53 - 1, which no time or count in a recording reaches. */
export function readUint64(box: Box, at: number): number {
  const value = box.view.getUint32(at) * UINT32 + box.view.getUint32(at + 4);
  if (Number.isSafeInteger(value)) return value;
  throw damaged(`read ${placeOf(box)}: value ${String(box.view.getBigUint64(at))}, expected less than 2^53`);
}
