/** What the S3 store does when the store, the network or the file misbehaves. Each test names its row of the fault list. */
import { createHash, randomUUID } from "node:crypto";
import { truncate, unlink } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import type { ObjectStore, PutOptions, PutSource } from "../../../src/archive/object-store.js";
import { createSource } from "../../support/put-source.js";
import type { Fault } from "../../support/r2-proxy-faults.js";
import { startR2Proxy } from "../../support/r2-proxy.js";
import { type S3Bench, startS3Bench, TIMEOUTS } from "../../support/s3-bench.js";
import { createSelfSigned } from "../../support/self-signed.js";
import { waitFor } from "../../support/wait-for.js";
import { PATIENCE } from "../../support/patience.js";

const MEBIBYTE = 1_048_576;
/** For work beside the timeout itself, on a busy machine. */
const SLACK_MS = 3_000 * PATIENCE;
const never = new AbortController().signal;

let bench: S3Bench;
let store: ObjectStore;
let key: string;
beforeAll(async () => {
  bench = await startS3Bench();
});
afterAll(() => bench.close());
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
const sourceOf = (bytes = 1_000) => createSource(bench.sourceDir, bytes);
const sha256Stored = async (): Promise<string> => {
  const hash = createHash("sha256");
  for await (const chunk of await store.get(key, { signal: never })) hash.update(chunk as Buffer);
  return hash.digest("hex");
};
const elapsedMs = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
};
const requestsOf = (method: string) => bench.proxy.requests.filter((request) => request.method === method);

describe("the file", () => {
  it.each([4 * MEBIBYTE, 12 * MEBIBYTE])(
    "F10 a file of %i bytes that is truncated ends the put at once",
    async (bytes) => {
      const source = await sourceOf(bytes);
      const onBytes = (): Promise<void> => truncate(source.filePath, 100);
      const tookMs = await elapsedMs(() =>
        expect(put(source, { onBytes })).rejects.toMatchObject({ kind: "failed-precondition" }),
      );
      expect(tookMs).toBeLessThan(TIMEOUTS.idleMs + SLACK_MS);
      expect(await store.head(key, never)).toBeUndefined();
      await waitFor("the connection to end", () => bench.proxy.openConnections() <= 1);
    },
  );

  it("F10 a file that is unlinked during the upload is stored whole all the same", async () => {
    const source = await sourceOf(4 * MEBIBYTE);
    let unlinked: Promise<void> | undefined;
    await put(source, { onBytes: () => (unlinked ??= unlink(source.filePath)) });
    expect(await sha256Stored()).toBe(source.sha256);
  });
});

