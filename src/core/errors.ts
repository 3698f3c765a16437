/**
 * The closed set of ways in which an operation fails. HTTP status, exit code and "try again?" all derive from it,
 * so a caller never has to read a message.
 */
export type ErrorKind =
  | "invalid-argument"
  | "unauthenticated"
  | "permission-denied"
  | "not-found"
  | "already-exists"
  | "failed-precondition"
  | "unavailable"
  | "resource-exhausted"
  | "rate-limited"
  | "data-loss"
  | "cancelled"
  | "internal";

export interface AppErrorInit {
  readonly kind: ErrorKind;
  /** Lowercase, no full stop: operation + object + expected vs got. Never holds a secret. */
  readonly message: string;
  /** What the operator can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Only with `unavailable` and `rate-limited`: to wait this long was asked. */
  readonly retryAfterMs?: number;
  /** The request fields that were wrong, for `invalid-argument`. */
  readonly fields?: readonly FieldError[];
}

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export class AppError extends Error {
  override readonly name = "AppError";
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly fields: readonly FieldError[];

  constructor(init: AppErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.kind = init.kind;
    this.hint = init.hint;
    this.retryAfterMs = init.retryAfterMs;
    this.fields = init.fields ?? [];
  }
}

export function isAppError(error: unknown, kind?: ErrorKind): error is AppError {
  return error instanceof AppError && (kind === undefined || error.kind === kind);
}

/** Anything thrown becomes an AppError; what nobody translated is `internal`. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError({ kind: "internal", message: describeError(error), cause: error });
}

/** One line: the message of the error and of each cause below it. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current !== undefined && current !== null; depth += 1) {
    const message = messageOf(current);
    if (message !== "" && !parts.includes(message)) parts.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === "string") return oneLine(thrown);
  // A refused connection to a host of several addresses is an AggregateError without a message of its own.
  if (thrown instanceof Error)
    return oneLine(thrown.message !== "" ? thrown.message : (errnoOf(thrown) ?? thrown.name));
  try {
    const json: unknown = JSON.stringify(thrown);
    return typeof json === "string" ? json : typeof thrown;
  } catch {
    return typeof thrown;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ").trim();
}

/** The errno name (`ENOENT`) of a Node system error, else undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
