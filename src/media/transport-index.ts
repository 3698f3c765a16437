/**
 * Where an MPEG-TS file may be cut (ISO/IEC 13818-1): a fragment begins with PAT and PMT, which MediaMTX writes before
 * every random access point of the picture, and so is decoded without what comes before it. Where the file has none of
 * these, or its clock jumps, it has no index and stays in one piece. A file that is torn ends with its last whole packet.
 */
import type { ByteSource } from "./byte-source.js";
import type { Fragment, FragmentIndex } from "./inspection.js";
import {
  PAT_PID,
  type PesStart,
  readPesStart,
  readProgram,
  readTablePid,
  stepTicks,
  type TransportProgram,
  TS_PACKET_BYTES,
  wrapTicks,
} from "./transport-packet.js";
import type { RemoteFile } from "./window-source.js";

const SYNC_BYTE = 0x47;
const CHUNK_PACKETS = 512;
const REMOTE_CHUNK_BYTES = 4_096 * TS_PACKET_BYTES;
const TICKS_PER_SEC = 90_000;
/** Neighbours that lie further apart are of two clocks. */
const LONGEST_STEP_TICKS = 10 * TICKS_PER_SEC;
/** Sound may be cut anywhere, and is not cut into crumbs. */
const LEAST_SOUND_TICKS = TICKS_PER_SEC;

/** Null: the file cannot be cut. */
export function indexTransportStream(source: ByteSource): FragmentIndex | null {
  const pass = new TransportPass();
  const packets = Math.floor(source.sizeBytes / TS_PACKET_BYTES);
  for (let at = 0; at < packets && !pass.isOver; at += CHUNK_PACKETS) {
    const offsetBytes = at * TS_PACKET_BYTES;
    const chunk = source.read(offsetBytes, Math.min(CHUNK_PACKETS, packets - at) * TS_PACKET_BYTES);
    pass.take(chunk, offsetBytes);
  }
  return pass.finish();
}

/** The same of a file that is read bit by bit. Throws what `readRange` throws. */
export async function indexRemoteTransport(file: RemoteFile): Promise<FragmentIndex | null> {
  const pass = new TransportPass();
  await takePackets(pass, file, 0);
  return pass.finish();
}

/** All whole packets from `fromBytes` on, where one begins; gives where the next one will begin. */
export async function takePackets(
  pass: TransportPass,
  { sizeBytes, readRange }: RemoteFile,
  fromBytes: number,
): Promise<number> {
  const endBytes = sizeBytes - (sizeBytes % TS_PACKET_BYTES);
  let at = fromBytes;
  while (at < endBytes && !pass.isOver) {
    const lengthBytes = Math.min(REMOTE_CHUNK_BYTES, endBytes - at);
    pass.take(await readRange(at, lengthBytes), at);
    at += lengthBytes;
  }
  return at;
}

interface OpenFragment {
  readonly offsetBytes: number;
  startTicks: number | null;
  syncTicks: number | null;
}

/** The packets of a file from its first one on, as far as they have come. */
export class TransportPass {
  isOver = false;
  #isSane = true;
  #program: TransportProgram | undefined;
  #tablePid: number | undefined;
  /** Of a PAT behind which nothing but tables has come, and whether the PMT has. */
  #tablesAt: number | undefined;
  #hasProgram = false;
  #endBytes = 0;
  readonly #fragments: Fragment[] = [];
  #open: OpenFragment | undefined;
  /** Of the main track, on a time that never wraps. */
  #lastTicks: number | undefined;
  #firstTicks = 0;
  #latestTicks = 0;
  #count = 0;

  take(chunk: Uint8Array, offsetBytes: number): void {
    for (let at = 0; at < chunk.byteLength; at += TS_PACKET_BYTES) {
      if (chunk[at] !== SYNC_BYTE) {
        this.isOver = true;
        return;
      }
      this.#packet(chunk, at, offsetBytes + at);
      if (this.isOver) return;
    }
  }

  /** Offset after the last packet that was taken. */
  get endBytes(): number {
    return this.#endBytes;
  }

