import { expect, it } from "vitest";

import { toStoreError } from "../../../src/archive/s3-errors.js";
import { AppError } from "../../../src/core/errors.js";

const CONTEXT = { operation: "put a", bucket: "b", endpoint: "https://e", nowMs: () => 0 };

function answer(status: number, code: string, headers: Record<string, string> = {}): Error {
  const error = Object.assign(new Error("what it says does not matter"), { Code: code });
  return Object.assign(error, { $metadata: { httpStatusCode: status }, $response: { headers } });
}

it.each([
  [403, "AccessDenied", "permission-denied"],
  [401, "Unauthorized", "permission-denied"],
  [403, "SignatureDoesNotMatch", "permission-denied"],
  [403, "RequestTimeTooSkewed", "unavailable"],
  [400, "ExpiredRequest", "unavailable"],
  [404, "NoSuchKey", "not-found"],
  [404, "NoSuchBucket", "failed-precondition"],
  [404, "NoSuchUpload", "unavailable"],
  [412, "PreconditionFailed", "already-exists"],
  [409, "ConditionalRequestConflict", "unavailable"],
  [409, "ObjectParentIsFile", "failed-precondition"],
  [409, "ObjectLockedByBucketPolicy", "failed-precondition"],
  [403, "10069", "failed-precondition"],
  [400, "InvalidBucketName", "failed-precondition"],
  [416, "InvalidRange", "invalid-argument"],
  [400, "BadDigest", "unavailable"],
  [400, "RequestTimeout", "unavailable"],
  [400, "InvalidPart", "internal"],
  [408, "x", "unavailable"],
  [429, "TooManyRequests", "unavailable"],
  [500, "InternalError", "unavailable"],
  [501, "NotImplemented", "failed-precondition"],
  [503, "SlowDown", "unavailable"],
  [200, "InternalError", "unavailable"],
  [301, "PermanentRedirect", "failed-precondition"],
] as const)("takes %i %s for %s", (status, code, kind) => {
  const error = answer(status, code);
  expect(toStoreError(error, CONTEXT)).toMatchObject({ kind, cause: error, message: `put a: ${status} ${code}` });
});

it("takes a lock for an object that exists, when an object was to be created", () => {
  const locked = answer(409, "ObjectLockedByBucketPolicy");
  expect(toStoreError(locked, { ...CONTEXT, creates: true }).kind).toBe("already-exists");
});

it("never says not-found of what was to be created", () => {
  expect(toStoreError(answer(404, "UnknownError"), { ...CONTEXT, creates: true }).kind).toBe("failed-precondition");
});

it.each(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "CERT_HAS_EXPIRED"])(
  "takes %s, without an answer, for unavailable",
  (code) => {
    expect(toStoreError(Object.assign(new Error("x"), { code }), CONTEXT).kind).toBe("unavailable");
  },
);

it.each([
  ["5", 5_000],
  ["Thu, 01 Jan 1970 00:00:09 GMT", 9_000],
  ["Thu, 01 Jan 1960 00:00:00 GMT", 0],
  ["soon", undefined],
  ["-1", undefined],
])("reads Retry-After %j as %s", (value, expected) => {
  expect(toStoreError(answer(503, "SlowDown", { "retry-after": value }), CONTEXT).retryAfterMs).toBe(expected);
});

it("hands on what is an AppError already", () => {
  const error = new AppError({ kind: "cancelled", message: "x" });
  expect(toStoreError(error, CONTEXT)).toBe(error);
});
