/** Who asks for the same thing at the same time shares one piece of work; it ends early when the last of them has left. */
import { AppError } from "../core/errors.js";

interface Running<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  sharers: number;
}

export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  /** Throws `cancelled` when `signal` aborts, else what `work` throws. */
  async join(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw left();
    const shared = this.#running.get(key) ?? this.#begin(key, work);
    shared.sharers += 1;
    let leave: () => void = () => undefined;
    const gone = new Promise<never>((_resolve, reject) => {
      leave = () => reject(left());
    });
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([shared.result, gone]);
    } finally {
      signal.removeEventListener("abort", leave);
      shared.sharers -= 1;
      if (shared.sharers === 0) this.#end(key, shared);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const stop = new AbortController();
    const running: Running<T> = { result: work(stop.signal), stop, sharers: 0 };
    // Told to those who share it; nobody may be left to hear.
    running.result.catch(() => undefined);
    this.#running.set(key, running);
    return running;
  }

  /** Whoever comes now begins anew, also while the old work is still ending. */
  #end(key: string, running: Running<T>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
    running.stop.abort();
  }
}

function left(): AppError {
  return new AppError({ kind: "cancelled", message: "nobody waits for it any more" });
}
