/** Multipart uploads that are under way in the bucket: what they hold, how they are named, how they end. */
import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
} from "@aws-sdk/client-s3";

import { isAppError } from "../core/errors.js";
import { US_PER_MS } from "../core/instant.js";
import { codeOf, noSuchAnswer, statusOf } from "./s3-errors.js";
import type { S3Target } from "./s3-target.js";

const SHA256_START_LENGTH = 16;

export interface UploadRef {
  readonly key: string;
  readonly uploadId: string;
}

/** What a recording remembers: the upload id, and for which bytes it was begun. */
export function uploadTokenOf(uploadId: string, sha256: string): string {
  return `${sha256.slice(0, SHA256_START_LENGTH)}.${uploadId}`;
}

export function parseUploadToken(token: string): { readonly uploadId: string; readonly sha256Start: string } {
  const match = /^([0-9a-f]{16})\.(.+)$/s.exec(token);
  // Not one of ours: no SHA-256 starts like this, so it is aborted.
  return { uploadId: match?.[2] ?? token, sha256Start: match?.[1] ?? "unknown" };
}

/** ETags of the parts that the store holds, by number; undefined when it knows no such upload. */
export async function findParts(
  target: S3Target,
  { key, uploadId }: UploadRef,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, string> | undefined> {
  const operation = `list parts of ${key}`;
  const parts = new Map<number, string>();
  let marker: string | undefined;
  do {
    const after: string | undefined = marker;
    const what = { operation, signal, creates: true };
    const page = await target.call(what, async (call): Promise<ListPartsCommandOutput | undefined> => {
      try {
        const input = { Bucket: target.bucket, Key: key, UploadId: uploadId };
        const command = new ListPartsCommand({ ...input, ...(after !== undefined && { PartNumberMarker: after }) });
        return await target.clients.control.send(command, { abortSignal: call.signal });
      } catch (error) {
        if (!call.signal.aborted && statusOf(error) === 404 && codeOf(error) === "NoSuchUpload") return undefined;
        throw error;
      }
    });
    if (page === undefined) return undefined;
    if (page.UploadId === undefined) throw noSuchAnswer(target.contextOf(operation), "upload id");
    for (const part of page.Parts ?? []) {
      if (part.PartNumber !== undefined && part.ETag !== undefined) {
        parts.set(part.PartNumber, part.ETag.replaceAll('"', ""));
      }
    }
    marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return parts;
}

/**
 * Frees the parts of an upload that will not be completed. What cannot be aborted now is found by `abortStaleUploads`
 * later, so a failure here must not hide the failure that led here.
 */
export async function abortUpload(target: S3Target, upload: UploadRef): Promise<void> {
  try {
    // Not the caller's signal: it may be what ended the upload.
    await sendAbort(target, upload, new AbortController().signal);
  } catch (error) {
    if (!isAppError(error)) throw error;
  }
}

export async function abortStaleUploads(target: S3Target, olderThanMs: number, signal: AbortSignal): Promise<number> {
  const beforeMs = target.clock.nowUs() / US_PER_MS - olderThanMs;
  const operation = `list multipart uploads below ${target.prefix}`;
  const stale: UploadRef[] = [];
  let keyMarker: string | undefined;
  let idMarker: string | undefined;
  do {
    const markers = {
      ...(keyMarker !== undefined && { KeyMarker: keyMarker }),
      ...(idMarker !== undefined && { UploadIdMarker: idMarker }),
    };
    const prefix = target.prefix === "" ? "" : `${target.prefix}/`;
    const page = await target.call({ operation, signal }, (call) =>
      target.clients.control.send(
        new ListMultipartUploadsCommand({ Bucket: target.bucket, Prefix: prefix, ...markers }),
        { abortSignal: call.signal },
      ),
    );
    for (const { Key: key, UploadId: uploadId, Initiated: initiatedAt } of page.Uploads ?? []) {
      if (key === undefined || uploadId === undefined || initiatedAt === undefined) continue;
      if (key.startsWith(prefix) && initiatedAt.getTime() < beforeMs) stale.push({ key, uploadId });
    }
    keyMarker = page.IsTruncated === true ? page.NextKeyMarker : undefined;
    idMarker = page.IsTruncated === true ? page.NextUploadIdMarker : undefined;
  } while (keyMarker !== undefined);
  for (const upload of stale) await sendAbort(target, upload, signal);
  return stale.length;
}

async function sendAbort(target: S3Target, { key, uploadId }: UploadRef, signal: AbortSignal): Promise<void> {
  await target.call({ operation: `abort multipart upload of ${key}`, signal }, async (call) => {
    try {
      const command = new AbortMultipartUploadCommand({ Bucket: target.bucket, Key: key, UploadId: uploadId });
      await target.clients.control.send(command, { abortSignal: call.signal });
    } catch (error) {
      if (call.signal.aborted || statusOf(error) !== 404 || codeOf(error) !== "NoSuchUpload") throw error;
    }
  });
}
