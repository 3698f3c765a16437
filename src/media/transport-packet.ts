/** What of one MPEG-TS packet tells where a file may be cut (ISO/IEC 13818-1 §2.4.3, §2.4.4). Undefined: not that. */
import { damaged } from "./box.js";

export interface TransportProgram {
  /** The picture's, else the one that carries the clock. */
  readonly mainPid: number;
  readonly isVideo: boolean;
  /** Of all its tracks. */
  readonly pids: ReadonlySet<number>;
}

export interface PesStart {
  /** 33 bits of 90 kHz; both are the same where only one is told. */
  readonly ptsTicks: number;
  readonly dtsTicks: number;
  readonly isRandomAccess: boolean;
}

/** MPEG-1, MPEG-2, MPEG-4, H.264, H.265 (§2.4.4.9). */
const VIDEO_TYPES = new Set([0x01, 0x02, 0x10, 0x1b, 0x24]);
export const TS_PACKET_BYTES = 188;
export const PAT_PID = 0;
const WRAP_TICKS = 2 ** 33;
const TIME_BYTES = 5;
const PAT = 0;
const PMT = 2;

/** The PID of the first program's PMT, from a PAT. */
export function readTablePid(packet: Uint8Array): number | undefined {
  const section = sectionOf(packet, PAT);
  if (section === undefined) return undefined;
  const { start, end } = section;
  for (let at = start + 8; at + 4 <= end; at += 4) {
    const program = (byte(packet, at) << 8) | byte(packet, at + 1);
    if (program !== 0) return pidAt(packet, at + 2);
  }
  return undefined;
}

/** From a PMT. */
export function readProgram(packet: Uint8Array): TransportProgram | undefined {
  const section = sectionOf(packet, PMT);
  if (section === undefined) return undefined;
  const { start, end } = section;
  const clockPid = pidAt(packet, start + 8);
  const pids = new Set<number>();
  let videoPid: number | undefined;
  let at = start + 12 + lengthAt(packet, start + 10);
  while (at + 5 <= end) {
    const pid = pidAt(packet, at + 1);
    pids.add(pid);
    if (VIDEO_TYPES.has(byte(packet, at))) videoPid ??= pid;
    at += 5 + lengthAt(packet, at + 3);
  }
  const mainPid = videoPid ?? clockPid;
  return pids.has(mainPid) ? { mainPid, isVideo: videoPid !== undefined, pids } : undefined;
}

/** Of a packet in which a PES packet with a time stamp begins. */
export function readPesStart(packet: Uint8Array): PesStart | undefined {
  const [ptsAt, dtsAt = ptsAt] = timesAt(packet) ?? [];
  if (ptsAt === undefined || dtsAt === undefined || dtsAt + TIME_BYTES > packet.byteLength) return undefined;
  const hasField = (byte(packet, 3) & 0x20) !== 0 && byte(packet, 4) > 0;
  return {
    ptsTicks: readTime(packet, ptsAt),
    dtsTicks: readTime(packet, dtsAt),
    isRandomAccess: hasField && (byte(packet, 5) & 0x40) !== 0,
  };
}

/** `any`: of whatever track; `main`; `sync`: a random access point of the main one. */
export type Wanted = "any" | "main" | "sync";

/** The first such time in these packets, behind tables that are among them. */
export function findFirstPes(packets: Uint8Array, wanted: Wanted): PesStart | undefined {
  let tablePid: number | undefined;
  let program: TransportProgram | undefined;
  for (let at = 0; at + TS_PACKET_BYTES <= packets.byteLength; at += TS_PACKET_BYTES) {
    const packet = packets.subarray(at, at + TS_PACKET_BYTES);
    const pid = pidAt(packet, 1);
    if (pid === PAT_PID) tablePid ??= readTablePid(packet);
    else if (pid === tablePid) program ??= readProgram(packet);
    const isWanted = wanted === "any" ? program?.pids.has(pid) === true : pid === program?.mainPid;
    const start = isWanted ? readPesStart(packet) : undefined;
    if (start !== undefined && (wanted !== "sync" || start.isRandomAccess)) return start;
  }
  return undefined;
}

/**
 * Moves all times in a packet, in place; they wrap. Throws `data-loss` where a PES header goes on in the next packet,
 * which no muxer does.
 */
