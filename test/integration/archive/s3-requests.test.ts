/** What the S3 store sends: only what R2 takes. And that the proxy, which stands for R2, refuses the rest. */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import http from "node:http";

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from "vitest";

import { createSource } from "../../support/put-source.js";
import { PART_BYTES, type S3Bench, startS3Bench } from "../../support/s3-bench.js";

const never = new AbortController().signal;

let bench: S3Bench;
let Bucket: string;
let Key: string;
beforeAll(async () => {
  bench = await startS3Bench();
  Bucket = bench.server.bucket;
});
afterAll(() => bench.close());
beforeEach(() => {
  bench.proxy.reset();
  Key = `t/${randomUUID()}`;
});

const openStore = () => {
  const store = bench.openStore();
  onTestFinished(() => store.close());
  return store;
};
const openRawClient = (...settings: Parameters<S3Bench["openRawClient"]>) => {
  const raw = bench.openRawClient(...settings);
  onTestFinished(() => raw.destroy());
  return raw;
};

it.each([0, 1_000, 3 * PART_BYTES])("F31 sends %i bytes with length and MD5, unchunked, untagged", async (bytes) => {
  const source = await createSource(bench.sourceDir, bytes);
  await openStore().put(Key, source, { signal: never });
  const puts = bench.proxy.requests.filter(({ method }) => method === "PUT");
  expect(puts.length).toBe(Math.max(1, bytes / PART_BYTES));
  for (const { headers, bytes: sent } of puts) {
    expect(Number(headers["content-length"])).toBe(sent);
    expect(headers["content-md5"]).toMatch(/^[0-9a-zA-Z+/]{22}==$/);
    for (const name of ["content-encoding", "transfer-encoding", "x-amz-tagging", "x-amz-trailer", "expect"]) {
      expect(headers).not.toHaveProperty(name);
    }
    expect(headers["x-amz-content-sha256"]).not.toMatch(/STREAMING/);
    expect(Object.keys(headers).filter((name) => name.includes("checksum"))).toEqual([]);
  }
  const created = bench.proxy.requests.find(({ headers }) => "x-amz-meta-sha256" in headers);
  expect(created?.headers).toMatchObject({ "x-amz-meta-sha256": source.sha256, "content-type": "video/mp4" });
  const final = bench.proxy.requests.filter(({ headers }) => headers["if-none-match"] === "*");
  expect(final).toHaveLength(1);
  expect(puts.reduce((sum, { bytes: sent }) => sum + sent, 0)).toBe(bytes);
});

it("F31 R2 refuses a chunked body, a tag, and a body without length", async () => {
  const source = await createSource(bench.sourceDir);
  const chunked = new PutObjectCommand({ Bucket, Key, Body: createReadStream(source.filePath) });
  await expect(openRawClient().send(chunked)).rejects.toMatchObject({ name: "NotImplemented" });
  const tagged = new PutObjectCommand({ Bucket, Key, Body: source.content, Tagging: "a=b" });
  await expect(openRawClient().send(tagged)).rejects.toMatchObject({ name: "NotImplemented" });
  const status = await new Promise((resolve, reject) => {
    const request = http.request(`${bench.proxy.endpoint}/${Bucket}/${Key}`, { method: "PUT" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once("error", reject);
    request.write("no");
    request.end(" length");
  });
  expect(status).toBe(411);
  expect(await openStore().head(Key, never)).toBeUndefined();
});

it("F31 R2 refuses unequal parts at Complete", async () => {
  const raw = openRawClient({ requestChecksumCalculation: "WHEN_REQUIRED" });
  const { UploadId } = await raw.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  for (const [index, bytes] of [PART_BYTES, PART_BYTES + 1, 10].entries()) {
    const part = { Bucket, Key, UploadId, PartNumber: index + 1, Body: Buffer.alloc(bytes) };
    Parts.push({ PartNumber: index + 1, ETag: (await raw.send(new UploadPartCommand(part))).ETag });
  }
  const complete = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } });
  await expect(raw.send(complete)).rejects.toMatchObject({ name: "InvalidPart" });
});

it("F32 names that R2 would take for one are refused, and two as escaped text", async () => {
  const raw = openRawClient({ requestChecksumCalculation: "WHEN_REQUIRED" });
  const [composed, decomposed] = ["caf\u00e9", "cafe\u0301"];
  const putRaw = (name: string) =>
    raw.send(new PutObjectCommand({ Bucket, Key: `${Key}/${name}`, Body: Buffer.from(name), IfNoneMatch: "*" }));
  await putRaw(decomposed);
  await expect(putRaw(composed)).rejects.toMatchObject({ name: "PreconditionFailed" });

  const store = openStore();
  const source = await createSource(bench.sourceDir);
  for (const name of [composed, decomposed]) {
    const refused = store.put(`${Key}/${name}`, source, { signal: never });
    await expect(refused).rejects.toMatchObject({ kind: "invalid-argument" });
    await store.put(`${Key}/${encodeURIComponent(name)}`, source, { signal: never });
  }
  const keys: string[] = [];
  for await (const { key } of store.list(`${Key}/caf`, never)) keys.push(key);
  expect(keys).toEqual(expect.arrayContaining([`${Key}/cafe%CC%81`, `${Key}/caf%C3%A9`]));
});
