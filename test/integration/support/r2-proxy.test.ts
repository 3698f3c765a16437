/**
 * The proxy that stands for R2, watched with plain HTTP: what it does by each rule and each fault, and that it does
 * nothing otherwise. Tests of the product say nothing if this does not hold.
 */
import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import type { Fault, FaultRule } from "../../support/r2-proxy-faults.js";
import { createFaultList, FROM_NOW_ON, r2Error } from "../../support/r2-proxy-faults.js";
import { type R2Proxy, startR2Proxy } from "../../support/r2-proxy.js";
import { type AskS3, type RawAnswer, rawS3 } from "../../support/raw-s3.js";
import { PART_BYTES, type S3Bench, startS3Bench } from "../../support/s3-bench.js";
import { waitFor } from "../../support/wait-for.js";

const CONTENT = "0123456789".repeat(20);

let bench: S3Bench;
let proxy: R2Proxy;
let ask: AskS3;
let key: string;
beforeAll(async () => {
  bench = await startS3Bench();
  ({ proxy } = bench);
  ask = rawS3(proxy.endpoint, bench.server);
});
afterAll(() => bench.close());
beforeEach(() => (key = `t/${randomUUID()}`));
afterEach(() => proxy.reset());

const put = (target = key, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  ask({ method: "PUT", target, body: CONTENT, headers });
const get = (target = key): Promise<RawAnswer> => ask({ method: "GET", target });
/** As the disk of the server has it; undefined when it has not. */
const stored = (target = key): Promise<string | undefined> =>
  readFile(path.join(bench.server.bucketDir, target), "utf8").catch(() => undefined);
const refused = (status: number, code: string, number: number) => ({
  status,
  body: expect.stringContaining(`<Code>${code}</Code><Message>${code} (${number})</Message>`) as string,
});

it("passes on what breaks no rule, in both directions", async () => {
  expect(await put(key, { "x-amz-meta-a": "b" })).toMatchObject({ status: 200, continues: 0 });
  expect(await stored()).toBe(CONTENT);
  const head = await ask({ method: "HEAD", target: key });
  expect(head).toMatchObject({ status: 200, headers: { "content-length": "200", "x-amz-meta-a": "b" } });
  expect(await get()).toMatchObject({ status: 200, body: CONTENT });
  expect((await ask({ method: "GET", target: "?list-type=2" })).body).toContain(`<Key>${key}</Key>`);
  expect(await ask({ method: "DELETE", target: key })).toMatchObject({ status: 204 });
  expect(await stored()).toBeUndefined();
  expect(await get()).toMatchObject({ status: 404, body: expect.stringContaining("NoSuchKey") as string });
  expect(proxy.requests.map(({ method, status, bytes }) => [method, status, bytes])).toEqual([
    ...[["PUT", 200, 200] as const, ["HEAD", 200, 0] as const, ["GET", 200, 0] as const],
    ...[["GET", 200, 0] as const, ["DELETE", 204, 0] as const, ["GET", 404, 0] as const],
  ]);
});

describe("a rule of R2", () => {
  it.each([
    ["an aws-chunked body", { "content-encoding": "aws-chunked" }],
    ["a streaming signature", { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" }],
    ["a streaming trailer", { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }],
    ["a tag", { "x-amz-tagging": "a=b" }],
  ])("refuses %s", async (_what, headers) => {
    expect(await put(key, headers)).toMatchObject({ status: 501 });
    expect(await stored()).toBeUndefined();
  });

  it("refuses a body without length", async () => {
    const answer = await ask({ method: "PUT", target: key, body: CONTENT, withoutLength: true });
    expect(answer).toMatchObject(refused(411, "MissingContentLength", 10033));
    expect(await stored()).toBeUndefined();
  });

  it("refuses metadata over 8192 bytes", async () => {
    const headers = (bytes: number) => ({ "x-amz-meta-a": "x".repeat(bytes - 2), "x-amz-meta-b": "" });
    expect(await put(key, headers(8_193))).toMatchObject(refused(400, "MetadataTooLarge", 10012));
    expect(await stored()).toBeUndefined();
  });

  it("refuses a key over 1024 bytes", async () => {
    const longest = `${"d".repeat(200)}/`.repeat(5) + "k".repeat(19);
    expect(await put(`${longest}k`)).toMatchObject(refused(400, "InvalidObjectName", 10020));
    expect(await put(longest)).toMatchObject({ status: 200 });
  });

  it("takes names that are one in NFC for one", async () => {
    const [composed, decomposed] = ["caf\u00e9", "cafe\u0301"].map((name) => `${key}/${encodeURIComponent(name)}`) as [
      string,
      string,
    ];
    expect(await put(decomposed)).toMatchObject({ status: 200 });
    expect(await get(composed)).toMatchObject({ status: 200, body: CONTENT });
    expect(await put(composed, { "if-none-match": "*" })).toMatchObject({ status: 412 });
  });

  it("puts only where nothing stands, when asked so", async () => {
    const once = { "if-none-match": "*" };
    expect(await put(key, once)).toMatchObject({ status: 200 });
    const again = await ask({ method: "PUT", target: key, body: "other", headers: once });
    expect(again).toMatchObject({ status: 412, body: expect.stringContaining("PreconditionFailed") as string });
    expect(await stored()).toBe(CONTENT);
    expect(await ask({ method: "PUT", target: key, body: "other" })).toMatchObject({ status: 200 });
    expect(await stored()).toBe("other");
  });

  it("takes one write per interval and key, and reads and other keys meanwhile", async () => {
    const strict = await startR2Proxy({ server: bench.server, writeIntervalMs: 3_000 });
    onTestFinished(() => strict.stop());
    const askStrict = rawS3(strict.endpoint, bench.server);
    const write = (target: string) => askStrict({ method: "PUT", target, body: CONTENT });
    expect(await write(key)).toMatchObject({ status: 200 });
    expect(await write(key)).toMatchObject(refused(429, "TooManyRequests", 10058));
    expect(await askStrict({ method: "GET", target: key })).toMatchObject({ status: 200 });
    expect(await write(`${key}-2`)).toMatchObject({ status: 200 });
    await waitFor("the next second", async () => (await write(key)).status === 200, { intervalMs: 200 });
  });

  const complete = async (sizes: readonly number[], headers: Record<string, string> = {}): Promise<RawAnswer> => {
    const begun = await ask({ method: "POST", target: `${key}?uploads` });
    const uploadId = /<UploadId>([^<]+)/.exec(begun.body)?.[1] ?? "";
    let parts = "";
    for (const [index, bytes] of sizes.entries()) {
      const target = `${key}?partNumber=${index + 1}&uploadId=${uploadId}`;
      const sent = await ask({ method: "PUT", target, body: Buffer.alloc(bytes) });
      parts += `<Part><PartNumber>${index + 1}</PartNumber><ETag>${sent.headers.etag ?? ""}</ETag></Part>`;
    }
    const body = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
    return ask({ method: "POST", target: `${key}?uploadId=${uploadId}`, body, headers });
  };

  it.each([
    ["a longer second part", [PART_BYTES, PART_BYTES + 1, 10]],
    ["a last part that is the longest", [PART_BYTES, PART_BYTES + 1]],
  ])("refuses %s at Complete", async (_what, sizes) => {
    expect(await complete(sizes)).toMatchObject(refused(400, "InvalidPart", 10048));
    expect(await stored()).toBeUndefined();
  });

  it("takes equal parts with a shorter last one", async () => {
    expect(await complete([PART_BYTES, PART_BYTES, 10])).toMatchObject({ status: 200 });
    expect((await stored())?.length).toBe(2 * PART_BYTES + 10);
  });

  it("ends the upload whose Complete meets an object", async () => {
    await put();
    expect(await complete([PART_BYTES, 10], { "if-none-match": "*" })).toMatchObject({ status: 412 });
    const uploads = await ask({ method: "GET", target: `?prefix=${encodeURIComponent(key)}&uploads` });
    expect(uploads.status).toBe(200);
    expect(uploads.body).not.toContain("<UploadId>");
    expect(await stored()).toBe(CONTENT);
  });
});

/** Sends the request, waits until the proxy has it, and until another one came through: nothing holds that one up. */
async function hanging(request: Parameters<AskS3>[0]): Promise<{ readonly outcome: Promise<unknown> }> {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const before = proxy.requests.length;
  const outcome = ask({ ...request, signal: end.signal }).catch((error: unknown) => error);
  await waitFor("the request to arrive", () => proxy.requests.length > before);
  return { outcome };
}

async function isPending(outcome: Promise<unknown>): Promise<boolean> {
  const other = `${key}-beside`;
  expect(await put(other)).toMatchObject({ status: 200 });
  const pending = Symbol("pending");
  return (await Promise.race([outcome, Promise.resolve(pending)])) === pending;
}

describe("a fault", () => {
  const inject = (fault: Fault, rule: Omit<FaultRule, "fault"> = {}): void =>
    proxy.inject({ fault, times: 1, ...rule });

  it.each([
    ["InternalError", 500, 10001, undefined],
    ["ServiceUnavailable", 503, 10043, "7"],
    ["TooManyRequests", 429, 10058, "3"],
    ["AccessDenied", 403, 10003, undefined],
  ] as const)("%s answers %i with R2's number %i and Retry-After %s, and stores nothing", async (...row) => {
    const [code, status, number, retryAfter] = row;
    inject(r2Error(code, retryAfter));
    const answer = await put();
    expect(answer).toMatchObject(refused(status, code, number));
    expect(answer.headers["retry-after"]).toBe(retryAfter);
    expect(await stored()).toBeUndefined();
    expect(await put()).toMatchObject({ status: 200 });
  });

  it("hangs before the body: reads nothing, stores nothing, answers nothing", async () => {
    inject({ kind: "hang-before-body" });
    const { outcome } = await hanging({ method: "PUT", target: key, body: Buffer.alloc(8 * 1_048_576) });
    expect(await isPending(outcome)).toBe(true);
    expect(proxy.requests[0]).toMatchObject({ bytes: 0, status: undefined });
    expect(await stored()).toBeUndefined();
  });

  it("hangs after the body: reads all, stores nothing, answers nothing", async () => {
    inject({ kind: "hang-after-body" });
    const { outcome } = await hanging({ method: "PUT", target: key, body: CONTENT });
    await waitFor("the body", () => proxy.requests[0]?.bytes === CONTENT.length);
    expect(await isPending(outcome)).toBe(true);
    expect(await stored()).toBeUndefined();
  });

  it("hangs after it stored: the object is there, the answer is not", async () => {
    inject({ kind: "hang-after-store" });
    const { outcome } = await hanging({ method: "PUT", target: key, body: CONTENT });
    await waitFor("the object", async () => (await stored()) === CONTENT);
    expect(await isPending(outcome)).toBe(true);
    expect(proxy.requests[0]?.status).toBeUndefined();
  });

  it("drips interim answers to a PUT, and single bytes of a GET, and never ends", async () => {
    await put();
    proxy.reset();
    inject({ kind: "drip", intervalMs: 10 }, { times: 2 });
    const slowPut = await hanging({ method: "PUT", target: `${key}-2`, body: CONTENT });
    const slowGet = await hanging({ method: "GET", target: key });
    expect(await isPending(Promise.race([slowPut.outcome, slowGet.outcome]))).toBe(true);
    expect(await stored(`${key}-2`)).toBeUndefined();
  });

  it("is slow both ways, and whole in the end", async () => {
    const bytesPerSec = 400;
    inject({ kind: "slow", bytesPerSec }, { times: 2 });
    for (const request of [{ method: "PUT", target: key, body: CONTENT } as const, { method: "GET", target: key }]) {
      const startedMs = performance.now();
      const answer = await ask(request);
      expect(answer.status).toBe(200);
      if (request.method === "GET") expect(answer.body).toBe(CONTENT);
      // Ten pieces of twenty bytes, 50 ms apart: never faster, however fast the machine is.
      expect(performance.now() - startedMs).toBeGreaterThan((CONTENT.length / bytesPerSec) * 1_000 * 0.8);
    }
    expect(await stored()).toBe(CONTENT);
  });

  it("resets after it stored: the outcome is unknown to the client", async () => {
    inject({ kind: "reset-after-body" });
    await expect(put()).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await stored()).toBe(CONTENT);
  });

  it("resets in the middle of the body, and stores nothing", async () => {
    inject({ kind: "reset-at", bytes: 1 });
    await expect(ask({ method: "PUT", target: key, body: Buffer.alloc(8 * 1_048_576) })).rejects.toThrow(
      /ECONNRESET|EPIPE|socket hang up/,
    );
    expect(await stored()).toBeUndefined();
  });

  it("says 200 with an error inside, and stores nothing", async () => {
    inject({ kind: "error-in-200" });
    expect(await put()).toMatchObject(refused(200, "InternalError", 10001));
    expect(await stored()).toBeUndefined();
  });

  it("says 200 with nothing, and stores nothing", async () => {
    inject({ kind: "empty-200" });
    const answer = await put();
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(answer.headers.etag).toBeUndefined();
    expect(await stored()).toBeUndefined();
  });

  it("swallows: 200 with the right ETag, and stores nothing", async () => {
    inject({ kind: "swallow" });
    const { headers, status } = await put();
    expect(status).toBe(200);
    expect(await stored()).toBeUndefined();
    expect((await put()).headers.etag).toBe(headers.etag);
    expect(await stored()).toBe(CONTENT);
  });

  it("flips a byte of what it stored, and of nothing that it did not store", async () => {
    inject({ kind: "flip" }, { times: 2 });
    expect(await put()).toMatchObject({ status: 200 });
    const damaged = await stored();
    expect(damaged).not.toBe(CONTENT);
    expect(damaged?.slice(1)).toBe(CONTENT.slice(1));
    expect(await put(key, { "if-none-match": "*" })).toMatchObject({ status: 412 });
    expect(await stored()).toBe(damaged);
    expect([...proxy.flipped]).toContain(key);
  });

  it("says other headers, and other text, than the server", async () => {
    await put();
    inject({ kind: "headers", headers: { "content-length": "999", "x-amz-meta-sha256": "no" } }, { method: "HEAD" });
    const head = await ask({ method: "HEAD", target: key });
    expect(head.headers).toMatchObject({ "content-length": "999", "x-amz-meta-sha256": "no" });
    inject({ kind: "rewrite", find: /456/, replace: "abc" }, { method: "GET" });
    expect((await get()).body).toBe(CONTENT.replace("456", "abc"));
    expect((await get()).body).toBe(CONTENT);
  });

  it("cuts an answer in the middle", async () => {
    await put();
    inject({ kind: "truncate" }, { method: "GET" });
    await expect(get()).rejects.toThrow(/aborted|ECONNRESET/);
  });

  it("stops an answer in the middle", async () => {
    await put();
    proxy.reset();
    inject({ kind: "stall" }, { method: "GET" });
    const { outcome } = await hanging({ method: "GET", target: key });
    await waitFor("the half", () => proxy.requests[0]?.status === 200);
    expect(await isPending(outcome)).toBe(true);
  });

  it("refuses connections until it accepts them again", async () => {
    await proxy.refuse();
    await expect(put()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await proxy.accept();
    expect(await put()).toMatchObject({ status: 200 });
  });
});

describe("from a moment on", () => {
  const write = () => ask({ method: "PUT", target: `${key}-new`, body: CONTENT });
  const remove = () => ask({ method: "DELETE", target: key });

  it.each([
    ["credentialsUnknown", refused(401, "Unauthorized", 10002)],
    ["credentialsRevoked", refused(403, "AccessDenied", 10003)],
    ["bucketGone", refused(404, "NoSuchBucket", 10006)],
  ])("%s refuses everything, until it is taken back", async (name, refusal) => {
    await put();
    proxy.inject(...(FROM_NOW_ON[name] ?? []));
    for (let round = 0; round < 2; round += 1) {
      for (const answer of [await write(), await get(), await remove()]) expect(answer).toMatchObject(refusal);
      expect(await ask({ method: "HEAD", target: key })).toMatchObject({ status: refusal.status, body: "" });
    }
    expect(await stored()).toBe(CONTENT);
    expect(await stored(`${key}-new`)).toBeUndefined();
    proxy.reset();
    for (const answer of [await write(), await get()]) expect(answer).toMatchObject({ status: 200 });
  });

  it("a read-only token reads, and neither writes nor deletes", async () => {
    await put();
    proxy.inject(...(FROM_NOW_ON["readOnlyToken"] ?? []));
    const denied = refused(403, "AccessDenied", 10003);
    for (const answer of [await write(), await remove(), await ask({ method: "POST", target: `${key}?uploads` })]) {
      expect(answer).toMatchObject(denied);
    }
    expect(await get()).toMatchObject({ status: 200, body: CONTENT });
    expect(await ask({ method: "HEAD", target: key })).toMatchObject({ status: 200 });
    await expect(stat(path.join(bench.server.bucketDir, `${key}-new`))).rejects.toThrow("ENOENT");
  });
});

describe("chance", () => {
  const draw = (seed: number, rules: readonly FaultRule[]): string[] => {
    const list = createFaultList(seed);
    for (const rule of rules) list.add(rule);
    return Array.from({ length: 1_000 }, () => list.take({ method: "PUT", url: "/b/k" })?.kind ?? "none");
  };
  const rules: readonly FaultRule[] = [
    { fault: { kind: "swallow" }, rate: 0.1 },
    { fault: { kind: "flip" }, rate: 0.3 },
    { fault: { kind: "stall" }, rate: 0.3, method: "GET" },
  ];

  it("is the same for the same seed, and another for another", () => {
    expect(draw(7, rules)).toEqual(draw(7, rules));
    expect(draw(7, rules)).not.toEqual(draw(8, rules));
  });

  it("meets each fault at its rate, and only the requests that it is for", () => {
    const drawn = draw(7, rules);
    const count = (kind: string): number => drawn.filter((one) => one === kind).length;
    expect(count("swallow")).toBeGreaterThan(60);
    expect(count("swallow")).toBeLessThan(140);
    expect(count("flip")).toBeGreaterThan(220);
    expect(count("flip")).toBeLessThan(330);
    expect(count("stall")).toBe(0);
  });

  it("is refused without a seed", () => {
    expect(() => createFaultList(undefined).add({ fault: { kind: "flip" }, rate: 0.5 })).toThrow("seed");
  });

  it("comes through the proxy", async () => {
    const chance = await startR2Proxy({ server: bench.server, writeIntervalMs: 0, seed: 1 });
    onTestFinished(() => chance.stop());
    chance.inject({ fault: r2Error("InternalError"), rate: 0.5 });
    const askChance = rawS3(chance.endpoint, bench.server);
    const statuses = new Set<number>();
    for (let count = 0; count < 20; count += 1) {
      statuses.add((await askChance({ method: "PUT", target: key, body: CONTENT })).status);
    }
    expect([...statuses].sort()).toEqual([200, 500]);
  });
});
