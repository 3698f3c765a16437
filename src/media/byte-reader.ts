/** Asynchronous random access to the bytes of one recording, wherever they are. Owns what it holds open until `close`. */
export interface ByteReader {
  readonly sizeBytes: number;
  /** Reading this much at once costs no more than reading a little of it. */
  readonly windowBytes: number;
  /** Exactly these bytes. Throws `unavailable` when there are fewer. */
  read(startBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** The bytes [start, end) in large blocks of any size, read on while the last block is still in use. */
  blocks(startBytes: number, endBytes: number): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}
