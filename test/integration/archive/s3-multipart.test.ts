/** Large files: parts, their resumption after a crash, and what is left behind. */
import { randomUUID } from "node:crypto";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import type { ObjectStore, PutOptions, PutSource } from "../../../src/archive/object-store.js";
import { systemClock } from "../../../src/platform/clock.js";
import { createSource } from "../../support/put-source.js";
import type { RecordedRequest } from "../../support/r2-exchange.js";
import { PART_BYTES, type S3Bench, startS3Bench, TIMEOUTS } from "../../support/s3-bench.js";
import { waitFor } from "../../support/wait-for.js";

/** Four parts, the last one short. */
const BYTES = 3 * PART_BYTES + 1_000;
const never = new AbortController().signal;

let bench: S3Bench;
let raw: S3Client;
let store: ObjectStore;
let key: string;
beforeAll(async () => {
  bench = await startS3Bench();
  raw = bench.openRawClient({ requestChecksumCalculation: "WHEN_REQUIRED" });
});
afterAll(async () => {
  raw.destroy();
  await bench.close();
});
beforeEach(() => {
  store = bench.openStore();
  key = `t/${randomUUID()}.mp4`;
});
afterEach(() => {
  store.close();
  bench.proxy.reset();
});

const put = (source: PutSource, options: Partial<PutOptions> = {}): Promise<void> =>
  store.put(key, source, { signal: never, ...options });
const read = async (): Promise<Buffer> => Buffer.concat(await (await store.get(key, { signal: never })).toArray());
const partsSent = (wanted: (request: RecordedRequest) => boolean = () => true): number[] =>
  bench.proxy.requests.flatMap((request) => {
    const match = /partNumber=(\d+)/.exec(request.url);
    return request.method === "PUT" && match && wanted(request) ? [Number(match[1])] : [];
  });
const openUploads = async (): Promise<number> => {
  const page = await raw.send(new ListMultipartUploadsCommand({ Bucket: bench.server.bucket, Prefix: key }));
  return page.Uploads?.length ?? 0;
};
/** A put that stops before the third part, as by a crash; what a recording would remember of it. */
const interrupted = async (source: PutSource): Promise<{ uploadId: string; held: number[] }> => {
  bench.proxy.inject({ fault: { kind: "status", status: 500 }, method: "PUT", url: /partNumber=[34]/ });
  let uploadId: string | undefined;
  const onUploadId = (id: string): Promise<void> => {
    expect(partsSent()).toEqual([]);
    uploadId = id;
    return Promise.resolve();
  };
  await expect(put(source, { onUploadId })).rejects.toMatchObject({ kind: "unavailable" });
  // What was on its way may be held as well, and come a little later.
  let held = await heldParts(uploadId ?? "");
  const isSame = async (): Promise<boolean> => {
    const before = held.join();
    held = await heldParts(uploadId ?? "");
    return held.join() === before;
  };
  await waitFor("the parts to stay as they are", async () => (await sleep(200), isSame()));
  bench.proxy.reset();
  return { uploadId: uploadId ?? "", held };
};
/** As the store says; a recording remembers the store's own id behind a dot. */
const heldParts = async (uploadId: string): Promise<number[]> => {
  const UploadId = uploadId.slice(uploadId.indexOf(".") + 1);
  const { Parts = [] } = await raw.send(new ListPartsCommand({ Bucket: bench.server.bucket, Key: key, UploadId }));
  return Parts.map(({ PartNumber }) => PartNumber ?? 0);
};

describe("resuming", () => {
  it("F30 sends only the parts that the store does not hold", async () => {
    const source = await createSource(bench.sourceDir, BYTES);
    const { uploadId, held } = await interrupted(source);
    expect(held.length).toBeGreaterThan(0);
    await put(source, { uploadId });
    expect(partsSent().sort()).toEqual([1, 2, 3, 4].filter((number) => !held.includes(number)));
    expect((await read()).equals(source.content)).toBe(true);
    expect(await store.head(key, never)).toMatchObject({ bytes: BYTES, md5: null, sha256: source.sha256 });
    expect(await openUploads()).toBe(0);
  });

  it("F30 a crash after Complete is answered with already-exists, without sending the bytes again", async () => {
    const source = await createSource(bench.sourceDir, BYTES);
    bench.proxy.inject({ fault: { kind: "reset-after-body" }, method: "POST", url: /uploadId=/ });
    let uploadId = "";
    const onUploadId = (id: string): Promise<void> => {
      uploadId = id;
      return Promise.resolve();
    };
    await expect(put(source, { onUploadId })).rejects.toMatchObject({ kind: "unavailable" });
    bench.proxy.reset();
    await expect(put(source, { uploadId })).rejects.toMatchObject({ kind: "already-exists" });
    expect(partsSent()).toEqual([]);
    expect(await store.head(key, never)).toMatchObject({ sha256: source.sha256 });
  });

  it("aborts an upload that was begun for other bytes, and starts anew", async () => {
    const { uploadId } = await interrupted(await createSource(bench.sourceDir, BYTES));
    const source = await createSource(bench.sourceDir, BYTES);
    await put(source, { uploadId });
    // A part of the first may still have been under way.
    expect(partsSent(({ url }) => !url.includes(uploadId)).sort()).toEqual([1, 2, 3, 4]);
    expect(await store.head(key, never)).toMatchObject({ sha256: source.sha256 });
    expect(await openUploads()).toBe(0);
  });

  it("starts anew when the store no longer knows the upload", async () => {
    const source = await createSource(bench.sourceDir, BYTES);
    const { uploadId } = await interrupted(source);
    expect(await store.abortStaleUploads(-60_000, never)).toBeGreaterThan(0);
    await put(source, { uploadId });
    expect((await read()).equals(source.content)).toBe(true);
  });
});

