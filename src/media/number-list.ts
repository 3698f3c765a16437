/** Numbers one after the other in little memory: an hour of video has hundreds of thousands. */

const FIRST_CAPACITY = 256;

export class Uint32List {
  #values = new Uint32Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  pushAll(values: Uint32Array): void {
    for (const value of values) this.push(value);
  }

  /** As ISO BMFF has them. */
  bigEndian(): Buffer {
    const bytes = Buffer.allocUnsafe(4 * this.#length);
    for (let index = 0; index < this.#length; index += 1) bytes.writeUInt32BE(this.#values[index] ?? 0, 4 * index);
    return bytes;
  }
}

/** Runs of equal values, as `stts` and `ctts` hold them: count, value, count, value. */
export class RunList {
  readonly #pairs = new Uint32List();
  #value = 0;
  #count = 0;

  push(value: number): void {
    if (value !== this.#value) this.#flush();
    this.#value = value;
    this.#count += 1;
  }

  /** Number of runs and the runs. */
  finish(): Uint8Array[] {
    this.#flush();
    const count = Buffer.allocUnsafe(4);
    count.writeUInt32BE(this.#pairs.length / 2);
    return [count, this.#pairs.bigEndian()];
  }

  #flush(): void {
    if (this.#count === 0) return;
    this.#pairs.push(this.#count);
    this.#pairs.push(this.#value);
    this.#count = 0;
  }
}