describe("a store that hangs", () => {
  beforeEach(() => {
    store.close();
    store = bench.openStore({ timeouts: TIMEOUTS });
  });

  it.each<[string, Fault, number]>([
    ["before it reads", { kind: "hang-before-body" }, 5 * MEBIBYTE],
    ["after it read all", { kind: "hang-after-body" }, 1_000],
    ["while it says wait", { kind: "drip", intervalMs: 100 }, 1_000],
  ])("F20 %s: the put ends by its timeout and frees the socket", async (_what, fault, bytes) => {
    bench.proxy.inject({ fault, method: "PUT" });
    const source = await sourceOf(bytes);
    const tookMs = await elapsedMs(() => expect(put(source)).rejects.toMatchObject({ kind: "unavailable" }));
    expect(tookMs).toBeLessThan(TIMEOUTS.requestMs + (bytes / MEBIBYTE) * 1_000 + SLACK_MS);
    bench.proxy.reset();
    await waitFor("the sockets to be freed", () => bench.proxy.openConnections() === 0);
  });

  it("F20 head, get, delete and list end by their timeout", async () => {
    bench.proxy.inject({ fault: { kind: "hang-after-body" } });
    const unavailable = { kind: "unavailable" };
    const tookMs = await elapsedMs(() =>
      Promise.all([
        expect(store.head(key, never)).rejects.toMatchObject(unavailable),
        expect(store.get(key, { signal: never })).rejects.toMatchObject(unavailable),
        expect(store.delete(key, never)).rejects.toMatchObject(unavailable),
        expect(store.list("t/", never)[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable),
      ]),
    );
    expect(tookMs).toBeLessThan(TIMEOUTS.requestMs + SLACK_MS);
    await waitFor("the sockets to be freed", () => bench.proxy.openConnections() === 0);
  });

  it.each<Fault>([{ kind: "stall" }, { kind: "truncate" }])(
    "F61 a body that ends early ($kind) fails the reader",
    async (fault) => {
      await put(await sourceOf(200_000));
      bench.proxy.inject({ fault, method: "GET" });
      const stream = await store.get(key, { signal: never });
      const tookMs = await elapsedMs(() => expect(stream.toArray()).rejects.toMatchObject({ kind: "unavailable" }));
      expect(tookMs).toBeLessThan(TIMEOUTS.idleMs + SLACK_MS);
    },
  );

  it("F20 a body that drips fails the reader, however long it is", async () => {
    await put(await sourceOf(200_000));
    bench.proxy.inject({ fault: { kind: "drip", intervalMs: 20 }, method: "GET" });
    const stream = await store.get(key, { signal: never });
    const tookMs = await elapsedMs(() => expect(stream.toArray()).rejects.toMatchObject({ kind: "unavailable" }));
    expect(tookMs).toBeLessThan(4 * TIMEOUTS.idleMs + SLACK_MS);
    await waitFor("the sockets to be freed", () => bench.proxy.openConnections() === 0);
  });

  it.each([1_000, 4 * MEBIBYTE])("F20 a reader that takes its time gets every one of %i bytes", async (bytes) => {
    const source = await sourceOf(bytes);
    await put(source);
    const hasty = bench.openStore({ timeouts: { ...TIMEOUTS, idleMs: 1_500 } });
    onTestFinished(() => hasty.close());
    const stream = await hasty.get(key, { signal: never });
    const hash = createHash("sha256");
    let restMs = 4_000;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      // Once, and far longer than a store may starve us.
      await sleep(restMs);
      restMs = 0;
    }
    expect(hash.digest("hex")).toBe(source.sha256);
  });

  it("F20 a TLS handshake that never ends is given up", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const hanging = bench.openStore({ endpoint: `https://127.0.0.1:${port}`, timeouts: TIMEOUTS });
    onTestFinished(() => hanging.close());
    const tookMs = await elapsedMs(() =>
      expect(hanging.head(key, never)).rejects.toMatchObject({ kind: "unavailable" }),
    );
    expect(tookMs).toBeLessThan(TIMEOUTS.requestMs + SLACK_MS);
  });

  it("lets no deadline run while the rate limiter holds the upload", async () => {
    const patient = bench.openStore({ timeouts: { ...TIMEOUTS, requestMs: 2_000, idleMs: 60_000 } });
    onTestFinished(() => patient.close());
    const source = await sourceOf();
    const onBytes = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 4_000));
    await patient.put(key, source, { signal: never, onBytes });
    expect(await sha256Stored()).toBe(source.sha256);
  });
});

