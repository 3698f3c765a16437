/** The stream that `get` hands out: it ends with the signal, fails with an AppError, and frees its source when dropped. */
import { PassThrough, type Readable } from "node:stream";

import { AppError } from "../core/errors.js";

const BUFFERED_BYTES = 1_048_576;
/** Less than this is no transfer: a store that drips would keep its reader, and what waits for it, for days. */
const SLOWEST_BYTES_PER_SEC = 1_024;
const SLOW_LOOKS = 4;

export interface StreamGuard {
  readonly signal: AbortSignal;
  readonly operation: string;
  readonly translate: (error: unknown, operation: string) => AppError;
  /** A reader that waits gets `unavailable` after so long without a byte, or some times that with hardly any; absent: never. */
  readonly idleMs?: number;
}

export function guardStream(source: Readable, guard: StreamGuard): Readable {
  const guarded = new PassThrough({ highWaterMark: BUFFERED_BYTES });
  const cancel = (): void => {
    guarded.destroy(new AppError({ kind: "cancelled", message: `${guard.operation}: cancelled` }));
  };
  source.once("error", (error) => guarded.destroy(guard.translate(error, guard.operation)));
  // A source that closes before its end without an error would leave the reader waiting.
  source.once("close", () => {
    if (source.readableEnded || guarded.destroyed) return;
    guarded.destroy(new AppError({ kind: "unavailable", message: `${guard.operation}: ended early` }));
  });
  guarded.once("close", () => {
    guard.signal.removeEventListener("abort", cancel);
    source.destroy();
  });
  guard.signal.addEventListener("abort", cancel, { once: true });
  if (guard.signal.aborted) cancel();
  source.pipe(guarded);
  if (guard.idleMs !== undefined) endWhenStarved(source, guarded, { ...guard, idleMs: guard.idleMs });
  return guarded;
}

/** A slow reader is not starved: what it has not read yet stands in the buffer. */
function endWhenStarved(
  source: Readable,
  guarded: PassThrough,
  { operation, idleMs }: { readonly operation: string; readonly idleMs: number },
): void {
  const fewestBytes = (SLOWEST_BYTES_PER_SEC * idleMs) / 1_000;
  let bytes = 0;
  let slowLooks = 0;
  source.on("data", (chunk: Buffer) => (bytes += chunk.length));
  const timer = setInterval(() => {
    const isWaiting = guarded.readableLength === 0;
    const isIdle = isWaiting && bytes === 0;
    slowLooks = isWaiting && bytes < fewestBytes ? slowLooks + 1 : 0;
    bytes = 0;
    if (!isIdle && slowLooks < SLOW_LOOKS) return;
    const message = `${operation}: hardly a byte for ${String(slowLooks * idleMs)} ms`;
    guarded.destroy(new AppError({ kind: "unavailable", message }));
  }, idleMs);
  // All of it has come: how long its reader keeps the last bytes in hand is the reader's affair.
  source.once("end", () => clearInterval(timer));
  guarded.once("close", () => clearInterval(timer));
}
