/**
 * What the store or the way to it said, as an AppError. Kinds come from status and S3 code, never from texts. Doubt
 * (timeouts, resets, 5xx, an answer that is none) is `unavailable`: whether a put arrived is decided by head.
 */
import { AppError, type ErrorKind, errnoOf } from "../core/errors.js";

export interface ErrorContext {
  /** `put recordings/cam1/…`. */
  readonly operation: string;
  readonly bucket: string;
  readonly endpoint: string;
  /** For an HTTP date in Retry-After. */
  readonly nowMs: () => number;
  /** This request creates an object and never overwrites. */
  readonly creates?: boolean;
}

interface Answer {
  readonly kind: ErrorKind;
  readonly hint?: string;
}

const BAD_CREDENTIALS =
  "check R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY; the token must be allowed to read and write objects in this bucket";
const BAD_CERTIFICATE = "the endpoint's TLS certificate is not trusted; name its CA in NODE_EXTRA_CA_CERTS";
const LOCKED = "a retention lock of the bucket forbids it for now";

/** R2's bucket locks answer 403 or 409 with this code (error 10069), before they look at If-None-Match. */
const LOCK_CODES: ReadonlySet<string> = new Set(["ObjectLockedByBucketPolicy", "10069"]);

const BY_CODE: Readonly<Record<string, Answer>> = {
  // Completed by a try whose answer was lost, or aborted; head decides.
  NoSuchUpload: { kind: "unavailable" },
  PreconditionFailed: { kind: "already-exists" },
  // The request was damaged on its way, or its time was up: nothing is wrong with what we asked.
  BadDigest: { kind: "unavailable" },
  IncompleteBody: { kind: "unavailable" },
  RequestTimeout: { kind: "unavailable" },
  XAmzContentSHA256Mismatch: { kind: "unavailable" },
  ConditionalRequestConflict: { kind: "unavailable" },
  OperationAborted: { kind: "unavailable" },
  RequestTimeTooSkewed: { kind: "unavailable", hint: "the clock of this machine differs from the store's" },
  ExpiredRequest: { kind: "unavailable", hint: "the clock of this machine differs from the store's" },
  InvalidBucketName: { kind: "failed-precondition", hint: "check R2_BUCKET_NAME" },
  AuthorizationHeaderMalformed: { kind: "permission-denied", hint: "check R2_REGION (R2: auto)" },
  InvalidRange: { kind: "invalid-argument" },
  KeyTooLongError: { kind: "invalid-argument" },
  MetadataTooLarge: { kind: "invalid-argument" },
  ObjectParentIsFile: { kind: "failed-precondition", hint: "a part of this key is the name of another object" },
  ExistingObjectIsDirectory: { kind: "failed-precondition", hint: "other objects lie below this key" },
};

const CERTIFICATE_CODES =
  /^(?:DEPTH_ZERO_|SELF_SIGNED_|CERT_|UNABLE_TO_|ERR_TLS_CERT_|CRL_|INVALID_CA|HOSTNAME_MISMATCH)/;

export function toStoreError(error: unknown, context: ErrorContext): AppError {
  if (error instanceof AppError) return error;
  const status = statusOf(error);
  const code = codeOf(error);
  const answer = answerOf({ status, code, errno: errnoOf(error), context });
  const said = status === undefined ? code : `${String(status)} ${code}`;
  const retryAfterMs = answer.kind === "unavailable" ? retryAfterMsOf(error, context) : undefined;
  return new AppError({
    kind: answer.kind,
    message: `${context.operation}: ${said}`,
    cause: error,
    ...(answer.hint !== undefined && { hint: answer.hint }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** An answer with a good status that lacks what such an answer must have, such as an error page sent with 200. */
export function noSuchAnswer(context: ErrorContext, missing: string): AppError {
  return new AppError({ kind: "unavailable", message: `${context.operation}: the answer has no ${missing}` });
}

export function noSuchBucket(
  context: Pick<ErrorContext, "operation" | "bucket" | "endpoint">,
  cause?: unknown,
): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: `${context.operation}: bucket ${context.bucket} does not exist at ${context.endpoint}`,
    hint: "check R2_BUCKET_NAME and R2_ENDPOINT, or create the bucket",
    ...(cause !== undefined && { cause }),
  });
}

export function statusOf(error: unknown): number | undefined {
  const metadata = field(error, "$metadata");
  const status = field(metadata, "httpStatusCode");
  return typeof status === "number" ? status : undefined;
}

interface Said {
  readonly status: number | undefined;
  readonly code: string;
  readonly errno: string | undefined;
  readonly context: ErrorContext;
}

function answerOf({ status, code, errno, context }: Said): Answer {
  if (errno !== undefined && CERTIFICATE_CODES.test(errno)) return { kind: "unavailable", hint: BAD_CERTIFICATE };
  if (LOCK_CODES.has(code))
    return { kind: context.creates === true ? "already-exists" : "failed-precondition", hint: LOCKED };
  if (code === "NoSuchBucket") return { kind: "failed-precondition", hint: noSuchBucket(context).hint ?? "" };
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (status === undefined) return answerOfNoStatus(errno);
  if (status === 404 && context.creates === true) return { kind: "failed-precondition", hint: "check R2_ENDPOINT" };
  return answerOfStatus(status);
}

/** No answer came at all: the way there is broken. */
function answerOfNoStatus(errno: string | undefined): Answer {
  if (errno === "ENOTFOUND" || errno === "EAI_AGAIN") return { kind: "unavailable", hint: "check R2_ENDPOINT and DNS" };
  if (errno?.startsWith("ERR_INVALID_")) return { kind: "internal" };
  return { kind: "unavailable" };
}

function answerOfStatus(status: number): Answer {
  if (status === 401 || status === 403) return { kind: "permission-denied", hint: BAD_CREDENTIALS };
  if (status === 404) return { kind: "not-found" };
  if (status === 412) return { kind: "already-exists" };
  if (status === 416) return { kind: "invalid-argument" };
  if (status === 501) return { kind: "failed-precondition", hint: "the store does not implement this request" };
  if (status >= 300 && status < 400) return { kind: "failed-precondition", hint: "check R2_ENDPOINT and R2_REGION" };
  // 2xx here: the SDK found an error document, or none at all, behind a good status.
  if (status < 300 || status >= 500 || status === 408 || status === 429) return { kind: "unavailable" };
  return { kind: "internal" };
}

export function codeOf(error: unknown): string {
  const code = field(error, "Code");
  if (typeof code === "string" && code !== "") return code;
  return error instanceof Error ? error.name : "unknown error";
}

function retryAfterMsOf(error: unknown, context: ErrorContext): number | undefined {
  const value = field(field(field(error, "$response"), "headers"), "retry-after");
  if (typeof value !== "string") return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - context.nowMs());
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
}
