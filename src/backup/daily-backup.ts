/** Makes a backup whenever one is due, tries again after a failure, and tells how that goes. */
import { isBackupDue, isBackupOverdue } from "../core/backup.js";
import { describeError } from "../core/errors.js";
import type { Catalog } from "../catalog/catalog.js";
import type { Logger } from "../platform/logger.js";
import { type LastBackup, recallLastBackup } from "./last-backup.js";

export interface DailyBackupDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly intervalMs: number;
  readonly make: (signal: AbortSignal) => Promise<LastBackup>;
}

export interface BackupState {
  /** Null: none that this database knows of. */
  readonly last: LastBackup | null;
  /** Why the last attempt failed; null when it did not. */
  readonly error: string | null;
  readonly isOverdue: boolean;
}

/** A start has other things to do first. */
const FIRST_AFTER_MS = 120_000;
const LOOK_EVERY_MS = 60_000;
const TRY_AGAIN_MS = 15 * 60_000;

export class DailyBackup {
  readonly #deps: DailyBackupDeps;
  readonly #stopping = new AbortController();
  readonly #startedAtUs: number;
  #loop: Promise<void> = Promise.resolve();
  #last: LastBackup | null = null;
  #error: string | null = null;
  #failedMs: number | null = null;

  constructor(deps: DailyBackupDeps) {
    this.#deps = deps;
    this.#startedAtUs = deps.catalog.clock.nowUs();
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** One that is under way is given up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  state(): BackupState {
    const sinceUs = this.#last?.takenAtUs ?? this.#startedAtUs;
    const isOverdue = isBackupOverdue(sinceUs, this.#deps.catalog.clock.nowUs(), this.#deps.intervalMs);
    return { last: this.#last, error: this.#error, isOverdue };
  }

  /** Never throws. */
  async look(): Promise<void> {
    const { catalog, intervalMs, logger, make } = this.#deps;
    const { clock } = catalog;
    try {
      // Each time anew: the command makes backups too.
      this.#last = await recallLastBackup(catalog);
      if (!isBackupDue(this.#last, clock.nowUs(), intervalMs)) {
        this.#error = null;
        return;
      }
      if (this.#failedMs !== null && clock.monotonicMs() - this.#failedMs < Math.min(TRY_AGAIN_MS, intervalMs)) return;
      this.#last = await make(this.#stopping.signal);
      this.#error = null;
      this.#failedMs = null;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const text = describeError(error);
      if (text !== this.#error) logger.error("database was not backed up", { err: text });
      this.#error = text;
      this.#failedMs = clock.monotonicMs();
    }
  }

  async #run(): Promise<void> {
    const { catalog, intervalMs } = this.#deps;
    const { signal } = this.#stopping;
    let waitMs = Math.min(FIRST_AFTER_MS, intervalMs);
    this.#last = await recallLastBackup(catalog).catch(() => null);
    for (;;) {
      await catalog.clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      await this.look();
      waitMs = Math.min(LOOK_EVERY_MS, intervalMs);
    }
  }
}