export function shiftTimes(packet: Uint8Array, shiftTicks: number): void {
  for (const at of timesAt(packet) ?? []) {
    if (at + TIME_BYTES > packet.byteLength) throw damaged("read an MPEG-TS packet: a PES header is cut in two");
    writeTime(packet, at, wrapTicks(readTime(packet, at) + shiftTicks));
  }
  const hasClock = (byte(packet, 3) & 0x20) !== 0 && byte(packet, 4) >= 7 && (byte(packet, 5) & 0x10) !== 0;
  if (hasClock) shiftClock(packet, shiftTicks);
}

/** Time stamps have 33 bits: they begin anew after 26.5 hours. */
export function wrapTicks(ticks: number): number {
  return ((ticks % WRAP_TICKS) + WRAP_TICKS) % WRAP_TICKS;
}

/** From one time stamp to another, whichever way is shorter. */
export function stepTicks(from: number, to: number): number {
  const step = wrapTicks(to - from);
  return step > WRAP_TICKS / 2 ? step - WRAP_TICKS : step;
}

/** Where PTS and DTS stand; undefined: no PES packet with a time begins here. */
function timesAt(packet: Uint8Array): readonly number[] | undefined {
  const at = payloadOf(packet);
  if (at === undefined || (byte(packet, 1) & 0x40) === 0) return undefined;
  const hasPrefix = byte(packet, at) === 0 && byte(packet, at + 1) === 0 && byte(packet, at + 2) === 1;
  const flags = byte(packet, at + 7) & 0xc0;
  if (!hasPrefix || (flags & 0x80) === 0) return undefined;
  return flags === 0xc0 ? [at + 9, at + 14] : [at + 9];
}

/** §2.4.3.7: 3, 15 and 15 bits, each behind others and before a marker. */
function readTime(packet: Uint8Array, at: number): number {
  const high = (byte(packet, at) >> 1) & 7;
  const middle = ((byte(packet, at + 1) << 8) | byte(packet, at + 2)) >> 1;
  const low = ((byte(packet, at + 3) << 8) | byte(packet, at + 4)) >> 1;
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}

function writeTime(packet: Uint8Array, at: number, ticks: number): void {
  const rest = ticks % 2 ** 30;
  const [middle, low] = [Math.floor(rest / 2 ** 15) * 2 + 1, (rest % 2 ** 15) * 2 + 1];
  packet[at] = (byte(packet, at) & 0xf1) | (Math.floor(ticks / 2 ** 30) << 1);
  packet[at + 1] = middle >> 8;
  packet[at + 2] = middle & 0xff;
  packet[at + 3] = low >> 8;
  packet[at + 4] = low & 0xff;
}

/** §2.4.3.5: 33 bits of 90 kHz, and 9 of 27 MHz, which stay. */
function shiftClock(packet: Uint8Array, shiftTicks: number): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const ticks = wrapTicks(view.getUint32(6) * 2 + (byte(packet, 10) >> 7) + shiftTicks);
  view.setUint32(6, Math.floor(ticks / 2));
  packet[10] = (byte(packet, 10) & 0x7f) | ((ticks % 2) << 7);
}

/** Of one that lies in this packet whole, without its checksum. */
function sectionOf(packet: Uint8Array, tableId: number): { readonly start: number; readonly end: number } | undefined {
  const payload = payloadOf(packet);
  if (payload === undefined || (byte(packet, 1) & 0x40) === 0) return undefined;
  const start = payload + 1 + byte(packet, payload);
  const end = start + 3 + lengthAt(packet, start + 1) - 4;
  return byte(packet, start) === tableId && end <= packet.byteLength - 4 && end > start + 8
    ? { start, end }
    : undefined;
}

function payloadOf(packet: Uint8Array): number | undefined {
  const control = (byte(packet, 3) >> 4) & 3;
  if ((control & 1) === 0) return undefined;
  const at = control === 3 ? 5 + byte(packet, 4) : 4;
  return at < packet.byteLength ? at : undefined;
}

function pidAt(packet: Uint8Array, at: number): number {
  return ((byte(packet, at) & 0x1f) << 8) | byte(packet, at + 1);
}

function lengthAt(packet: Uint8Array, at: number): number {
  return ((byte(packet, at) & 0x0f) << 8) | byte(packet, at + 1);
}

/** What lies behind the end of a damaged table is nothing. */
function byte(packet: Uint8Array, at: number): number {
  return packet[at] ?? 0;
}
