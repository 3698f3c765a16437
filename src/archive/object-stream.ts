/** The stream that `get` hands out: it ends with the signal, fails with an AppError, and frees its source when dropped. */
import { PassThrough, type Readable } from "node:stream";

import { AppError } from "../core/errors.js";

const BUFFERED_BYTES = 1_048_576;

export interface StreamGuard {
  readonly signal: AbortSignal;
  readonly operation: string;
  readonly translate: (error: unknown, operation: string) => AppError;
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
  return guarded;
}
