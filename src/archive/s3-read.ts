/** What is read from a bucket: bytes, lists, and whether the bucket is there at all. */
import { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

import { GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";

import { assertObjectKey, type ObjectFacts, type ObjectRange } from "./object-store.js";
import { guardStream } from "./object-stream.js";
import { noSuchAnswer, noSuchBucket, statusOf, toStoreError } from "./s3-errors.js";
import type { S3Target } from "./s3-target.js";

/** Throws `failed-precondition` when the bucket is proven absent, and every doubt as what it is. */
export async function assertBucketExists(target: S3Target, operation: string, signal: AbortSignal): Promise<void> {
  await target.call({ operation, signal }, async (call) => {
    try {
      const command = new HeadBucketCommand({ Bucket: target.bucket });
      await target.clients.control.send(command, { abortSignal: call.signal });
    } catch (error) {
      if (!call.signal.aborted && statusOf(error) === 404) throw noSuchBucket(target.contextOf(operation), error);
      throw error;
    }
  });
}

/** A 404 to HEAD has no body that says what is absent, so the bucket is asked for as well. */
export async function headObject(target: S3Target, key: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
  assertObjectKey(key);
  const operation = `head ${key}`;
  const output = await target.call({ operation, signal }, async (call) => {
    try {
      const command = new HeadObjectCommand({ Bucket: target.bucket, Key: key });
      return await target.clients.control.send(command, { abortSignal: call.signal });
    } catch (error) {
      if (!call.signal.aborted && statusOf(error) === 404) return undefined;
      throw error;
    }
  });
  if (output === undefined) {
    await assertBucketExists(target, operation, signal);
    return undefined;
  }
  const etag = output.ETag?.replaceAll('"', "");
  if (etag === undefined || output.ContentLength === undefined) {
    throw noSuchAnswer(target.contextOf(operation), "ETag or Content-Length");
  }
  const { sha256 = null, ...metadata } = output.Metadata ?? {};
  const md5 = /^[0-9a-f]{32}$/.test(etag) ? etag : null;
  return { key, bytes: output.ContentLength, md5, sha256, etag, metadata };
}

export async function getObject(
  target: S3Target,
  key: string,
  { range, signal }: { readonly range?: ObjectRange; readonly signal: AbortSignal },
): Promise<Readable> {
  assertObjectKey(key);
  const operation = `get ${key}`;
  const context = target.contextOf(operation);
  // The deadline ends with the headers: how long the bytes take is the reader's affair, as long as they come.
  const output = await target.call({ operation, signal }, (call) =>
    target.clients.read.send(
      new GetObjectCommand({
        Bucket: target.bucket,
        Key: key,
        ...(range && { Range: `bytes=${String(range.start)}-${String(range.end)}` }),
      }),
      { abortSignal: call.signal },
    ),
  );
  const body = output.Body as Readable | undefined;
  const startsWhereAsked = range === undefined || output.ContentRange?.startsWith(`bytes ${String(range.start)}-`);
  if (body === undefined || output.ETag === undefined || startsWhereAsked !== true) {
    body?.destroy();
    throw noSuchAnswer(context, startsWhereAsked === true ? "ETag" : "Content-Range of the range asked for");
  }
  // The client's own timer would also end a stream that its reader, a viewer who pauses, does not read.
  if (body instanceof IncomingMessage) body.setTimeout(0);
  const { idleMs } = target;
  return guardStream(body, { signal, operation, translate: (error) => toStoreError(error, context), idleMs });
}

export async function* listObjects(
  target: S3Target,
  prefix: string,
  signal: AbortSignal,
): AsyncIterable<{ readonly key: string; readonly bytes: number }> {
  const operation = `list ${prefix}`;
  let continuation: string | undefined;
  do {
    const after: string | undefined = continuation;
    const page = await target.call({ operation, signal }, (call) =>
      target.clients.control.send(
        new ListObjectsV2Command({
          Bucket: target.bucket,
          Prefix: prefix,
          ...(after !== undefined && { ContinuationToken: after }),
        }),
        { abortSignal: call.signal },
      ),
    );
    // An error document with status 200 must not look like an empty bucket.
    if (page.Name === undefined) throw noSuchAnswer(target.contextOf(operation), "bucket name");
    for (const object of page.Contents ?? []) {
      if (object.Key === undefined || object.Size === undefined) {
        throw noSuchAnswer(target.contextOf(operation), "key or size of an object");
      }
      yield { key: object.Key, bytes: object.Size };
    }
    continuation = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && continuation === undefined) {
      throw noSuchAnswer(target.contextOf(operation), "continuation token");
    }
  } while (continuation !== undefined);
}
