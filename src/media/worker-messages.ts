/** What crosses the thread boundary: plain data. The fragment index goes encoded, which is cheaper than cloning it. */
import { AppError, describeError, type ErrorKind, toAppError } from "../core/errors.js";
import { decodeFragmentIndex, encodeFragmentIndex } from "./fragment-index-codec.js";
import type { InspectedFile } from "./inspect-file.js";

export type WorkerReply =
  | { readonly ok: true; readonly file: InspectedFile; readonly index: Uint8Array | null }
  | { readonly ok: false; readonly error: PlainError };

interface PlainError {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint: string | undefined;
  readonly cause: string | undefined;
}

export function packResult(file: InspectedFile): WorkerReply {
  const { inspection, streamIndex } = file;
  const fragments = inspection?.fragments ?? streamIndex;
  if (fragments === null) return { ok: true, file, index: null };
  return {
    ok: true,
    file: { ...file, inspection: inspection && { ...inspection, fragments: null }, streamIndex: null },
    index: encodeFragmentIndex(fragments),
  };
}

export function packError(error: unknown): WorkerReply {
  const { kind, message, hint, cause } = toAppError(error);
  return { ok: false, error: { kind, message, hint, cause: cause === undefined ? undefined : describeError(cause) } };
}

/** Returns or throws what the worker returned or threw. */
export function unpackReply(message: unknown): InspectedFile {
  const reply = message as WorkerReply;
  if (!reply.ok) {
    const { hint, cause, ...rest } = reply.error;
    throw new AppError({
      ...rest,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause: new Error(cause) }),
    });
  }
  const { file, index } = reply;
  if (index === null) return file;
  const fragments = decodeFragmentIndex(index);
  if (file.inspection === null) return { ...file, streamIndex: fragments };
  return { ...file, inspection: { ...file.inspection, fragments } };
}
