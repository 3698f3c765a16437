/**
 * R2's errors as its documentation lists them: S3 code, status, number. The number stands at the end of the message,
 * as the Workers API shows it. https://developers.cloudflare.com/r2/api/error-codes
 */
const R2_ERRORS = {
  Unauthorized: [401, 10002],
  AccessDenied: [403, 10003],
  SignatureDoesNotMatch: [403, 10035],
  NoSuchBucket: [404, 10006],
  NoSuchKey: [404, 10007],
  NoSuchUpload: [404, 10024],
  InvalidObjectName: [400, 10020],
  MetadataTooLarge: [400, 10012],
  MissingContentLength: [411, 10033],
  PreconditionFailed: [412, 10031],
  ObjectLockedByBucketPolicy: [403, 10069],
  /** The other InvalidPart, for a part that is not there, is 10025. */
  InvalidPart: [400, 10048],
  InternalError: [500, 10001],
  ServiceUnavailable: [503, 10043],
  TooManyRequests: [429, 10058],
} as const satisfies Record<string, readonly [number, number]>;

export type R2ErrorCode = keyof typeof R2_ERRORS;

export interface S3Refusal {
  readonly status: number;
  readonly code: string;
}

/** With the status that R2 gives it. */
export function r2Refusal(code: R2ErrorCode): S3Refusal {
  return { status: R2_ERRORS[code][0], code };
}

/** A code that R2 does not have is shown without a number. */
export function errorDocument(code: string): string {
  const number = code in R2_ERRORS ? ` (${R2_ERRORS[code as R2ErrorCode][1]})` : "";
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}${number}</Message></Error>`;
}
