/**
 * Watches the record directory, for hosts where no hook can run. A hint like a hook: what it misses, the scan finds.
 * While hooks do arrive it waits for files to fall quiet, so that it costs nothing beside them.
 */
import { type FSWatcher, watch } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import path from "node:path";

import { describeError, errnoOf } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import type { Logger } from "../platform/logger.js";
import { joinRelative, OWN_FOLDER } from "./walk-record-dir.js";

export interface FolderWatchDeps {
  readonly recordDir: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Hooks work here: the watch may take its time. */
  readonly hooksAreAlive: () => boolean;
  /** A file (relative) was written to and then left alone for a moment. Must not throw. */
  readonly onFile: (filePath: string) => Promise<void>;
}

const TICK_MS = 100;
/** After the last write; MediaMTX writes a part a second and rewrites the header when it closes a file. */
const SETTLED_MS = 250;
const SETTLED_BESIDE_HOOKS_MS = 3_000;
/** Folders without new files for longer than this are yesterday's; the scan still looks at them. */
const IDLE_FOLDER_MS = 48 * 3_600_000;
const REVIEW_EVERY_MS = 3_600_000;

export class FolderWatch {
  readonly #deps: FolderWatchDeps;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #lastEventMs = new Map<string, number>();
  #ticker: NodeJS.Timeout | undefined;
  #reviewer: NodeJS.Timeout | undefined;
  #isExhausted = false;

  constructor(deps: FolderWatchDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#reviewer = setInterval(() => void this.#review(), REVIEW_EVERY_MS);
    await this.#watchTree("");
  }

  stop(): void {
    clearInterval(this.#ticker);
    clearInterval(this.#reviewer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Watches a folder and all below it that may get new files. */
  async #watchTree(directory: string): Promise<void> {
    if (directory === OWN_FOLDER || this.#isExhausted) return;
    const absolute = path.join(this.#deps.recordDir, directory);
    this.#watchFolder(directory, absolute);
    const entries = await readdir(absolute, { withFileTypes: true }).catch(() => []);
    const folders = entries.filter((entry) => entry.isDirectory());
    if (folders.length === 0 && directory !== "" && (await isIdle(absolute, this.#deps.clock.nowUs() / 1_000)))
      this.#unwatch(directory);
    for (const folder of folders) await this.#watchTree(joinRelative(directory, folder.name));
  }

  #watchFolder(directory: string, absolute: string): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(absolute, (_event, name) => {
        if (name !== null) this.#lastEventMs.set(joinRelative(directory, name), this.#deps.clock.monotonicMs());
      });
      watcher.on("error", () => this.#unwatch(directory));
      this.#watchers.set(directory, watcher);
    } catch (error) {
      if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return;
      this.#isExhausted = true;
      this.#deps.logger.warn("not every folder can be watched; the scan finds what the watch does not", {
        err: describeError(error),
        hint: "raise fs.inotify.max_user_watches",
      });
    }
  }

  #unwatch(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  #tick(): void {
    const settledMs = this.#deps.hooksAreAlive() ? SETTLED_BESIDE_HOOKS_MS : SETTLED_MS;
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [name, eventMs] of this.#lastEventMs) {
      if (nowMs - eventMs < settledMs) continue;
      this.#lastEventMs.delete(name);
      void this.#look(name);
    }
  }

  async #look(name: string): Promise<void> {
    if (/\.(mp4|ts)$/.test(name)) return this.#deps.onFile(name);
    // Links are never followed (F47).
    const entry = await lstat(path.join(this.#deps.recordDir, name)).catch(() => undefined);
    if (entry?.isDirectory() !== true) return;
    // Files may have been made before the folder was watched: each of them counts as written now.
    await this.#watchTree(name);
    const files = await readdir(path.join(this.#deps.recordDir, name), { recursive: true }).catch(() => []);
    for (const file of files) this.#lastEventMs.set(joinRelative(name, file), this.#deps.clock.monotonicMs());
  }

  async #review(): Promise<void> {
    this.#isExhausted = false;
    await this.#watchTree("");
  }
}

async function isIdle(absolute: string, nowMs: number): Promise<boolean> {
  const folder = await stat(absolute).catch(() => undefined);
  return folder !== undefined && nowMs - folder.mtimeMs > IDLE_FOLDER_MS;
}