  /** As of a file that ends here. Null: the file cannot be cut. */
  finish(): FragmentIndex | null {
    if (this.#open === undefined) return null;
    const frameTicks = this.#count > 1 ? Math.round((this.#latestTicks - this.#firstTicks) / (this.#count - 1)) : 0;
    const last = this.#fragmentTo(this.#latestTicks + frameTicks, this.#endBytes);
    return this.#indexOf(last === undefined ? this.#fragments : [...this.#fragments, last]);
  }

  /** Of what no later packet changes: each fragment has the next one behind it. Null: there is none, or as above. */
  wholeSoFar(): FragmentIndex | null {
    return this.#indexOf([...this.#fragments]);
  }

  #indexOf(fragments: readonly Fragment[]): FragmentIndex | null {
    const program = this.#program;
    if (program === undefined || !this.#isSane) return null;
    if (fragments.every(({ syncTicks }) => syncTicks === null)) return null;
    return { mainTrackId: program.mainPid, timescale: TICKS_PER_SEC, initBytes: 0, fragments };
  }

  #packet(chunk: Uint8Array, at: number, offsetBytes: number): void {
    const flags = chunk[at + 1] ?? 0;
    const pid = ((flags & 0x1f) << 8) | (chunk[at + 2] ?? 0);
    this.#endBytes = offsetBytes + TS_PACKET_BYTES;
    const packet = (): Uint8Array => chunk.subarray(at, at + TS_PACKET_BYTES);
    if (pid === PAT_PID) {
      this.#tablePid = readTablePid(packet()) ?? this.#tablePid;
      this.#tablesAt = offsetBytes;
      this.#hasProgram = false;
    } else if (pid === this.#tablePid) this.#table(packet());
    else if (this.#program?.pids.has(pid) === true) {
      const begins = (flags & 0x40) !== 0;
      const start = begins && pid === this.#program.mainPid ? readPesStart(packet()) : undefined;
      if (start !== undefined) this.#mainStart(start);
      this.#tablesAt = undefined;
    }
  }

  /** Other tracks than those of before: this is another stream, whose packets nobody could tell apart. */
  #table(packet: Uint8Array): void {
    const program = readProgram(packet);
    if (program === undefined) return;
    this.#hasProgram = true;
    if (this.#program === undefined) this.#program = program;
    else if (program.mainPid !== this.#program.mainPid || program.pids.size !== this.#program.pids.size) this.#refuse();
  }

  #mainStart({ ptsTicks, isRandomAccess }: PesStart): void {
    const ticks = this.#unwrapped(ptsTicks);
    const tablesAt = this.#hasProgram ? this.#tablesAt : undefined;
    if (isRandomAccess && tablesAt !== undefined && this.#mayCut(ticks)) {
      if (this.#open !== undefined) this.#close(ticks, tablesAt);
      this.#open = { offsetBytes: tablesAt, startTicks: null, syncTicks: null };
    }
    this.#open ??= { offsetBytes: 0, startTicks: null, syncTicks: null };
    this.#open.startTicks ??= ticks;
    if (isRandomAccess) this.#open.syncTicks ??= ticks;
    this.#count += 1;
    this.#latestTicks = Math.max(this.#latestTicks, ticks);
  }

  #mayCut(ticks: number): boolean {
    const startTicks = this.#open?.startTicks ?? null;
    if (startTicks === null || this.#program?.isVideo === true) return true;
    return ticks - startTicks >= LEAST_SOUND_TICKS;
  }

  /** The first one of the file is 0. */
  #unwrapped(ptsTicks: number): number {
    if (this.#lastTicks === undefined) {
      this.#firstTicks = this.#latestTicks = this.#lastTicks = ptsTicks;
    } else {
      const step = stepTicks(wrapTicks(this.#lastTicks), ptsTicks);
      if (Math.abs(step) > LONGEST_STEP_TICKS) this.#refuse();
      this.#lastTicks += step;
    }
    return this.#lastTicks;
  }

  #close(endTicks: number, endBytes: number): void {
    const fragment = this.#fragmentTo(endTicks, endBytes);
    if (fragment === undefined) return;
    if (fragment.durationTicks < 0) this.#refuse();
    this.#fragments.push(fragment);
  }

  #fragmentTo(endTicks: number, endBytes: number): Fragment | undefined {
    const { offsetBytes = 0, startTicks = null, syncTicks = null } = this.#open ?? {};
    if (startTicks === null) return undefined;
    return {
      offsetBytes,
      sizeBytes: endBytes - offsetBytes,
      startTicks: startTicks - this.#firstTicks,
      durationTicks: endTicks - startTicks,
      syncTicks: syncTicks === null ? null : syncTicks - this.#firstTicks,
    };
  }

  #refuse(): void {
    this.#isSane = false;
    this.isOver = true;
  }
}
