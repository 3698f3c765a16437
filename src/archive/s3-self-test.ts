/**
 * Proves at start what the archive relies on: that we can write, read, list and delete below our prefix, that what was
 * written comes back, and that the store refuses to overwrite. A store that ignores If-None-Match is not used.
 */
import { createHash, randomUUID } from "node:crypto";

import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";

import { AppError, isAppError } from "../core/errors.js";
import { statusOf } from "./s3-errors.js";
import { listObjects } from "./s3-read.js";
import type { S3Target } from "./s3-target.js";

/** R2 takes one write per second and key. */
const SAME_KEY_PAUSE_MS = 1_100;
const TRIES = 4;

export async function testBucket(target: S3Target, signal: AbortSignal): Promise<void> {
  const key = `${target.prefix === "" ? "" : `${target.prefix}/`}self-test-${randomUUID()}`;
  const probe: Probe = { key, text: `reelkeeper ${key}`, signal };
  await retried(target, signal, () => putText(target, probe));
  try {
    await assertRefusesOverwrite(target, probe);
    await assertReadsBack(target, probe);
    const listed = await listObjects(target, key, signal)[Symbol.asyncIterator]().next();
    if (listed.done === true) throw mismatch(target, "an object that was just written is not listed");
  } catch (error) {
    // The first failure is the one to tell.
    await retried(target, signal, () => deleteKey(target, key, signal)).catch(() => undefined);
    throw error;
  }
  await retried(target, signal, () => deleteKey(target, key, signal));
}

interface Probe {
  readonly key: string;
  readonly text: string;
  readonly signal: AbortSignal;
}

async function putText(target: S3Target, { key, text, signal }: Probe): Promise<void> {
  await target.call({ operation: `self-test: write ${key}`, signal, creates: true }, async (call) => {
    await target.clients.upload.send(
      new PutObjectCommand({
        Bucket: target.bucket,
        Key: key,
        Body: Buffer.from(text),
        ContentMD5: createHash("md5").update(text).digest("base64"),
        IfNoneMatch: "*",
      }),
      { abortSignal: call.signal },
    );
  });
}

async function assertRefusesOverwrite(target: S3Target, probe: Probe): Promise<void> {
  try {
    await retried(target, probe.signal, () => putText(target, probe));
  } catch (error) {
    if (isAppError(error, "already-exists")) return;
    throw error;
  }
  throw mismatch(target, "it overwrites an existing object in spite of If-None-Match: *");
}

async function assertReadsBack(target: S3Target, { key, text, signal }: Probe): Promise<void> {
  const found = await target.call({ operation: `self-test: read ${key}`, signal }, async (call) => {
    const command = new GetObjectCommand({ Bucket: target.bucket, Key: key });
    const output = await target.clients.read.send(command, { abortSignal: call.signal });
    return output.Body?.transformToString();
  });
  if (found !== text) throw mismatch(target, "it returns other bytes than were written");
}

async function deleteKey(target: S3Target, key: string, signal: AbortSignal): Promise<void> {
  await target.call({ operation: `self-test: delete ${key}`, signal }, async (call) => {
    const command = new DeleteObjectCommand({ Bucket: target.bucket, Key: key });
    await target.clients.control.send(command, { abortSignal: call.signal });
  });
}

async function retried(target: S3Target, signal: AbortSignal, request: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await request();
      return;
    } catch (error) {
      const isTooSoon = isAppError(error, "unavailable") && statusOf(error.cause) === 429;
      if (!isTooSoon || attempt === TRIES) throw error;
      await target.clock.sleep(error.retryAfterMs ?? SAME_KEY_PAUSE_MS, signal);
    }
  }
}

function mismatch(target: S3Target, what: string): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: `self-test of bucket ${target.bucket} at ${target.endpoint}: ${what}`,
    hint: "use another S3 service; this one cannot keep an archive safely",
  });
}
