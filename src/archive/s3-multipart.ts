/**
 * Files above the single-put limit go up in parts: equal ones except the last (R2 refuses others at Complete), at most
 * two at a time. May die anywhere: the upload id is recorded before the first part, and a resumed upload sends only
 * the parts that the store does not hold with our MD5. An upload is aborted when it can never be completed, and kept
 * while that is unknown.
 */
import { createHash } from "node:crypto";

import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

import { AppError, type ErrorKind, isAppError } from "../core/errors.js";
import { faultPoint } from "../platform/fault-point.js";
import { type OpenSource, openSource } from "./read-source.js";
import { noSuchAnswer } from "./s3-errors.js";
import { headObject } from "./s3-read.js";
import type { S3Put, S3Target } from "./s3-target.js";
import { abortUpload, findParts, parseUploadToken, uploadTokenOf } from "./s3-uploads.js";

const PARTS_IN_FLIGHT = 2;
const MAX_PARTS = 10_000;
const MEBIBYTE = 1_048_576;

/** The upload may still come to a good end when it is tried again. */
const WORTH_RESUMING: ReadonlySet<ErrorKind> = new Set(["unavailable", "cancelled", "permission-denied"]);

interface Upload extends S3Put {
  readonly uploadId: string;
  readonly partBytes: number;
  readonly opened: OpenSource;
  /** ETags of the parts that the store holds already, by number. */
  readonly held: ReadonlyMap<number, string>;
}

interface SentPart {
  readonly number: number;
  readonly md5: Buffer;
  readonly etag: string;
}

export async function putMultipart(target: S3Target, put: S3Put): Promise<void> {
  const opened = await openSource(put.source);
  try {
    const partBytes = partBytesFor(target, put.source.bytes);
    const begun = (await resume(target, put)) ?? (await begin(target, put));
    const upload: Upload = { ...put, ...begun, partBytes, opened };
    try {
      const parts = await sendParts(target, upload);
      await opened.assertUnchanged();
      await complete(target, upload, parts);
    } catch (error) {
      const kind: ErrorKind = isAppError(error) ? error.kind : "internal";
      if (!WORTH_RESUMING.has(kind)) await abortUpload(target, { key: put.key, uploadId: begun.uploadId });
      throw error;
    }
  } finally {
    await opened.close();
  }
}

/** The same for each try of a file, or its parts could not be reused. */
function partBytesFor(target: S3Target, bytes: number): number {
  const least = Math.ceil(bytes / MAX_PARTS / MEBIBYTE) * MEBIBYTE;
  return Math.max(target.partBytes, least);
}

type Begun = Pick<Upload, "uploadId" | "held">;

/** Undefined: nothing to resume. The SHA-256 was fixed when the upload began, so other bytes need another upload. */
async function resume(target: S3Target, { key, source, options }: S3Put): Promise<Begun | undefined> {
  if (options.uploadId === undefined) return undefined;
  const { uploadId, sha256Start } = parseUploadToken(options.uploadId);
  if (!source.sha256.startsWith(sha256Start)) {
    await abortUpload(target, { key, uploadId });
    return undefined;
  }
  const held = await findParts(target, { key, uploadId }, options.signal);
  return held && { uploadId, held };
}

async function begin(target: S3Target, { key, source, options }: S3Put): Promise<Begun> {
  const { signal } = options;
  const operation = `begin multipart upload of ${key}`;
  // Complete would refuse as well, but only after all bytes were sent.
  if ((await headObject(target, key, signal)) !== undefined) {
    throw new AppError({ kind: "already-exists", message: `put ${key}: the object exists` });
  }
  await faultPoint("multipart.before-begin");
  const { UploadId: uploadId } = await target.call({ operation, signal, creates: true }, (call) =>
    target.clients.upload.send(
      new CreateMultipartUploadCommand({
        Bucket: target.bucket,
        Key: key,
        ContentType: source.contentType,
        Metadata: { ...source.metadata, sha256: source.sha256 },
      }),
      { abortSignal: call.signal },
    ),
  );
  if (uploadId === undefined) throw noSuchAnswer(target.contextOf(operation), "upload id");
  await faultPoint("multipart.after-begin");
  await options.onUploadId?.(uploadTokenOf(uploadId, source.sha256));
  await faultPoint("multipart.after-id");
  return { uploadId, held: new Map() };
}

