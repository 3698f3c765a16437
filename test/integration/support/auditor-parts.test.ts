/** What the auditor reads of the real parts: MediaMTX's log, and metadata in the files of versitygw. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { createS3Store } from "../../../src/archive/s3-store.js";
import { systemClock } from "../../../src/platform/clock.js";
import { readBucket } from "../../support/audit/bucket.js";
import { readMtxi } from "../../support/audit/mtxi.js";
import { startCamera } from "../../support/camera.js";
import { createdFilesIn } from "../../support/created-files.js";
import { freeMediaMtxPorts, quietMediaMtxConfig, startMediaMtx } from "../../support/mediamtx-server.js";
import { createSource } from "../../support/put-source.js";
import { tempDir } from "../../support/temp-dir.js";
import { startS3Server } from "../../support/versitygw.js";
import { waitFor } from "../../support/wait-for.js";

it.each(["1.21.0", "1.19.3"] as const)("MediaMTX %s names every file in its log, numbered from 0", async (version) => {
  const directory = await tempDir();
  const recordings = path.join(directory, "recordings");
  const more = [
    "pathDefaults:",
    "  record: true",
    `  recordPath: ${recordings}/%path/%s-%f`,
    "  recordSegmentDuration: 1s",
    "paths: { cam1: {}, site/ts: { recordFormat: mpegts } }",
  ].join("\n");
  const config = quietMediaMtxConfig(version, await freeMediaMtxPorts(), more).replace(
    "logLevel: info",
    "logLevel: debug",
  );
  const server = await startMediaMtx({ version, directory, config });
  onTestFinished(() => server.kill());
  for (const name of ["cam1", "site/ts"]) {
    const camera = await startCamera({ url: server.rtspUrl(name), size: "160x120" });
    onTestFinished(() => camera.stop());
  }
  const files = () => readdir(recordings, { recursive: true, withFileTypes: true });
  await waitFor("three segments of each", async () => {
    const names = (await files()).map(({ name }) => name);
    return [".mp4", ".ts"].every((ending) => names.filter((name) => name.endsWith(ending)).length >= 3);
  });
  await server.stop();
  const onDisk = (await files())
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
  expect(createdFilesIn(server.child.output()).sort()).toEqual(onDisk.sort());
  const numbers = await Promise.all(onDisk.filter((file) => file.endsWith(".mp4")).map(readMtxi));
  expect(numbers.map((found) => found?.number)).toEqual(numbers.map((_, index) => index));
  expect(new Set(numbers.map((found) => found?.streamId)).size).toBe(1);
});

it("reads what an S3 client wrote beside an object, and the bytes as the disk has them now", async () => {
  const directory = await tempDir();
  const server = await startS3Server({ directory });
  onTestFinished(() => server.stop());
  const { endpoint, bucket, accessKeyId, secretAccessKey } = server;
  const store = createS3Store({
    ...{ endpoint, bucket, region: "us-east-1", prefix: "rec", clock: systemClock },
    credentials: () => ({ accessKeyId, secretAccessKey }),
  });
  const source = await createSource(await tempDir(), 300_000);
  const key = "rec/cam1/a.mp4";
  await store.put(key, source, { signal: AbortSignal.timeout(20_000) });
  const location = { kind: "versitygw", dir: server.bucketDir } as const;
  const { bytes, md5, sha256 } = source;
  const file = path.join(server.bucketDir, key);
  expect(await readBucket(location, "rec")).toEqual(
    new Map([[key, { file, bytes, md5, sha256, vouchedSha256: sha256 }]]),
  );
  const content = await readFile(file);
  content.writeUInt8(content.readUInt8(7) ^ 1, 7);
  await writeFile(file, content);
  const corrupted = (await readBucket(location, "rec")).get(key);
  expect(corrupted?.vouchedSha256).toBe(sha256);
  expect(corrupted?.sha256).not.toBe(sha256);
});
