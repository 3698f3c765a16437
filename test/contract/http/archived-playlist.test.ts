/** Playing what is in a bucket alone: by redirect to the bucket, or through us; and buckets that fail. */
import { execFile } from "node:child_process";
import { unlink } from "node:fs/promises";
import { promisify } from "node:util";

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { parseRfc3339 } from "../../../src/core/instant.js";
import type { RecordingId } from "../../../src/core/recording.js";
import { addFixture, type Placed } from "../../support/footage-rows.js";
import { checkPlaylist } from "../../support/hls-check.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { PATIENCE } from "../../support/patience.js";
import { type S3Bench, startS3Bench, TIMEOUTS } from "../../support/s3-bench.js";
import { waitFor } from "../../support/wait-for.js";

const run = promisify(execFile);
const TARGET = "/api/v1/playlist.m3u8?path=h264-aac&from=2026-11-20T17:00:00Z&to=2026-11-20T18:00:00Z";

let s3: S3Bench;

beforeAll(async () => {
  s3 = await startS3Bench();
});
afterEach(() => s3.proxy.reset());
afterAll(() => s3.close());

/** `timeouts`: of what is read; what is stored may take its time. */
async function harness(
  playbackArchive: "direct" | "proxy",
  timeouts: Parameters<S3Bench["openStore"]>[0] = {},
): Promise<{ http: HttpHarness; placed: Placed[] }> {
  const [store, patient] = [s3.openStore(timeouts), s3.openStore()];
  for (const opened of [store, patient]) onTestFinished(() => opened.close());
  const http = await httpForTest({ store: () => store, playbackArchive });
  const placed = await addFixture(http, ["v1.20.1", "h264-aac"]);
  for (const one of placed) await archive(http, patient, one);
  return { http, placed };
}

/** Each key is new: objects are never overwritten. */
async function archive(http: HttpHarness, patient: ObjectStore, { recording, file }: Placed): Promise<void> {
  const { id, bytes, md5, sha256, fileIdentity } = recording;
  const source = { filePath: file, fileIdentity: fileIdentity!, bytes, md5: md5!, sha256: sha256! };
  const key = `t/${id}.mp4`;
  const stored = { ...source, contentType: "video/mp4", metadata: {}, nameIsUnique: true };
  await patient.put(key, stored, { signal: new AbortController().signal });
  await change(http, id, { archive: "verified", object_key: key });
}

async function release(http: HttpHarness, { recording, file }: Placed): Promise<void> {
  await unlink(file);
  await change(http, recording.id, { local: "released" });
}

async function change(http: HttpHarness, id: RecordingId, columns: Record<string, unknown>): Promise<void> {
  await http.catalog.db("recordings").where({ id }).update(columns);
}

const urlOf = ({ recording }: Placed): string => `/api/v1/recordings/${recording.id}/media.mp4`;

/** As a player fetches: redirects are followed. */
async function fetched(http: HttpHarness, uri: string, range: string): Promise<Response> {
  return fetch(new URL(uri, `http://127.0.0.1:${http.port}/api/v1/playlist.m3u8`), { headers: { range } });
}

async function check(http: HttpHarness) {
  const { text } = await ask(http, TARGET);
  const checked = await checkPlaylist(text, async (uri, offset, size) => {
    const answer = await fetched(http, uri, `bytes=${offset}-${size === undefined ? "" : offset + size - 1}`);
    expect(answer.status).toBe(206);
    return Buffer.from(await answer.arrayBuffer());
  });
  return { ...checked, text };
}

async function packets(input: string): Promise<string> {
  const args = ["-v", "error", "-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=data_hash"];
  return (await run("ffprobe", [...args, "-select_streams", "v:0", "-of", "csv=p=0", input])).stdout;
}

