/**
 * Hashes a file while it is walked, so that both cost one read of it: whole chunks pass forward through MD5 and
 * SHA-256, and the walk's reads, which only ever go forward, are served from the chunks already read.
 */
import { createHash } from "node:crypto";

import { AppError } from "../core/errors.js";
import type { ByteSource } from "./byte-source.js";
import type { FileHashes } from "./inspection.js";
import type { RegularFile } from "./regular-file.js";

const CHUNK_BYTES = 1_048_576;

export class HashingByteSource implements ByteSource {
  readonly #file: RegularFile;
  readonly #md5 = createHash("md5");
  readonly #sha256 = createHash("sha256");
  /** Holds the bytes [start, end) of the file; everything before `end` is hashed. */
  #window: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #start = 0;
  #end = 0;

  constructor(file: RegularFile) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    if (offsetBytes < this.#start) {
      throw new AppError({
        kind: "internal",
        message: `read byte ${String(offsetBytes)} of ${this.#file.filePath}: the pass is at byte ${String(this.#start)} and cannot go back`,
      });
    }
    const wantedEnd = offsetBytes + lengthBytes;
    while (this.#end < wantedEnd) this.#advance(Math.min(offsetBytes, this.#end), wantedEnd);
    return this.#window.subarray(offsetBytes - this.#start, wantedEnd - this.#start);
  }

  /** Hashes what the walk left. */
  finish(): FileHashes {
    while (this.#end < this.sizeBytes) this.#advance(this.#end, this.sizeBytes);
    return { md5: this.#md5.digest("hex"), sha256: this.#sha256.digest("hex") };
  }

  /** Reads one chunk more and drops what lies before `keepFrom`. */
  #advance(keepFrom: number, wantedEnd: number): void {
    const kept = this.#end - keepFrom;
    const chunk = Math.min(CHUNK_BYTES, this.sizeBytes - this.#end);
    const source = this.#window.subarray(keepFrom - this.#start, this.#end - this.#start);
    if (kept + chunk > this.#window.byteLength) {
      const neededBytes = kept === 0 ? chunk : wantedEnd - keepFrom + CHUNK_BYTES;
      this.#window = Buffer.allocUnsafe(neededBytes);
    }
    this.#window.set(source, 0);
    const fresh = this.#window.subarray(kept, kept + chunk);
    this.#file.fill(fresh, this.#end);
    this.#md5.update(fresh);
    this.#sha256.update(fresh);
    this.#start = keepFrom;
    this.#end += chunk;
  }
}