describe("a store that refuses", () => {
  it.each<[number, string | undefined, number | undefined]>([
    [503, "7", 7_000],
    [429, "3", 3_000],
    [429, "in a minute", 60_000],
    [500, undefined, undefined],
    [502, undefined, undefined],
    [504, undefined, undefined],
  ])(
    "F21 %i with Retry-After %s is unavailable, said when to retry, and tried once",
    async (status, retryAfter, expected) => {
      const date = new Date(Date.now() + 60_000).toUTCString();
      const said = retryAfter === "in a minute" ? date : retryAfter;
      bench.proxy.inject({ fault: { kind: "status", status, ...(said !== undefined && { retryAfter: said }) } });
      const error = await put(await sourceOf()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ kind: "unavailable" });
      const { retryAfterMs } = error as { retryAfterMs?: number };
      if (expected === undefined) expect(retryAfterMs).toBeUndefined();
      else expect(Math.abs((retryAfterMs ?? 0) - expected)).toBeLessThan(SLACK_MS);
      expect(bench.proxy.requests).toHaveLength(1);
    },
  );

  it("F21 no call is tried again behind our back", async () => {
    bench.proxy.inject({ fault: { kind: "status", status: 503 } });
    const unavailable = { kind: "unavailable" };
    await expect(store.head(key, never)).rejects.toMatchObject(unavailable);
    await expect(store.get(key, { signal: never })).rejects.toMatchObject(unavailable);
    await expect(store.delete(key, never)).rejects.toMatchObject(unavailable);
    await expect(store.list("t/", never)[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable);
    expect(bench.proxy.requests).toHaveLength(4);
  });

  it("a put never says not-found, whoever answers 404", async () => {
    bench.proxy.inject({ fault: { kind: "status", status: 404, code: "NoSuchKey" } });
    const lost = { kind: "failed-precondition" };
    const large = await sourceOf(7 * MEBIBYTE);
    await expect(put(await sourceOf())).rejects.toMatchObject(lost);
    await expect(put(large)).rejects.toMatchObject(lost);
    await expect(put(large, { uploadId: `${large.sha256.slice(0, 16)}.x` })).rejects.toMatchObject(lost);
  });

  it("F21 R2's one write per second and key is unavailable, not already-exists", async () => {
    // An interval that no busy machine outlasts.
    const strict = await startR2Proxy({ server: bench.server, writeIntervalMs: 600_000 });
    onTestFinished(() => strict.stop());
    const limited = bench.openStore({ endpoint: strict.endpoint });
    onTestFinished(() => limited.close());
    await limited.put(key, await sourceOf(), { signal: never });
    const again = limited.put(key, await sourceOf(), { signal: never });
    await expect(again).rejects.toMatchObject({ kind: "unavailable" });
  });

  it.each([401, 403])(
    "F28 %i from a moment on is permission-denied for every call, absence included",
    async (status) => {
      await put(await sourceOf());
      bench.proxy.inject({ fault: { kind: "status", status, code: "AccessDenied" } });
      const denied = { kind: "permission-denied", hint: expect.stringContaining("R2_ACCESS_KEY_ID") as string };
      await expect(put(await sourceOf())).rejects.toMatchObject(denied);
      await expect(store.head(key, never)).rejects.toMatchObject(denied);
      await expect(store.get(key, { signal: never })).rejects.toMatchObject(denied);
      await expect(store.delete(key, never)).rejects.toMatchObject(denied);
      bench.proxy.reset();
      expect(await store.head(key, never)).toBeDefined();
    },
  );

  it("F28 a secret that is rotated works with the next request, without a restart", async () => {
    const { accessKeyId, secretAccessKey } = bench.server;
    let secret = "revoked";
    const rotated = bench.openStore({ credentials: () => Promise.resolve({ accessKeyId, secretAccessKey: secret }) });
    onTestFinished(() => rotated.close());
    const source = await sourceOf();
    await expect(rotated.put(key, source, { signal: never })).rejects.toMatchObject({ kind: "permission-denied" });
    secret = secretAccessKey;
    await rotated.put(key, source, { signal: never });
    secret = "revoked again";
    await expect(rotated.head(key, never)).rejects.toMatchObject({ kind: "permission-denied" });
  });

  it("F29 a wrong bucket fails the self-test with a hint", async () => {
    const wrong = bench.openStore({ bucket: "no-such-bucket" });
    onTestFinished(() => wrong.close());
    const gone = { kind: "failed-precondition", hint: expect.stringContaining("R2_BUCKET_NAME") as string };
    await expect(wrong.selfTest(never)).rejects.toMatchObject(gone);
    await expect(wrong.head(key, never)).rejects.toMatchObject(gone);
  });

  it("F29 a read-only token fails the self-test", async () => {
    bench.proxy.inject({ fault: { kind: "status", status: 403, code: "AccessDenied" }, method: "PUT" });
    await expect(store.selfTest(never)).rejects.toMatchObject({ kind: "permission-denied" });
  });

  it("F29 a token that may not delete fails the self-test", async () => {
    bench.proxy.inject({ fault: { kind: "status", status: 403, code: "AccessDenied" }, method: "DELETE" });
    await expect(store.selfTest(never)).rejects.toMatchObject({ kind: "permission-denied" });
  });

  it("F29 a store that would overwrite in spite of If-None-Match fails the self-test", async () => {
    bench.proxy.inject({ fault: { kind: "swallow" }, method: "PUT", nth: 2 });
    await expect(store.selfTest(never)).rejects.toMatchObject({ kind: "failed-precondition" });
  });

  it.each([403, 409])(
    "F59 a retention lock (%i) forbids to delete for now, and means that a put was done before",
    async (status) => {
      bench.proxy.inject({ fault: { kind: "status", status, code: "ObjectLockedByBucketPolicy" } });
      await expect(store.delete(key, never)).rejects.toMatchObject({ kind: "failed-precondition" });
      await expect(put(await sourceOf())).rejects.toMatchObject({ kind: "already-exists" });
    },
  );
});

