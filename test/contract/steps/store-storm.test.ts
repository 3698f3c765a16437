/**
 * Everything that a store can do wrong, drawn from a seed, while segments come in. Each local copy goes as soon as it is
 * proven, so that a wrong proof would lose something. Then the faults end, and the checker counts.
 */
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { audit } from "../../support/auditor.js";
import { JUDGED_ONCE, PATIENCE } from "../../support/patience.js";
import type { RecordedRequest } from "../../support/r2-exchange.js";
import { type FaultRule, FROM_NOW_ON, r2Error } from "../../support/r2-proxy-faults.js";
import { type R2Proxy, startR2Proxy } from "../../support/r2-proxy.js";
import { createRandom, printedSeed, shuffled } from "../../support/random.js";
import { type S3Bench, startS3Bench } from "../../support/s3-bench.js";
import { waitFor } from "../../support/wait-for.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const SEGMENTS_PER_WAVE = 20;
/** A wave with each of these, and as many without. */
const CONDITIONS = [...Object.keys(FROM_NOW_ON), "refusal"];
const WAVES = 2 * CONDITIONS.length;
/** When chance spares a kind of fault for so long. */
const MOST_WAVES = 3 * WAVES;
const START_US = Date.UTC(2026, 10, 20) * 1_000;
/** Two parts of a multipart upload. */
const LARGE_SAMPLE_BYTES = 160_000;
const TEST_TIMEOUT_MS = 300_000 * PATIENCE;
/** What hangs is waited for; what is slow on a busy machine is tried again, as any other fault. */
const TIMEOUTS = { connectMs: 1_000, idleMs: 500, requestMs: 1_000 };

/** What stands beside a conflict or says which store this is: a second lie about one recording needs a person. */
const PLAIN_KEY = /\/cam1\/(?!.*_[0-9a-f]{16}\.mp4)/;
const WHOLE_OBJECT = /^(?!.*partNumber=)(?!.*_[0-9a-f]{16}\.mp4).*\/cam1\//;
const STORM: readonly FaultRule[] = [
  { rate: 0.04, fault: { kind: "flip" }, method: "PUT", url: WHOLE_OBJECT },
  { rate: 0.04, fault: { kind: "swallow" }, method: "PUT" },
  { rate: 0.04, fault: { kind: "reset-after-body" } },
  { rate: 0.03, fault: { kind: "reset-at", bytes: 1 }, method: "PUT" },
  { rate: 0.02, fault: { kind: "headers", headers: { "content-length": "999" } }, method: "HEAD", url: PLAIN_KEY },
  {
    ...{ rate: 0.02, method: "HEAD", url: PLAIN_KEY },
    fault: { kind: "headers", headers: { "x-amz-meta-sha256": "0".repeat(64) } },
  },
  { rate: 0.04, fault: { kind: "truncate" }, method: "GET" },
  { rate: 0.02, fault: { kind: "stall" }, method: "GET" },
  { rate: 0.03, fault: r2Error("InternalError") },
  { rate: 0.03, fault: r2Error("ServiceUnavailable", "1") },
  { rate: 0.03, fault: r2Error("TooManyRequests", "1") },
  { rate: 0.03, fault: { kind: "error-in-200" } },
  { rate: 0.02, fault: { kind: "empty-200" } },
  // A part of a large file would take a quarter of an hour.
  { rate: 0.03, fault: { kind: "slow", bytesPerSec: 8_000 }, method: "PUT", url: WHOLE_OBJECT },
  { rate: 0.03, fault: { kind: "slow", bytesPerSec: 500_000 } },
  { rate: 0.005, fault: { kind: "hang-before-body" } },
  { rate: 0.005, fault: { kind: "hang-after-body" } },
  { rate: 0.005, fault: { kind: "hang-after-store" } },
  { rate: 0.005, fault: { kind: "drip", intervalMs: 50 } },
];
const KINDS = new Set(STORM.map(({ fault }) => fault.kind));

useBench();

