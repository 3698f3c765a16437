/**
 * The pass over an MPEG-TS file that is still being written: each `advance` goes on behind the last whole packet. MediaMTX
 * only appends, so what was passed does not change any more.
 */
import type { Grown, Growing } from "./growing-walk.js";
import type { Fragment } from "./inspection.js";
import { takePackets, TransportPass } from "./transport-index.js";
import { findFirstPes, stepTicks, TS_PACKET_BYTES, type Wanted, wrapTicks } from "./transport-packet.js";
import type { RemoteFile } from "./window-source.js";

/** Of the beginning: PAT, PMT and the first picture or sound are in it. */
const HEAD_BYTES = 4_096 * TS_PACKET_BYTES;

/** The first look reads all of the file, or all from `fromBytes` on, where a packet begins. */
export class GrowingTransport implements Growing {
  readonly #pass: TransportPass;
  #at: number;

  constructor(fromBytes = 0) {
    this.#pass = new TransportPass(fromBytes);
    this.#at = fromBytes;
  }

  async advance(file: RemoteFile): Promise<Grown | null> {
    this.#at = await takePackets(this.#pass, file, this.#at);
    const [index, endedIndex] = [this.#pass.wholeSoFar(), this.#pass.finish()];
    if (index === null || endedIndex === null) return null;
    return { tracks: null, startUs: null, position: null, index, endedIndex, wholeBytes: this.#pass.endBytes };
  }

  get wholeBytes(): number {
    return this.#at;
  }
}

/** The end of a file that is too long to be read for it: its fragments from some way before where it ends now. */
export class GrowingTransportEnd implements Growing {
  readonly #walk: GrowingTransport;
  /** From the first time of what is read to the first of the file. */
  #lateTicks: number | undefined;

  constructor(sizeBytes: number, endBytes: number) {
    const before = Math.max(0, sizeBytes - endBytes);
    this.#walk = new GrowingTransport(before - (before % TS_PACKET_BYTES));
  }

  async advance(file: RemoteFile): Promise<Grown | null> {
    const grown = await this.#walk.advance(file);
    const first = grown?.index.fragments.find(({ syncTicks }) => syncTicks !== null);
    if (grown === null || first === undefined) return null;
    this.#lateTicks ??= await lateTicks(file, first);
    const [late, fromBytes] = [this.#lateTicks, first.offsetBytes];
    if (late === undefined) return null;
    const moved = (fragments: readonly Fragment[]): Fragment[] =>
      fragments.filter(({ offsetBytes }) => offsetBytes >= fromBytes).map((fragment) => later(fragment, late));
    const [index, endedIndex] = [grown.index, grown.endedIndex].map((part) => ({
      ...part,
      fragments: moved(part.fragments),
    }));
    return index === undefined || endedIndex === undefined ? null : { ...grown, index, endedIndex };
  }

  get wholeBytes(): number {
    return this.#walk.wholeBytes;
  }
}

async function lateTicks({ sizeBytes, readRange }: RemoteFile, first: Fragment): Promise<number | undefined> {
  const pesAt = async (offsetBytes: number, lengthBytes: number, wanted: Wanted) =>
    findFirstPes(await readRange(offsetBytes, Math.min(lengthBytes, sizeBytes - offsetBytes)), wanted);
  const [begin, there] = [await pesAt(0, HEAD_BYTES, "any"), await pesAt(first.offsetBytes, first.sizeBytes, "main")];
  if (begin === undefined || there === undefined) return undefined;
  return stepTicks(wrapTicks(begin.ptsTicks), there.ptsTicks) - (first.startTicks ?? 0);
}

function later(fragment: Fragment, ticks: number): Fragment {
  const { startTicks, syncTicks } = fragment;
  return {
    ...fragment,
    startTicks: startTicks === null ? null : startTicks + ticks,
    syncTicks: syncTicks === null ? null : syncTicks + ticks,
  };
}
