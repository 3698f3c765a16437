/**
 * Bytes for a synchronous walk over a file that is read asynchronously: what the walk asks for and is not here ends its
 * step, is fetched, and the step is tried again. One window is in memory at a time, of the init all that it takes
 * (16 MiB at most).
 */
import type { ByteSource } from "./byte-source.js";

export interface RemoteFile {
  readonly sizeBytes: number;
  /** Exactly these bytes, all of which lie inside the file. */
  readonly readRange: (startBytes: number, lengthBytes: number) => Promise<Uint8Array>;
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

export class WindowSource implements ByteSource {
  readonly #windowBytes: number;
  #file: RemoteFile;
  /** What the work of now has asked for; of what was before, the last. */
  #pieces: readonly Piece[] = [];

  constructor(file: RemoteFile, windowBytes: number) {
    this.#file = file;
    this.#windowBytes = windowBytes;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  /** The same file, opened again: it may have grown, and nothing that was read counts. */
  reopen(file: RemoteFile): void {
    this.#file = file;
    this.#pieces = [];
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
    const wantedBytes = Math.min(Math.max(lengthBytes, this.#windowBytes), restBytes);
    return { startBytes, bytes: await this.#file.readRange(startBytes, wantedBytes) };
  }
}
