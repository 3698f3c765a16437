/**
 * One request to the store: ends by its deadline or by the caller's signal, whichever comes first, and fails with an
 * AppError. The deadline stands still while the rate limiter holds the upload. Listeners are removed when the call
 * ends (a long-lived signal would collect them otherwise, which `AbortSignal.any` does not prevent).
 */
import { AppError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import type { PutOptions } from "./object-store.js";
import { type ErrorContext, toStoreError } from "./s3-errors.js";

const SLOWEST_BYTES_PER_MS = 1_048_576 / 1_000;

export interface S3CallOptions extends ErrorContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Time for the request itself; its bytes get 1 s per MiB on top. */
  readonly baseMs: number;
  readonly bytes?: number;
}

export interface S3Call {
  readonly signal: AbortSignal;
  /** Ends the call at once with this error. */
  readonly fail: (error: AppError) => void;
  /** The caller's hook, with the deadline stopped while it delays. */
  readonly holding: (onBytes: PutOptions["onBytes"]) => PutOptions["onBytes"];
}

export async function callStore<T>(options: S3CallOptions, request: (call: S3Call) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const fail = (error: AppError): void => controller.abort(error);
  const cancel = (): void => fail(new AppError({ kind: "cancelled", message: `${options.operation}: cancelled` }));
  if (options.signal.aborted) cancel();
  options.signal.addEventListener("abort", cancel, { once: true });
  const deadlineMs = options.baseMs + (options.bytes ?? 0) / SLOWEST_BYTES_PER_MS;
  const deadline = startDeadline(options.clock, deadlineMs, () =>
    fail(
      new AppError({
        kind: "unavailable",
        message: `${options.operation}: no answer within ${String(Math.round(deadlineMs))} ms`,
      }),
    ),
  );
  try {
    controller.signal.throwIfAborted();
    return await request({ signal: controller.signal, fail, holding: (onBytes) => onBytes && hold(deadline, onBytes) });
  } catch (error) {
    const reason: unknown = controller.signal.aborted ? controller.signal.reason : error;
    throw toStoreError(reason, options);
  } finally {
    deadline.stop();
    options.signal.removeEventListener("abort", cancel);
  }
}

function hold(deadline: Deadline, onBytes: NonNullable<PutOptions["onBytes"]>): PutOptions["onBytes"] {
  return (bytes) => {
    const held = onBytes(bytes);
    if (held === undefined) return;
    deadline.stop();
    return held.finally(() => deadline.resume());
  };
}

interface Deadline {
  stop(): void;
  resume(): void;
}

function startDeadline(clock: Clock, ms: number, onExpired: () => void): Deadline {
  let leftMs = ms;
  let startedAtMs = clock.monotonicMs();
  let timer: NodeJS.Timeout | undefined = setTimeout(onExpired, leftMs);
  return {
    stop: () => {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      leftMs -= clock.monotonicMs() - startedAtMs;
    },
    resume: () => {
      if (timer !== undefined) return;
      startedAtMs = clock.monotonicMs();
      timer = setTimeout(onExpired, Math.max(0, leftMs));
    },
  };
}