describe.each(["direct", "proxy"] as const)("footage that is in the bucket alone (%s)", (how) => {
  it("plays by the very playlist that it had while it was on disk, byte for byte", async () => {
    const { http, placed } = await harness(how);
    const before = await check(http);
    for (const one of placed) await release(http, one);
    const after = await check(http);
    expect(after).toEqual(before);
    const url = `http://127.0.0.1:${http.port}${TARGET}`;
    expect((await packets(url)).split("\n")).toHaveLength(before.samples + 1);
    await run("ffmpeg", ["-v", "error", "-xerror", "-i", url, "-f", "null", "-"]);
  });

  it("is sent by the one that is meant to", async () => {
    const { http, placed } = await harness(how);
    await release(http, placed[0]!);
    const answer = await ask(http, urlOf(placed[0]!), { headers: { range: "bytes=10-19" } });
    if (how === "proxy") {
      expect([answer.status, answer.bytes.length, answer.headers.location]).toEqual([206, 10, undefined]);
      return;
    }
    expect([answer.status, answer.bytes.length, answer.headers["cache-control"]]).toEqual([307, 0, "no-store"]);
    const url = new URL(answer.headers.location!);
    expect(url.origin).toBe(s3.proxy.endpoint);
    expect(url.searchParams.get("X-Amz-Expires")).toBe("300");
    expect(url.searchParams.get("response-content-type")).toBe("video/mp4");
    const sent = await fetch(url, { headers: { range: "bytes=10-19" } });
    expect([sent.status, sent.headers.get("content-type"), sent.headers.get("content-range")]).toEqual([
      206,
      "video/mp4",
      `bytes 10-19/${placed[0]!.recording.bytes}`,
    ]);
    // What is signed is a GET of this object, and nothing else.
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    expect(
      (await fetch(answer.headers.location!.replace(placed[0]!.recording.id, placed[1]!.recording.id))).status,
    ).toBe(403);
    expect((await ask(http, urlOf(placed[0]!), { method: "HEAD" })).headers["content-length"]).toBe(
      String(placed[0]!.recording.bytes),
    );
  });

  it("is not asked for while the file is there", async () => {
    const { http, placed } = await harness(how);
    s3.proxy.reset();
    const answer = await ask(http, urlOf(placed[0]!), { headers: { range: "bytes=0-9" } });
    expect([answer.status, s3.proxy.requests.length]).toEqual([206, 0]);
  });

  it("and is deleted while it plays is gone from the next playlist, and its bytes are not found", async () => {
    const { http, placed } = await harness(how);
    for (const one of placed) await release(http, one);
    const before = await check(http);
    await change(http, placed[1]!.recording.id, { archive: "deleted", object_key: null });
    expect(problemIn(await ask(http, urlOf(placed[1]!), { headers: { range: "bytes=0-9" } })).status).toBe(404);
    const after = await check(http);
    const others = before.segments.filter(({ uri }) => !uri.includes(placed[1]!.recording.id));
    expect(after.segments.map(({ uri }) => uri)).toEqual(others.map(({ uri }) => uri));
  });
});

describe("a bucket that fails, through us", () => {
  it.each([
    ["answers 500", { kind: "status", status: 500 }],
    ["hangs", { kind: "hang-before-body" }],
  ] as const)("because it %s is a clear answer soon, and the playlist is what it was", async (_name, fault) => {
    const { http, placed } = await harness("proxy", { timeouts: TIMEOUTS });
    for (const one of placed) await release(http, one);
    const { text } = await ask(http, TARGET);
    s3.proxy.inject({ fault, method: "GET" });
    const startedMs = performance.now();
    const answer = await ask(http, urlOf(placed[0]!), { headers: { range: "bytes=0-999" } });
    expect(problemIn(answer).status).toBe(503);
    expect(performance.now() - startedMs).toBeLessThan((TIMEOUTS.requestMs + 2_000) * PATIENCE);
    expect((await ask(http, TARGET)).text).toBe(text);
    s3.proxy.reset();
    const isWell = async () =>
      (await ask(http, urlOf(placed[0]!), { headers: { range: "bytes=0-999" } })).status === 206;
    await waitFor("the bucket to answer in time again", isWell);
  });

  it("in the middle of the bytes cuts the answer, and never makes it look whole", async () => {
    const { http, placed } = await harness("proxy");
    await release(http, placed[0]!);
    s3.proxy.inject({ fault: { kind: "truncate" }, method: "GET" });
    await expect(ask(http, urlOf(placed[0]!), { headers: { range: "bytes=0-49999" } })).rejects.toThrow();
  });

  it("holds no connection for viewers that have left", async () => {
    const { http, placed } = await harness("proxy");
    await release(http, placed[0]!);
    await waitFor("idle connections", () => s3.proxy.openConnections() < 20);
    s3.proxy.inject({ fault: { kind: "drip", intervalMs: 50 }, method: "GET" });
    const base = s3.proxy.requests.length;
    const gone = new AbortController();
    const viewers = Array.from({ length: 20 }, () =>
      fetch(`http://127.0.0.1:${http.port}${urlOf(placed[0]!)}`, {
        headers: { range: "bytes=0-49999" },
        signal: gone.signal,
      }).catch(() => undefined),
    );
    await waitFor("the bucket to be asked", () => s3.proxy.requests.length >= base + 20);
    gone.abort();
    await Promise.all(viewers);
    await waitFor("connections to be given back", () => s3.proxy.openConnections() < 20);
  });
});

describe("what is signed", () => {
  it("is never good for longer than seven days, and never for other keys than ours", async () => {
    const store = s3.openStore({ timeouts: TIMEOUTS });
    const sign = (key: string, expiresSec: number) => store.presignGet!(key, { expiresSec, contentType: "video/mp4" });
    expect(new URL(await sign("t/a", 1e9)).searchParams.get("X-Amz-Expires")).toBe("604800");
    expect(new URL(await sign("t/a", 0)).searchParams.get("X-Amz-Expires")).toBe("1");
    expect(() => sign("../x", 60)).toThrow();
    const signedAt = new URL(await sign("t/a", 60)).searchParams.get("X-Amz-Date")!;
    const text = signedAt.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z");
    expect(Math.abs(parseRfc3339(text) / 1_000 - Date.now())).toBeLessThan(60_000);
  });
});
