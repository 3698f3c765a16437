/** The implementations that pass the object store contract, each with a bucket of its own. */
import { mkdir, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { createFolderStore } from "../../src/archive/folder-store.js";
import type { ObjectStore } from "../../src/archive/object-store.js";
import { createS3Store } from "../../src/archive/s3-store.js";
import { systemClock } from "../../src/platform/clock.js";
import { type R2Proxy, startR2Proxy } from "../support/r2-proxy.js";
import { createTempDir, removeTempDir } from "../support/temp-dir.js";
import { type S3Server, startS3Server } from "../support/versitygw.js";

export interface Subject {
  readonly store: ObjectStore;
  /** Where sources are written. */
  readonly sourceDir: string;
  /** Takes the whole bucket away; the next subject has another. */
  loseBucket(): Promise<void>;
  close(): Promise<void>;
}

export const SUBJECTS: readonly (readonly [string, () => Promise<Subject>])[] = [
  ["a folder on the same file system", () => openFolder(os.tmpdir())],
  ["a folder on another file system", () => openFolder("/dev/shm")],
  ["an S3 server", () => openS3(false)],
  ["an S3 server with the rules of R2", () => openS3(true)],
];

async function openFolder(bucketParent: string): Promise<Subject> {
  const sourceDir = await createTempDir();
  const dir = path.join(bucketParent, path.basename(sourceDir), "bucket");
  await mkdir(dir, { recursive: true });
  const isOtherDevice = (await stat(dir)).dev !== (await stat(sourceDir)).dev;
  if (isOtherDevice !== (bucketParent !== os.tmpdir())) throw new Error(`${bucketParent} is the wrong file system`);
  return {
    store: createFolderStore({ dir, clock: systemClock }),
    sourceDir,
    loseBucket: () => rm(dir, { recursive: true }),
    close: async () => {
      await removeTempDir(path.dirname(dir));
      await removeTempDir(sourceDir);
    },
  };
}

async function openS3(withRulesOfR2: boolean): Promise<Subject> {
  const sourceDir = await createTempDir();
  const directory = path.join(sourceDir, "buckets");
  await mkdir(directory);
  let server: S3Server | undefined;
  let proxy: R2Proxy | undefined;
  try {
    server = await startS3Server({ directory });
    if (withRulesOfR2) proxy = await startR2Proxy({ server });
    return subjectOf({ server, proxy, sourceDir });
  } catch (error) {
    await proxy?.stop();
    await server?.stop();
    await removeTempDir(sourceDir);
    throw error;
  }
}

interface S3Parts {
  readonly server: S3Server;
  readonly proxy: R2Proxy | undefined;
  readonly sourceDir: string;
}

function subjectOf({ server, proxy, sourceDir }: S3Parts): Subject {
  const { bucket, accessKeyId, secretAccessKey } = server;
  const store = createS3Store({
    endpoint: proxy?.endpoint ?? server.endpoint,
    bucket,
    region: "us-east-1",
    prefix: "t",
    credentials: () => ({ accessKeyId, secretAccessKey }),
    clock: systemClock,
    // So that the suite's larger files go up in parts.
    multipartThresholdBytes: 6 * 1_048_576,
    partBytes: 5 * 1_048_576,
  });
  return {
    store,
    sourceDir,
    loseBucket: () => rm(server.bucketDir, { recursive: true }),
    close: async () => {
      store.close();
      await proxy?.stop();
      await server.stop();
      await removeTempDir(sourceDir);
    },
  };
}
