/**
 * Follows the file that MediaMTX writes its output to, and caps it. It is a file and not a pipe, because a Go program
 * dies of SIGPIPE when it writes to a pipe whose reader was killed: recording must outlive us. MediaMTX appends
 * (O_APPEND), so the file can be truncated in place under it; lines written between copy and truncation are lost.
 */
import { copyFile, type FileHandle, open, truncate } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";

import { describeError } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";
import { parseLogLine } from "./log-line.js";

const POLL_MS = 250;
const CHUNK_BYTES = 64 * 1024;
const MAX_LINE_CHARS = 8 * 1024;
/** A stuck camera can make MediaMTX write thousands of lines a second; all are in the file, these many are shown. */
const MAX_LINES_PER_POLL = 100;
const KEPT_LINES = 40;

export interface LogTailOptions {
  readonly file: string;
  /** Begin to follow here; what is before was shown by somebody else. */
  readonly fromBytes: number;
  readonly capBytes: number;
}

export class LogTail {
  readonly #log: Logger;
  readonly #options: LogTailOptions;
  #positionBytes: number;
  #decoder = new StringDecoder("utf8");
  #rest = "";
  #kept: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(log: Logger, options: LogTailOptions) {
    this.#log = log;
    this.#options = options;
    this.#positionBytes = options.fromBytes;
  }

  start(): void {
    this.#timer = setInterval(() => void this.drain(), POLL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.drain();
  }

  /** Reads all that is there now. Calls queue up; none rejects. */
  drain(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readOnce());
    return this.#reading;
  }

  /** The last lines, oldest first. */
  lastLines(): readonly string[] {
    return this.#kept;
  }

  /** What was said before is not the reason of what comes. */
  forgetLines(): void {
    this.#kept = [];
  }

  async #readOnce(): Promise<void> {
    try {
      const handle = await open(this.#options.file, "r");
      try {
        await this.#readAll(handle);
      } finally {
        await handle.close();
      }
      await this.#capSize();
      this.#failed = false;
    } catch (error) {
      // Said once: the next poll tries again, and recording does not depend on it.
      if (!this.#failed) this.#log.warn("the log of MediaMTX cannot be followed", { err: describeError(error) });
      this.#failed = true;
    }
  }

  async #readAll(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    // Somebody else truncated it.
    if (size < this.#positionBytes) this.#positionBytes = 0;
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const budget = { shown: 0, hidden: 0 };
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, this.#positionBytes);
      if (bytesRead === 0) break;
      this.#positionBytes += bytesRead;
      this.#take(this.#decoder.write(buffer.subarray(0, bytesRead)), budget);
    }
    if (budget.hidden > 0) {
      this.#log.warn("lines of MediaMTX not shown", { lines: budget.hidden, file: this.#options.file });
    }
  }

  #take(text: string, budget: { shown: number; hidden: number }): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(-MAX_LINE_CHARS);
    for (const line of lines) {
      if (line.trim() === "") continue;
      const shortened = line.slice(0, MAX_LINE_CHARS);
      this.#kept.push(shortened);
      if (budget.shown === MAX_LINES_PER_POLL) {
        budget.hidden += 1;
        continue;
      }
      budget.shown += 1;
      this.#show(shortened);
    }
    this.#kept = this.#kept.slice(-KEPT_LINES);
  }

  #show(line: string): void {
    const { level, text, path } = parseLogLine(line);
    this.#log[level]("MediaMTX", path === undefined ? { text } : { path, text });
  }

  async #capSize(): Promise<void> {
    if (this.#positionBytes < this.#options.capBytes) return;
    await copyFile(this.#options.file, `${this.#options.file}.1`);
    await truncate(this.#options.file, 0);
    this.#positionBytes = 0;
  }
}
