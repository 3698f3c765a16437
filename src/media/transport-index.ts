/**
 * Where an MPEG-TS file may be cut (ISO/IEC 13818-1): a fragment begins with PAT and PMT, behind which every track begins
 * a PES packet anew, and so is decoded without what comes before it. They are the last ones before a random access point
 * of the picture. MediaMTX writes them right before it; in a file that begins with sound, before sound alone, and pictures
 * of the GOP before may stand in between. Tick 0 is the first time in the file, of whatever track: its name tells when that
 * was. Where there are no such tables, or the clock jumps, the file has no index and stays in one piece. A file that is
 * torn ends with its last whole packet.
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
/** From sound in front to the first picture: some cameras send a random access point once a minute. */
const LONGEST_LEAD_TICKS = 120 * TICKS_PER_SEC;
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
  /** Of the main track, as all ticks here that are not said to be of another. */
  readonly startTicks: number;
  syncTicks: number | null;
}

/** A PAT, where a fragment may begin. */
interface Cut {
  readonly offsetBytes: number;
  hasProgram: boolean;
  /** Tracks of which something stands behind it. */
  readonly begun: Set<number>;
  startTicks: number | undefined;
}

/** The packets of a file from `fromBytes` on, as far as they have come. What comes before the first cut there is left out. */
export class TransportPass {
  isOver = false;
  readonly #fromBytes: number;
  #isSane = true;
  #program: TransportProgram | undefined;
  #tablePid: number | undefined;
  /** The last one. */
  #cut: Cut | undefined;
  #endBytes = 0;
  readonly #fragments: Fragment[] = [];
  #open: OpenFragment | undefined;
  /** The first time in the file, of whatever track. */
  #zeroTicks: number | undefined;
  /** These are on a time that never wraps, and begins with that. */
  #lastTicks: number | undefined;
  #firstTicks = 0;
  #latestTicks = 0;
  #count = 0;

  constructor(fromBytes = 0) {
    this.#fromBytes = fromBytes;
  }

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
    const endTicks = this.#latestTicks + frameTicks;
    return this.#indexOf([...this.#fragments, fragmentTo(this.#open, endTicks, this.#endBytes)]);
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
      this.#cut = { offsetBytes, hasProgram: false, begun: new Set(), startTicks: undefined };
    } else if (pid === this.#tablePid) this.#table(packet());
    else if (this.#program?.pids.has(pid) === true) {
      const begins = (flags & 0x40) !== 0;
      this.#passCut(pid, begins);
      const isMain = pid === this.#program.mainPid;
      const start = begins && (isMain || this.#zeroTicks === undefined) ? readPesStart(packet()) : undefined;
      this.#zeroTicks ??= start?.ptsTicks;
      if (isMain && start !== undefined) this.#mainStart(start);
    }
  }

  /** It is none where a track comes before the PMT, or goes on behind it with what began before. */
  #passCut(pid: number, begins: boolean): void {
    if (this.#cut === undefined || this.#cut.begun.has(pid)) return;
    if (begins && this.#cut.hasProgram) this.#cut.begun.add(pid);
    else this.#cut = undefined;
  }

  /** Other tracks than those of before: this is another stream, whose packets nobody could tell apart. */
  #table(packet: Uint8Array): void {
    const program = readProgram(packet);
    if (program === undefined) return;
    if (this.#cut !== undefined) this.#cut.hasProgram = true;
    if (this.#program === undefined) this.#program = program;
    else if (program.mainPid !== this.#program.mainPid || program.pids.size !== this.#program.pids.size) this.#refuse();
  }

  #mainStart({ ptsTicks, isRandomAccess }: PesStart): void {
    const ticks = this.#unwrapped(ptsTicks);
    if (this.#cut !== undefined) this.#cut.startTicks ??= ticks;
    if (this.#open === undefined) this.#open = this.#first(ticks);
    else if (isRandomAccess) this.#cutBefore();
    // No camera shows one before what comes before it; an index cannot say it either.
    if (isRandomAccess && this.#open !== undefined) this.#open.syncTicks ??= Math.max(ticks, this.#open.startTicks);
    this.#count += 1;
    this.#latestTicks = Math.max(this.#latestTicks, ticks);
  }

  /** The first time of all is 0. */
  #unwrapped(ptsTicks: number): number {
    const isFirst = this.#lastTicks === undefined;
    const beforeTicks = this.#lastTicks ?? 0;
    const step = stepTicks(wrapTicks((this.#zeroTicks ?? 0) + beforeTicks), ptsTicks);
    if (Math.abs(step) > (isFirst ? LONGEST_LEAD_TICKS : LONGEST_STEP_TICKS)) this.#refuse();
    this.#lastTicks = beforeTicks + step;
    if (isFirst) this.#firstTicks = this.#latestTicks = this.#lastTicks;
    return this.#lastTicks;
  }

  /** A file begins with one in any case. */
  #first(startTicks: number): OpenFragment | undefined {
    const offsetBytes = this.#fromBytes === 0 ? 0 : this.#cut?.offsetBytes;
    return offsetBytes === undefined ? undefined : { offsetBytes, startTicks, syncTicks: null };
  }

  /** At the last cut behind which the open fragment does not begin itself, where there is one. */
  #cutBefore(): void {
    const { offsetBytes = 0, startTicks } = this.#cut ?? {};
    if (this.#open === undefined || startTicks === undefined || offsetBytes <= this.#open.offsetBytes) return;
    const durationTicks = startTicks - this.#open.startTicks;
    if (this.#program?.isVideo !== true && durationTicks < LEAST_SOUND_TICKS) return;
    if (durationTicks < 0) this.#refuse();
    this.#fragments.push(fragmentTo(this.#open, startTicks, offsetBytes));
    this.#open = { offsetBytes, startTicks, syncTicks: null };
  }

  #refuse(): void {
    this.#isSane = false;
    this.isOver = true;
  }
}

function fragmentTo(
  { offsetBytes, startTicks, syncTicks }: OpenFragment,
  endTicks: number,
  endBytes: number,
): Fragment {
  return {
    offsetBytes,
    sizeBytes: endBytes - offsetBytes,
    startTicks,
    durationTicks: endTicks - startTicks,
    syncTicks,
  };
}
