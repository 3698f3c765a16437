/** At most so many at once; the others wait in the order in which they came. */
import { AppError } from "../core/errors.js";

export interface GateLimits {
  /** What is done inside, for messages: "transcode". */
  readonly purpose: string;
  readonly atOnce: number;
  /** More than these are refused: who comes later would have given up before. */
  readonly mostWaiting: number;
  /** Who waits longer is refused as well; absent: everybody waits until the signal ends it. */
  readonly mostWaitMs?: number;
}

const RETRY_AFTER_MS = 2_000;

/** So many are inside and wait that nobody else is let in now. A limit that does what it is there for, and no failure. */
export class GateFull extends AppError {
  constructor(message: string) {
    const hint = "ask again after the time in Retry-After";
    super({ kind: "unavailable", message, hint, retryAfterMs: RETRY_AFTER_MS });
  }
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Throws `unavailable` (`GateFull`) when too many wait, `cancelled` by the signal, and what `work` throws. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** The same for what is read bit by bit: inside from the first bit until the last one, or until the reader leaves. */
  async *stream<T>(open: () => AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
    await this.#enter(signal);
    try {
      yield* open();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    const { purpose, atOnce, mostWaiting, mostWaitMs } = this.#limits;
    if (signal.aborted) throw cancelled();
    if (this.#inside < atOnce) {
      this.#inside += 1;
      return;
    }
    if (this.#waiting.size >= mostWaiting) {
      throw new GateFull(`${purpose}: ${String(atOnce)} are at it and ${String(mostWaiting)} wait already`);
    }
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        this.#waiting.delete(goIn);
      };
      const giveUp = (): void => {
        end();
        reject(cancelled());
      };
      const goIn = (): void => {
        end();
        resolve();
      };
      const refuse = (): void => {
        end();
        reject(new GateFull(`${purpose}: no turn within ${String(mostWaitMs)} ms, ${String(atOnce)} are at it`));
      };
      const timer = mostWaitMs === undefined ? undefined : setTimeout(refuse, mostWaitMs);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(goIn);
    });
  }

  /** The place goes to the next one, or becomes free. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside -= 1;
    else next();
  }
}

function cancelled(): AppError {
  return new AppError({ kind: "cancelled", message: "gave up while waiting" });
}
