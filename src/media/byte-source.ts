/** Synchronous random access to the bytes of one file, for the header walk. */
import type { RegularFile } from "./regular-file.js";

export interface ByteSource {
  readonly sizeBytes: number;
  /**
   * Exactly `lengthBytes` bytes, all of which must lie inside the file. The bytes are valid until the next read:
   * sources reuse their buffers.
   */
  read(offsetBytes: number, lengthBytes: number): Uint8Array;
}

/** One pread serves a `moof` of a usual size and the header of its `mdat`: 4 KiB was measured best, cold and warm. */
const WINDOW_BYTES = 4_096;

export class MemoryByteSource implements ByteSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get sizeBytes(): number {
    return this.#bytes.byteLength;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    return this.#bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
  }
}

/** Reads headers only: what lies between two reads never leaves the disk (except for read-ahead). */
export class FileByteSource implements ByteSource {
  readonly #file: RegularFile;
  readonly #window = Buffer.allocUnsafe(WINDOW_BYTES);
  #windowStart = 0;
  #windowEnd = 0;

  constructor(file: RegularFile) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    if (lengthBytes > WINDOW_BYTES) {
      const bytes = Buffer.allocUnsafe(lengthBytes);
      this.#file.fill(bytes, offsetBytes);
      return bytes;
    }
    if (offsetBytes < this.#windowStart || offsetBytes + lengthBytes > this.#windowEnd) this.#load(offsetBytes);
    return this.#window.subarray(offsetBytes - this.#windowStart, offsetBytes - this.#windowStart + lengthBytes);
  }

  #load(offsetBytes: number): void {
    const length = Math.min(WINDOW_BYTES, this.sizeBytes - offsetBytes);
    this.#windowEnd = this.#windowStart;
    this.#file.fill(this.#window.subarray(0, length), offsetBytes);
    this.#windowStart = offsetBytes;
    this.#windowEnd = offsetBytes + length;
  }
}
