/**
 * An object store on R2 or any S3. One try per call: a `put` resolves when the store said 2xx, else it throws, and
 * whether the object is there is then decided by `head`. Objects are created with If-None-Match, never overwritten.
 */
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

import { assertMetadata, assertObjectKey, type ObjectStore } from "./object-store.js";
import { faultPoint } from "../platform/fault-point.js";
import { openSource } from "./read-source.js";
import { noSuchAnswer, statusOf } from "./s3-errors.js";
import { putMultipart } from "./s3-multipart.js";
import { assertBucketExists, getObject, headObject, listObjects } from "./s3-read.js";
import { testBucket } from "./s3-self-test.js";
import { createTarget, type S3Put, type S3StoreOptions, type S3Target } from "./s3-target.js";
import { abortStaleUploads } from "./s3-uploads.js";

const MULTIPART_THRESHOLD_BYTES = 100 * 1_048_576;

export function createS3Store(options: S3StoreOptions): ObjectStore {
  const target = createTarget(options);
  const thresholdBytes = options.multipartThresholdBytes ?? MULTIPART_THRESHOLD_BYTES;
  return {
    kind: "r2",
    description: `${options.endpoint}/${options.bucket}`,
    selfTest: (signal) => testBucket(target, signal),
    put: async (key, source, putOptions) => {
      assertObjectKey(key);
      assertMetadata(source.metadata);
      const put = { key, source, options: putOptions };
      await (source.bytes > thresholdBytes ? putMultipart(target, put) : putSingle(target, put));
    },
    head: (key, signal) => headObject(target, key, signal),
    get: (key, getOptions) => getObject(target, key, getOptions),
    presignGet: (key, presignOptions) => presignGet(target, key, presignOptions),
    delete: (key, signal) => deleteObject(target, key, signal),
    list: (prefix, signal) => listObjects(target, prefix, signal),
    abortStaleUploads: (olderThanMs, signal) => abortStaleUploads(target, olderThanMs, signal),
    close: () => target.clients.close(),
  };
}

async function putSingle(target: S3Target, { key, source, options }: S3Put): Promise<void> {
  const opened = await openSource(source);
  try {
    await faultPoint("s3.before-put");
    const what = { operation: `put ${key}`, signal: options.signal, bytes: source.bytes, creates: true };
    await target
      .call(what, async (call) => {
        const onBytes = call.holding(options.onBytes);
        const body = opened.stream({ start: 0, bytes: source.bytes, ...(onBytes && { onBytes }) });
        // The SDK pipes the body: without this a read error would leave the request hanging (F10).
        body.once("error", call.fail);
        try {
          const output = await target.clients.upload.send(
            new PutObjectCommand({
              Bucket: target.bucket,
              Key: key,
              Body: body,
              ContentLength: source.bytes,
              ContentMD5: Buffer.from(source.md5, "hex").toString("base64"),
              ContentType: source.contentType,
              Metadata: { ...source.metadata, sha256: source.sha256 },
              IfNoneMatch: "*",
            }),
            { abortSignal: call.signal },
          );
          if (output.ETag === undefined) throw noSuchAnswer(target.contextOf(what.operation), "ETag");
        } finally {
          body.destroy();
        }
      })
      .catch(async (error: unknown) => {
        // A file that changed under way is the better reason than the digest error that it caused.
        await opened.assertUnchanged();
        throw error;
      });
    await faultPoint("s3.after-put");
    await opened.assertUnchanged();
  } finally {
    await opened.close();
  }
}

async function deleteObject(target: S3Target, key: string, signal: AbortSignal): Promise<void> {
  assertObjectKey(key);
  const operation = `delete ${key}`;
  await faultPoint("s3.before-delete");
  const isAbsent = await target.call({ operation, signal }, async (call) => {
    try {
      const command = new DeleteObjectCommand({ Bucket: target.bucket, Key: key });
      await target.clients.control.send(command, { abortSignal: call.signal });
      return false;
    } catch (error) {
      if (!call.signal.aborted && statusOf(error) === 404) return true;
      throw error;
    }
  });
  await faultPoint("s3.after-delete");
  if (isAbsent) await assertBucketExists(target, operation, signal);
}

/** R2 and S3 refuse what is signed for longer. */
const LONGEST_SIGNED_SEC = 7 * 86_400;

/** No network: only the credentials are read. A Range header is not part of what is signed, so any range may be asked for. */
function presignGet(
  { bucket, clients }: S3Target,
  key: string,
  { expiresSec, contentType }: { readonly expiresSec: number; readonly contentType: string },
): Promise<string> {
  assertObjectKey(key);
  const command = new GetObjectCommand({ Bucket: bucket, Key: key, ResponseContentType: contentType });
  const expiresIn = Math.min(Math.max(1, Math.floor(expiresSec)), LONGEST_SIGNED_SEC);
  return getSignedUrl(clients.read, command, { expiresIn });
}