describe("an outcome that is not what it seems", () => {
  it("F22 a reset after the full body leaves it to head, and a second put does not overwrite", async () => {
    bench.proxy.inject({ fault: { kind: "reset-after-body" }, method: "PUT", times: 1 });
    const source = await sourceOf();
    await expect(put(source)).rejects.toMatchObject({ kind: "unavailable" });
    expect(await store.head(key, never)).toMatchObject({ sha256: source.sha256, md5: source.md5, bytes: source.bytes });
    await expect(put(source)).rejects.toMatchObject({ kind: "already-exists" });
  });

  it("F22 a reset in the middle of the body stores nothing", async () => {
    bench.proxy.inject({ fault: { kind: "reset-at", bytes: MEBIBYTE }, method: "PUT", times: 1 });
    const source = await sourceOf(5 * MEBIBYTE);
    await expect(put(source)).rejects.toMatchObject({ kind: "unavailable" });
    expect(await store.head(key, never)).toBeUndefined();
    await put(source);
    expect(await sha256Stored()).toBe(source.sha256);
  });

  it("F23 200 with an error document is a failure of a put, of Complete and of a list", async () => {
    const fault: Fault = { kind: "error-in-200" };
    bench.proxy.inject({ fault, method: "PUT", times: 1 });
    await expect(put(await sourceOf())).rejects.toMatchObject({ kind: "unavailable" });
    bench.proxy.inject({ fault, method: "POST", url: /uploadId=/ });
    await expect(put(await sourceOf(7 * MEBIBYTE))).rejects.toMatchObject({ kind: "unavailable" });
    bench.proxy.inject({ fault, method: "GET", url: /list-type=2/ });
    await expect(store.list("t/", never)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ kind: "unavailable" });
    expect(await store.head(key, never)).toBeUndefined();
  });

  it("F23 200 with nothing behind it, as from a captive portal, proves nothing", async () => {
    bench.proxy.inject({ fault: { kind: "empty-200" } });
    const unavailable = { kind: "unavailable" };
    await expect(put(await sourceOf())).rejects.toMatchObject(unavailable);
    await expect(put(await sourceOf(7 * MEBIBYTE))).rejects.toMatchObject(unavailable);
    await expect(store.head(key, never)).rejects.toMatchObject(unavailable);
    await expect(store.get(key, { signal: never })).rejects.toMatchObject(unavailable);
    await expect(store.list("t/", never)[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable);
  });

  it("F24 a byte that the store changed is found by reading back", async () => {
    bench.proxy.inject({ fault: { kind: "flip" }, method: "PUT" });
    const source = await sourceOf();
    await put(source);
    expect((await store.head(key, never))?.sha256).toBe(source.sha256);
    expect(await sha256Stored()).not.toBe(source.sha256);
  });

  it("F24 bytes that are not those hashed are refused by the store itself", async () => {
    const source = await sourceOf();
    const other = await sourceOf();
    await expect(put({ ...source, md5: other.md5 })).rejects.toMatchObject({ kind: "unavailable" });
    expect(await store.head(key, never)).toBeUndefined();
  });

  it("F25 a put that was acknowledged but not stored is absent to head", async () => {
    bench.proxy.inject({ fault: { kind: "swallow" }, method: "PUT", times: 1 });
    const source = await sourceOf();
    await put(source);
    expect(await store.head(key, never)).toBeUndefined();
    await put(source);
    expect(await sha256Stored()).toBe(source.sha256);
  });

  it("F26 head hands on another size and another SHA-256 as the store says them", async () => {
    const source = await sourceOf();
    await put(source);
    const headers = { "content-length": "999", "x-amz-meta-sha256": "0".repeat(64) };
    bench.proxy.inject({ fault: { kind: "headers", headers }, method: "HEAD" });
    expect(await store.head(key, never)).toMatchObject({ bytes: 999, sha256: "0".repeat(64) });
  });

  it("F27 an object of other origin is kept, and head tells it apart", async () => {
    const raw = bench.openRawClient();
    onTestFinished(() => raw.destroy());
    await raw.send(new PutObjectCommand({ Bucket: bench.server.bucket, Key: key, Body: Buffer.from("theirs") }));
    await expect(put(await sourceOf())).rejects.toMatchObject({ kind: "already-exists" });
    expect(await store.head(key, never)).toMatchObject({ bytes: 6, sha256: null });
    expect(await sha256Stored()).toBe(createHash("sha256").update("theirs").digest("hex"));
  });
});

