/**
 * The header walk over a file that lies elsewhere and is read by ranges. The walk itself stays synchronous: what it asks
 * for and is not here ends its step, is fetched, and the step is tried again. One window is in memory at a time, of the init all that it takes (16 MiB at most).
 */
import type { ByteSource } from "./byte-source.js";
import { FragmentWalk } from "./fragment-walk.js";
import { readInit } from "./init.js";
import type { Inspection } from "./inspection.js";

export interface RemoteFile {
  readonly sizeBytes: number;
  /** Exactly these bytes, all of which lie inside the file. */
  readonly readRange: (startBytes: number, lengthBytes: number) => Promise<Uint8Array>;
}

/** A request costs more than these bytes; of a camera of 2 Mbit/s they hold one fragment of a second. */
const WINDOW_BYTES = 262_144;

/** Throws `data-loss` as `readInit` and `walkFragments` do, and what `readRange` throws. */
export async function inspectRemote(file: RemoteFile): Promise<Inspection> {
  const source = new WindowSource(file);
  const init = await source.having(() => readInit(source));
  const walk = new FragmentWalk(source, init);
  let goesOn = true;
  while (goesOn) goesOn = await source.having(() => walk.step());
  return walk.finish();
}

/** Asks for bytes that were not fetched yet. */
class MissingBytes extends Error {
  readonly startBytes: number;
  readonly lengthBytes: number;

  constructor(startBytes: number, lengthBytes: number) {
    super(`bytes from ${String(startBytes)} were not fetched yet`);
    this.startBytes = startBytes;
    this.lengthBytes = lengthBytes;
  }
}

interface Piece {
  readonly startBytes: number;
  readonly bytes: Uint8Array;
}

class WindowSource implements ByteSource {
  readonly #file: RemoteFile;
  /** What the work of now has asked for; of what was before, the last. */
  #pieces: readonly Piece[] = [];

  constructor(file: RemoteFile) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    for (const { startBytes, bytes } of this.#pieces) {
      const at = offsetBytes - startBytes;
      if (at >= 0 && at + lengthBytes <= bytes.byteLength) return bytes.subarray(at, at + lengthBytes);
    }
    throw new MissingBytes(offsetBytes, lengthBytes);
  }

  /** The result of `work`, which is called again each time that bytes were fetched for it. */
  async having<T>(work: () => T): Promise<T> {
    this.#pieces = this.#pieces.slice(-1);
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof MissingBytes)) throw error;
        this.#pieces = [...this.#pieces, await this.#fetch(error)];
      }
    }
  }

  async #fetch({ startBytes, lengthBytes }: MissingBytes): Promise<Piece> {
    const restBytes = this.sizeBytes - startBytes;
    const wantedBytes = Math.min(Math.max(lengthBytes, WINDOW_BYTES), restBytes);
    return { startBytes, bytes: await this.#file.readRange(startBytes, wantedBytes) };
  }
}
