/**
 * Writes down when the embedded MediaMTX was not running, for the timeline. One that is adopted was never down. Before
 * one that had to be started without a word of its end, because machine or process died, the last sign of life is what
 * we know: from then on nobody could have told of footage.
 */
import type { Catalog } from "../catalog/catalog.js";
import { findLastMachineCondition, noteMachineCondition } from "../catalog/recording-conditions.js";
import { findLastSignOfLife } from "../catalog/sign-of-life.js";
import { describeError } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";

const CONDITION = "server-down";

export class ServerNotes {
  readonly #catalog: Catalog;
  readonly #logger: Logger;
  #lastAliveUs: number | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(catalog: Catalog, logger: Logger) {
    this.#catalog = catalog;
    this.#logger = logger;
  }

  /** Before anything of this process writes signs of its own life. */
  async begin(): Promise<void> {
    this.#lastAliveUs = await findLastSignOfLife(this.#catalog);
  }

  started(start: { readonly startedAtUs: number; readonly adopted: boolean }): void {
    this.#write(async () => {
      const atUs = start.adopted ? this.#catalog.clock.nowUs() : start.startedAtUs;
      if (!start.adopted) await this.#noteUnseenEnd(atUs);
      await noteMachineCondition(this.#catalog, { condition: CONDITION, holds: false, atUs });
      this.#lastAliveUs = null;
    });
  }

  ended(): void {
    const atUs = this.#catalog.clock.nowUs();
    this.#write(() => noteMachineCondition(this.#catalog, { condition: CONDITION, holds: true, atUs }));
  }

  /** What was told so far is written, or its failure logged. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #noteUnseenEnd(startedAtUs: number): Promise<void> {
    const last = await findLastMachineCondition(this.#catalog, CONDITION);
    if (last?.holds === true || this.#lastAliveUs === null) return;
    const atUs = Math.max(this.#lastAliveUs, last?.atUs ?? 0);
    if (atUs >= startedAtUs) return;
    await noteMachineCondition(this.#catalog, { condition: CONDITION, holds: true, atUs });
  }

  #write(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch((error: unknown) => {
      this.#logger.warn("cannot write down that MediaMTX started or ended", { err: describeError(error) });
    });
  }
}