/** Two workers take the next part each; the first failure stops both. */
async function sendParts(target: S3Target, upload: Upload): Promise<readonly SentPart[]> {
  const count = Math.ceil(upload.source.bytes / upload.partBytes);
  const sent: SentPart[] = [];
  const failures: unknown[] = [];
  const stop = new AbortController();
  const stopAll = (): void => stop.abort();
  upload.options.signal.addEventListener("abort", stopAll, { once: true });
  let next = 1;
  const work = async (): Promise<void> => {
    while (next <= count && !stop.signal.aborted) sent.push(await sendPart(target, upload, [next++, stop.signal]));
  };
  try {
    if (upload.options.signal.aborted) stopAll();
    const workers = Array.from({ length: PARTS_IN_FLIGHT }, () =>
      work().catch((error: unknown) => {
        failures.push(error);
        stopAll();
      }),
    );
    await Promise.all(workers);
  } finally {
    upload.options.signal.removeEventListener("abort", stopAll);
  }
  if (failures.length > 0) throw failures[0];
  if (stop.signal.aborted) throw new AppError({ kind: "cancelled", message: `put ${upload.key}: cancelled` });
  return sent.sort((left, right) => left.number - right.number);
}

async function sendPart(
  target: S3Target,
  upload: Upload,
  [number, signal]: readonly [number, AbortSignal],
): Promise<SentPart> {
  const { key, opened, source, partBytes, uploadId } = upload;
  const start = (number - 1) * partBytes;
  const bytes = Math.min(partBytes, source.bytes - start);
  const md5 = await md5Of(opened, start, bytes);
  if (upload.held.get(number) === md5.toString("hex")) return { number, md5, etag: md5.toString("hex") };
  const operation = `put part ${String(number)} of ${key}`;
  await faultPoint("multipart.before-part");
  const output = await target.call({ operation, signal, bytes, creates: true }, async (call) => {
    const onBytes = call.holding(upload.options.onBytes);
    const body = opened.stream({ start, bytes, ...(onBytes && { onBytes }) });
    body.once("error", call.fail);
    try {
      const command = new UploadPartCommand({
        Bucket: target.bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: number,
        Body: body,
        ContentLength: bytes,
        ContentMD5: md5.toString("base64"),
      });
      return await target.clients.upload.send(command, { abortSignal: call.signal });
    } finally {
      body.destroy();
    }
  });
  await faultPoint("multipart.after-part");
  if (output.ETag === undefined) throw noSuchAnswer(target.contextOf(operation), "ETag");
  return { number, md5, etag: output.ETag };
}

/** Read twice rather than kept: memory stays flat however many uploads run. */
async function md5Of(opened: OpenSource, start: number, bytes: number): Promise<Buffer> {
  const md5 = createHash("md5");
  for await (const chunk of opened.stream({ start, bytes }) as AsyncIterable<Buffer>) md5.update(chunk);
  return md5.digest();
}

async function complete(target: S3Target, upload: Upload, parts: readonly SentPart[]): Promise<void> {
  const { key, uploadId, source } = upload;
  const { signal } = upload.options;
  const operation = `complete multipart upload of ${key}`;
  const list: CompletedPart[] = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
  await faultPoint("multipart.before-complete");
  const output = await target.call({ operation, signal, bytes: source.bytes, creates: true }, (call) =>
    target.clients.upload.send(
      new CompleteMultipartUploadCommand({
        Bucket: target.bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts: list },
        IfNoneMatch: "*",
      }),
      { abortSignal: call.signal },
    ),
  );
  await faultPoint("multipart.after-complete");
  const etag = output.ETag?.replaceAll('"', "");
  if (etag === undefined) throw noSuchAnswer(target.contextOf(operation), "ETag");
  await assertWhole(target, upload, { etag, expected: expectedEtag(parts) });
}

/** The ETag that S3 and R2 give to an object made of these parts. */
function expectedEtag(parts: readonly SentPart[]): string {
  const md5 = createHash("md5");
  for (const part of parts) md5.update(part.md5);
  return `${md5.digest("hex")}-${String(parts.length)}`;
}

/** Some stores have ETags of their own kind; one of the known form that differs proves other bytes. */
async function assertWhole(
  target: S3Target,
  { key, options }: Upload,
  { etag, expected }: { readonly etag: string; readonly expected: string },
): Promise<void> {
  if (etag === expected || !/^[0-9a-f]{32}-\d+$/.test(etag)) return;
  // It carries our SHA-256 since its creation and would pass for whole: away with it. It is ours alone, because
  // Complete creates and never overwrites, and the file is still here.
  await target.call({ operation: `delete broken ${key}`, signal: options.signal }, (call) =>
    target.clients.control.send(new DeleteObjectCommand({ Bucket: target.bucket, Key: key }), {
      abortSignal: call.signal,
    }),
  );
  throw new AppError({
    kind: "data-loss",
    message: `put ${key}: the store assembled other bytes, etag ${etag}, expected ${expected}`,
    hint: "the object was deleted, the local file is kept; check the store",
  });
}