describe("the way there", () => {
  it("F33 a certificate that nobody vouches for is refused before a byte is sent", async () => {
    const tls = createSelfSigned("127.0.0.1");
    const secure = await startR2Proxy({ server: bench.server, tls });
    onTestFinished(() => secure.stop());
    const wary = bench.openStore({ endpoint: secure.endpoint });
    onTestFinished(() => wary.close());
    const refused = {
      kind: "unavailable",
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS") as string,
      cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    };
    await expect(wary.put(key, await sourceOf(), { signal: never })).rejects.toMatchObject(refused);
    await expect(wary.head(key, never)).rejects.toMatchObject(refused);
    expect(secure.requests).toHaveLength(0);
  });

  it("F64 a name that does not resolve is unavailable, with a hint", async () => {
    const lost = bench.openStore({ endpoint: "http://no-such-host.invalid" });
    onTestFinished(() => lost.close());
    await expect(lost.head(key, never)).rejects.toMatchObject({
      kind: "unavailable",
      hint: expect.stringContaining("R2_ENDPOINT") as string,
    });
  });

  it("F19 a refused connection is unavailable, and the store works again once it is accepted", async () => {
    const source = await sourceOf();
    await bench.proxy.refuse();
    await expect(put(source)).rejects.toMatchObject({ kind: "unavailable" });
    await expect(store.head(key, never)).rejects.toMatchObject({ kind: "unavailable" });
    await bench.proxy.accept();
    await put(source);
    expect(await sha256Stored()).toBe(source.sha256);
  });

  it("F60 streams that are dropped unread free their sockets", async () => {
    await put(await sourceOf(3 * MEBIBYTE));
    for (let round = 0; round < 20; round += 1) {
      const streams = await Promise.all(Array.from({ length: 5 }, () => store.get(key, { signal: never })));
      for (const stream of streams) stream.destroy();
    }
    await waitFor("the sockets to be freed", () => bench.proxy.openConnections() <= 1);
    expect(requestsOf("GET")).toHaveLength(100);
  });
});
