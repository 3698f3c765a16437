/**
 * Reads the archive back, slowly: every proven object once in so many days, whole, compared with the SHA-256 of its row.
 * What is not what it was proven to be is not proven any more, so that nothing local is released on it; what is still on
 * disk is archived again. Where it stands is remembered in the database.
 */
import { countObjectKeys, findVerifiedAfter, takeProofBack } from "../catalog/archived-recordings.js";
import type { Catalog } from "../catalog/catalog.js";
import { recall, remember } from "../catalog/remembered.js";
import { AppError, describeError } from "../core/errors.js";
import { withoutProof } from "../core/false-proof.js";
import type { Recording } from "../core/recording.js";
import type { Logger } from "../platform/logger.js";
import { judgeObject } from "./judge-object.js";
import type { VerifyDeps } from "./verify-deps.js";

export interface ScrubDeps extends Pick<VerifyDeps, "headObject" | "hashObject" | "doubtAbout"> {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly prefix: string;
  /** One pass over all objects takes so many days. */
  readonly days: number;
  /** Rows may be due. */
  readonly wake: () => void;
  readonly onRead: (result: ScrubResult) => void;
}

/** untold: the store could not be asked, or the row changed meanwhile; the next pass asks again. */
export type ScrubResult = "same" | "damaged" | "untold";

export interface ScrubState {
  /** Objects since the start that were not what they were proven to be. */
  readonly damaged: number;
  /** Why the last object could not be read; null when it could. */
  readonly error: string | null;
}

const DAY_MS = 86_400_000;
const LONGEST_PAUSE_MS = 3_600_000;
const PAUSE_AFTER_ERROR_MS = 60_000;
/** Counting millions of rows is no work for each object. */
const COUNT_EVERY_MS = DAY_MS;

export class Scrub {
  readonly #deps: ScrubDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #damaged = 0;
  #error: string | null = null;
  #counted: { readonly objects: number; readonly atMs: number } | undefined;

  constructor(deps: ScrubDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  get state(): ScrubState {
    return { damaged: this.#damaged, error: this.#error };
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps.catalog;
    const { signal } = this.#stopping;
    for (;;) {
      try {
        await clock.sleep(await this.#pauseMs(), signal);
        if (signal.aborted) return;
        await this.readNext();
      } catch (error) {
        this.#note(error);
        await clock.sleep(PAUSE_AFTER_ERROR_MS, signal);
      }
    }
  }

  async #pauseMs(): Promise<number> {
    const { catalog, days } = this.#deps;
    const nowMs = catalog.clock.monotonicMs();
    if (this.#counted === undefined || nowMs - this.#counted.atMs > COUNT_EVERY_MS) {
      this.#counted = { objects: await countObjectKeys(catalog), atMs: nowMs };
    }
    return Math.min(LONGEST_PAUSE_MS, (days * DAY_MS) / Math.max(1, this.#counted.objects));
  }

  /** One object, the first one again after the last. Throws when the database is away or the store is not known. */
  async readNext(): Promise<void> {
    const { catalog, doubtAbout, onRead } = this.#deps;
    const { scrubKey = "" } = await recall(catalog);
    const row = (await findVerifiedAfter(catalog, scrubKey)) ?? (await findVerifiedAfter(catalog, ""));
    if (row === undefined) return;
    const doubt = await doubtAbout("objects");
    if (doubt !== null) throw new AppError({ kind: "failed-precondition", message: doubt });
    const result = await this.#read(row);
    if (this.#stopping.signal.aborted) return;
    await remember(catalog, { scrubKey: row.objectKey ?? "" });
    onRead(result);
  }

  /** One object that cannot be read does not keep all others from being read. */
  async #read(row: Recording): Promise<ScrubResult> {
    const { catalog, logger, prefix, wake } = this.#deps;
    const run = { ...this.#deps, options: { full: true }, counts: { objectsRead: 0 }, signal: this.#stopping.signal };
    try {
      const found = await judgeObject(run, row, undefined);
      this.#error = null;
      if (found === undefined) return "same";
      const patch = withoutProof(row, prefix, found);
      if (!(await takeProofBack(catalog, row, patch))) return "untold";
      this.#damaged += 1;
      logger.error("archived copy is not what was proven", {
        ...{ segmentId: row.id, path: row.path, objectKey: row.objectKey, reason: patch.error },
        next: patch.step === null ? "no local copy is left" : "the local copy is archived again",
      });
      wake();
      return "damaged";
    } catch (error) {
      this.#note(error);
      return "untold";
    }
  }

  /** Told when it changes. */
  #note(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const text = describeError(error);
    if (text !== this.#error) this.#deps.logger.warn("archived copies cannot be read back", { err: text });
    this.#error = text;
  }
}
