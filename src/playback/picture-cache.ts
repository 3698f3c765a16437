/**
 * Pictures on disk, below a cap: the least recently used go first. Everything in here can be made again, so a file that
 * is gone, torn or cannot be written costs time and nothing else. When a file was last used is its mtime.
 */
import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { describeError, errnoOf } from "../core/errors.js";
import { US_PER_SEC } from "../core/instant.js";
import type { Clock } from "../platform/clock.js";
import { ensureDirectory } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";

const NAME = /^[0-9a-f]{32}\.jpg$/;

export interface PictureCacheOptions {
  readonly directory: string;
  /** 0: nothing is kept. */
  readonly mostBytes: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

export class PictureCache {
  readonly #options: PictureCacheOptions;
  /** Sizes in bytes, the least recently used first. */
  readonly #sizes = new Map<string, number>();
  #loaded: Promise<void> | undefined;
  #totalBytes = 0;
  #failure: string | null = null;

  constructor(options: PictureCacheOptions) {
    this.#options = options;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** `name`: 32 hex digits. */
  async get(name: string): Promise<Buffer | undefined> {
    await this.#load();
    const sizeBytes = this.#sizes.get(name);
    if (sizeBytes === undefined) return undefined;
    const picture = await readFile(this.#fileOf(name)).catch(() => undefined);
    if (picture === undefined || !isWholeJpeg(picture)) {
      this.#forget(name);
      return undefined;
    }
    this.#sizes.delete(name);
    this.#sizes.set(name, sizeBytes);
    const nowSec = this.#options.clock.nowUs() / US_PER_SEC;
    await utimes(this.#fileOf(name), nowSec, nowSec).catch(() => undefined);
    return picture;
  }

  /** A disk that is full or read-only is told once and keeps nobody from the picture. */
  async put(name: string, picture: Buffer): Promise<void> {
    const { mostBytes, logger } = this.#options;
    if (picture.length > mostBytes) return;
    await this.#load();
    const file = this.#fileOf(name);
    const temporary = `${file}.${randomUUID()}.tmp`;
    try {
      await writeFile(temporary, picture, { mode: 0o640 });
      await rename(temporary, file);
      this.#forget(name);
      this.#sizes.set(name, picture.length);
      this.#totalBytes += picture.length;
      this.#failure = null;
      await this.#evict();
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      const text = errnoOf(error) ?? describeError(error);
      if (text !== this.#failure) logger.warn("pictures cannot be kept", { err: describeError(error) });
      this.#failure = text;
    }
  }

  async #evict(): Promise<void> {
    for (const name of this.#sizes.keys()) {
      if (this.#totalBytes <= this.#options.mostBytes) return;
      this.#forget(name);
      await rm(this.#fileOf(name), { force: true });
    }
  }

  #forget(name: string): void {
    this.#totalBytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
  }

  #fileOf(name: string): string {
    return path.join(this.#options.directory, `${name}.jpg`);
  }

  #load(): Promise<void> {
    this.#loaded ??= this.#readDirectory().catch((error: unknown) => {
      this.#options.logger.warn("kept pictures cannot be read", { err: describeError(error) });
    });
    return this.#loaded;
  }

  async #readDirectory(): Promise<void> {
    const { directory } = this.#options;
    await ensureDirectory(directory, 0o750);
    const files: { readonly name: string; readonly bytes: number; readonly usedMs: number }[] = [];
    for (const entry of await readdir(directory)) {
      const file = path.join(directory, entry);
      // What a crash left behind; this process writes none before this is done.
      if (entry.endsWith(".tmp")) await rm(file, { force: true });
      if (!NAME.test(entry)) continue;
      const { size, mtimeMs } = await stat(file);
      files.push({ name: entry.slice(0, -".jpg".length), bytes: size, usedMs: mtimeMs });
    }
    for (const { name, bytes } of files.sort((left, right) => left.usedMs - right.usedMs)) {
      this.#sizes.set(name, bytes);
      this.#totalBytes += bytes;
    }
    await this.#evict();
  }
}

/** A power loss may leave a file that has its length and not its bytes. */
export function isWholeJpeg(bytes: Buffer): boolean {
  return bytes.length > 4 && bytes.readUInt16BE(0) === 0xffd8 && bytes.readUInt16BE(bytes.length - 2) === 0xffd9;
}