describe("the end of an upload", () => {
  it("sends at most two parts at a time", async () => {
    bench.proxy.inject({ fault: { kind: "hang-after-body" }, method: "PUT", url: /partNumber=/ });
    store.close();
    store = bench.openStore({ timeouts: TIMEOUTS });
    await expect(put(await createSource(bench.sourceDir, BYTES))).rejects.toMatchObject({ kind: "unavailable" });
    expect(partsSent().sort()).toEqual([1, 2]);
  });

  it("leaves no upload behind when the file was truncated (F10)", async () => {
    const source = await createSource(bench.sourceDir, BYTES);
    const onBytes = (): Promise<void> => truncate(source.filePath, 10);
    await expect(put(source, { onBytes })).rejects.toMatchObject({ kind: "failed-precondition" });
    expect(await openUploads()).toBe(0);
  });

  it("never overwrites an object that appeared meanwhile, and leaves no upload behind (F27)", async () => {
    let theirs: Promise<unknown> | undefined;
    const write = () =>
      raw.send(new PutObjectCommand({ Bucket: bench.server.bucket, Key: key, Body: Buffer.from("x") }));
    const onBytes = async (): Promise<void> => {
      await (theirs ??= write());
    };
    const source = await createSource(bench.sourceDir, BYTES);
    await expect(put(source, { onBytes })).rejects.toMatchObject({ kind: "already-exists" });
    expect(String(await read())).toBe("x");
    expect(await openUploads()).toBe(0);
  });

  it("keeps the upload for the next try when it is cancelled", async () => {
    const controller = new AbortController();
    const source = await createSource(bench.sourceDir, BYTES);
    const onBytes = (): void => controller.abort();
    await expect(put(source, { signal: controller.signal, onBytes })).rejects.toMatchObject({ kind: "cancelled" });
    expect(await openUploads()).toBe(1);
  });

  it("F24 takes away what the store put together wrongly", async () => {
    const rewrite = { kind: "rewrite", find: /[0-9a-f]{32}-4/, replace: `${"0".repeat(32)}-4` } as const;
    bench.proxy.inject({ fault: rewrite, method: "POST", url: /uploadId=/ });
    const source = await createSource(bench.sourceDir, BYTES);
    await expect(put(source)).rejects.toMatchObject({ kind: "data-loss" });
    bench.proxy.reset();
    expect(await store.head(key, never)).toBeUndefined();
  });

  it("aborts old uploads below our prefix only", async () => {
    const begin = (name: string) =>
      raw.send(new CreateMultipartUploadCommand({ Bucket: bench.server.bucket, Key: name }));
    const others = `other/${randomUUID()}`;
    await begin(key);
    await begin(others);
    await store.abortStaleUploads(60_000, never);
    expect(await openUploads()).toBe(1);
    const inADay = { ...systemClock, nowUs: () => systemClock.nowUs() + 86_400_000_000 };
    const later = bench.openStore({ clock: inADay });
    onTestFinished(() => later.close());
    await later.abortStaleUploads(3_600_000, never);
    expect(await openUploads()).toBe(0);
    key = others;
    expect(await openUploads()).toBe(1);
  });
});

it("lists more keys than fit into one answer", async () => {
  const folder = `t/${randomUUID()}`;
  const directory = path.join(bench.server.bucketDir, folder);
  await mkdir(directory, { recursive: true });
  const names = Array.from({ length: 2_100 }, (_, index) => `${String(index).padStart(4, "0")}.mp4`);
  for (const name of names) await writeFile(path.join(directory, name), "");
  const keys: string[] = [];
  for await (const object of store.list(`${folder}/`, never)) keys.push(object.key);
  expect(keys).toEqual(names.map((name) => `${folder}/${name}`));
});