it(
  `loses nothing in a storm of every fault of a store over ${WAVES * SEGMENTS_PER_WAVE} segments and more (F19 F20 F21 F22 F23 F24 F25 F26 F27 F28 F29)`,
  { ...JUDGED_ONCE, timeout: TEST_TIMEOUT_MS },
  async () => {
    const scene = await calmScene(printedSeed());
    const { bench, proxy } = scene;
    const met = new Map<string, number>();
    const waves = shuffled(scene.random, [...CONDITIONS, ...CONDITIONS.map(() => "none")]);
    const created: string[] = [];
    for (let wave = 0; wave < WAVES || (met.size < KINDS.size && wave < MOST_WAVES); wave += 1) {
      await begin(proxy, waves[wave] ?? "none");
      created.push(...(await record(bench, wave)));
      for (let round = 0; round < 2; round += 1) await workUntilRest(bench);
      // The checker looks at rows and files one after the other.
      await bench.stopWorker();
      count(met, proxy.requests);
      proxy.reset();
      await proxy.accept();
      if (wave % 4 === 3) expect(await lost(scene, { created, quiescent: false })).toEqual([]);
    }
    console.log("faults met", Object.fromEntries(met), "flipped", proxy.flipped.size, "segments", created.length);
    expect([...KINDS].filter((kind) => !met.has(kind))).toEqual([]);

    await waitFor("all local copies to be released", () => drained(bench), { timeoutMs: 60_000 });
    expect(bench.guard.stops).toEqual([]);
    expect(await lost(scene, { created, quiescent: true })).toEqual([]);
  },
);

interface StormScene {
  readonly bench: Bench;
  readonly s3: S3Bench;
  readonly proxy: R2Proxy;
  readonly random: () => number;
}

async function calmScene(seed: number): Promise<StormScene> {
  const s3 = await startS3Bench();
  onTestFinished(() => s3.close());
  const proxy = await startR2Proxy({ server: s3.server, seed });
  onTestFinished(() => proxy.stop());
  const store = s3.openStore({ endpoint: proxy.endpoint, timeouts: TIMEOUTS });
  onTestFinished(() => store.close());
  const env = { LOCAL_RETENTION: "0s", ARCHIVE_READ_BACK_PERCENT: "100", R2_PREFIX: "rec" };
  const bench = await createBench({ env, store });
  // Which store this is must be known before anything can lie about it.
  await bench.guard.assertMayRemove();
  return { bench, s3, proxy, random: createRandom(seed) };
}

async function begin(proxy: R2Proxy, condition: string): Promise<void> {
  proxy.reset();
  if (condition === "refusal") await proxy.refuse();
  proxy.inject(...STORM, ...(FROM_NOW_ON[condition] ?? []));
}

async function record(bench: Bench, wave: number): Promise<string[]> {
  const files = Array.from({ length: SEGMENTS_PER_WAVE }, (_, at) => {
    const number = wave * SEGMENTS_PER_WAVE + at;
    const startUs = START_US + number * 4_000_000;
    const isLarge = number % 70 === 0;
    const content = footage({ startUs, number, ...(isLarge ? { sampleBytes: LARGE_SAMPLE_BYTES } : {}) });
    return { file: path.join(bench.recordDir, nameOf("cam1", startUs)), content };
  });
  for (const { file, content } of files) await writeAt(bench.clock, file, content, { agoSec: 100 });
  await bench.scan();
  return files.map(({ file }) => file);
}

async function workUntilRest(bench: Bench): Promise<void> {
  await bench.makeDue();
  bench.startWorker();
  await waitFor("the queue to be at rest", () => bench.isAtRest(), { timeoutMs: 120_000 });
}

async function drained(bench: Bench): Promise<true> {
  await workUntilRest(bench);
  const left = (await bench.rows()).filter(({ local, archive }) => local !== "released" || archive !== "verified");
  if (left.length === 0) return true;
  const [{ objectKey, local, archive, step, error }] = left as [(typeof left)[number]];
  throw new Error(
    `${left.length} rows left, of the first: ${JSON.stringify({ objectKey, local, archive, step, error })}`,
  );
}

/** What the checker finds, but for the bytes that the proxy itself changed in objects that nobody counts on. */
async function lost(scene: StormScene, facts: { readonly created: readonly string[]; readonly quiescent: boolean }) {
  const { bench, s3, proxy } = scene;
  const { violations } = await audit({
    ...{ recordDir: bench.recordDir, databaseFile: bench.databaseFile, prefix: "rec" },
    bucket: { kind: "versitygw", dir: s3.server.bucketDir },
    createdFiles: facts.created,
    quiescent: facts.quiescent,
  });
  return violations.filter((text) => ![...proxy.flipped].some((key) => text.startsWith(`I4 ${key}: was stored as`)));
}

function count(met: Map<string, number>, requests: readonly RecordedRequest[]): void {
  for (const { fault } of requests) if (fault !== undefined) met.set(fault.kind, (met.get(fault.kind) ?? 0) + 1);
}
