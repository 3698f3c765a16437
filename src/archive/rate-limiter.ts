/**
 * A cap in bytes per second over all uploads together. Uploads take turns chunk by chunk (first come, first served),
 * so that each gets the same share whatever the number of its bytes. A chunk may overdraw the bucket: it goes out at
 * once and the next one waits until the debt is paid, hence chunks larger than the bucket never starve.
 */
import { AppError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";

export interface RateLimiter {
  /** The hook of one `put`; its waits end with `cancelled` when the signal aborts. */
  onBytes(signal: AbortSignal): (bytes: number) => Promise<void> | void;
}

/** How much may go out at once after a pause. */
const BURST_SEC = 1;

/** `bytesPerSec` 0: no cap. */
export function createRateLimiter(clock: Clock, bytesPerSec: number): RateLimiter {
  const burstBytes = bytesPerSec * BURST_SEC;
  let tokens = burstBytes;
  let filledAtMs = clock.monotonicMs();
  let lastTurn: Promise<void> = Promise.resolve();
  let waiting = 0;

  const fill = (): void => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burstBytes, tokens + ((nowMs - filledAtMs) / 1_000) * bytesPerSec);
    filledAtMs = nowMs;
  };

  const takeTurn = async (bytes: number, signal: AbortSignal): Promise<void> => {
    fill();
    while (tokens <= 0 && !signal.aborted) {
      await clock.sleep(Math.max(1, Math.ceil((-tokens / bytesPerSec) * 1_000)), signal);
      fill();
    }
    if (signal.aborted) throw cancelled();
    tokens -= bytes;
  };

  return {
    onBytes: (signal) => (bytes) => {
      if (bytesPerSec <= 0) return;
      fill();
      if (waiting === 0 && tokens > 0) {
        tokens -= bytes;
        return;
      }
      waiting += 1;
      const turn = lastTurn.then(() => takeTurn(bytes, signal)).finally(() => (waiting -= 1));
      lastTurn = turn.catch(() => undefined);
      return unlessAborted(turn, signal);
    },
  };
}

/** Whoever is stopped does not wait until those before it have had their turns; its own passes unused. */
function unlessAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(cancelled());
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    turn.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function cancelled(): AppError {
  return new AppError({ kind: "cancelled", message: "wait for upload rate: cancelled" });
}
