/** Blocks of bytes read once from front to back: heads taken whole, media passed on as it comes, the rest skipped. */
import { AppError } from "../core/errors.js";
import { damaged } from "../media/box.js";

export class ForwardBytes {
  readonly #blocks: AsyncGenerator<Uint8Array>;
  #block: Uint8Array = new Uint8Array(0);
  /** Of the first byte of `#block`, from the start of the file. */
  #at: number;

  constructor(blocks: AsyncGenerator<Uint8Array>, startBytes: number) {
    this.#blocks = blocks;
    this.#at = startBytes;
  }

  /** Whether no byte is left. */
  async isOver(): Promise<boolean> {
    while (this.#block.byteLength === 0) {
      const next = await this.#blocks.next();
      if (next.done === true) return true;
      this.#block = next.value;
    }
    return false;
  }

  /** The next bytes in one piece; they stay the next ones. */
  async peek(lengthBytes: number): Promise<Uint8Array> {
    if (this.#block.byteLength < lengthBytes) {
      const parts = [this.#block];
      let haveBytes = this.#block.byteLength;
      while (haveBytes < lengthBytes) {
        const part = await this.#next();
        parts.push(part);
        haveBytes += part.byteLength;
      }
      this.#block = Buffer.concat(parts);
    }
    return this.#block.subarray(0, lengthBytes);
  }

  async skipTo(offsetBytes: number): Promise<void> {
    if (offsetBytes < this.#at) throw damaged(`read fragments: byte ${String(offsetBytes)} is used twice`);
    while (this.#at + this.#block.byteLength < offsetBytes) {
      this.#at += this.#block.byteLength;
      this.#block = await this.#next();
    }
    this.#block = this.#block.subarray(offsetBytes - this.#at);
    this.#at = offsetBytes;
  }

  async *passAll(
    pieces: Iterable<{ readonly offsetBytes: number; readonly sizeBytes: number }>,
  ): AsyncGenerator<Uint8Array> {
    for (const { offsetBytes, sizeBytes } of pieces) {
      await this.skipTo(offsetBytes);
      yield* this.#pass(sizeBytes);
    }
  }

  async *#pass(lengthBytes: number): AsyncGenerator<Uint8Array> {
    let leftBytes = lengthBytes;
    while (leftBytes > 0) {
      if (this.#block.byteLength === 0) this.#block = await this.#next();
      const piece = this.#block.subarray(0, leftBytes);
      this.#block = this.#block.subarray(piece.byteLength);
      this.#at += piece.byteLength;
      leftBytes -= piece.byteLength;
      yield piece;
    }
  }

  async close(): Promise<void> {
    await this.#blocks.return(undefined);
  }

  async #next(): Promise<Uint8Array> {
    const next = await this.#blocks.next();
    if (next.done === true) throw new AppError({ kind: "internal", message: "read behind the end of a part" });
    return next.value;
  }
}
