/** A test bench for the S3 store: a real S3 server behind the R2 proxy, and stores with short and with long timeouts. */
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

import type { ObjectStore } from "../../src/archive/object-store.js";
import { createS3Store } from "../../src/archive/s3-store.js";
import type { S3StoreOptions } from "../../src/archive/s3-target.js";
import { systemClock } from "../../src/platform/clock.js";
import { type R2Proxy, startR2Proxy } from "./r2-proxy.js";
import { createTempDir, removeTempDir } from "./temp-dir.js";
import { type S3Server, startS3Server } from "./versitygw.js";

export const PART_BYTES = 5 * 1_048_576;
/** Short enough to wait for. */
export const TIMEOUTS = { connectMs: 1_000, idleMs: 1_500, requestMs: 4_000 } as const;
/** For what does not hang: however long a busy machine stands still. */
const PATIENT_TIMEOUTS = { connectMs: 60_000, idleMs: 60_000, requestMs: 60_000 } as const;

export interface S3Bench {
  readonly server: S3Server;
  readonly proxy: R2Proxy;
  /** Where sources are written. */
  readonly sourceDir: string;
  /** The caller closes it. Whoever waits for a store that hangs gives it `TIMEOUTS`. */
  openStore(overrides?: Partial<S3StoreOptions>): ObjectStore;
  /** A client with the SDK's own settings. */
  openRawClient(overrides?: S3ClientConfig): S3Client;
  close(): Promise<void>;
}

/** Without the one-write-per-second rule, unless a test asks for it. */
export async function startS3Bench(options: { readonly writeIntervalMs?: number } = {}): Promise<S3Bench> {
  const sourceDir = await createTempDir();
  const directory = path.join(sourceDir, "buckets");
  await mkdir(directory);
  const server = await startS3Server({ directory });
  const proxy = await startR2Proxy({ server, writeIntervalMs: options.writeIntervalMs ?? 0 });
  const { bucket, accessKeyId, secretAccessKey } = server;
  const shared = { endpoint: proxy.endpoint, region: "us-east-1" };
  return {
    server,
    proxy,
    sourceDir,
    openStore: (overrides = {}) =>
      createS3Store({
        ...shared,
        bucket,
        prefix: "t",
        credentials: () => ({ accessKeyId, secretAccessKey }),
        clock: systemClock,
        timeouts: PATIENT_TIMEOUTS,
        multipartThresholdBytes: 6 * 1_048_576,
        partBytes: PART_BYTES,
        ...overrides,
      }),
    openRawClient: (overrides = {}) =>
      new S3Client({
        ...shared,
        forcePathStyle: true,
        maxAttempts: 1,
        credentials: { accessKeyId, secretAccessKey },
        ...overrides,
      }),
    close: async () => {
      await proxy.stop();
      await server.stop();
      await removeTempDir(sourceDir);
    },
  };
}
