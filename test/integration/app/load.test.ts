/**
 * Thousands of segments and hooks against the whole product with a bucket: hooks get lost, come twice and out of order,
 * the process is killed meanwhile, and not one segment may be. About 150 s.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import type { App } from "../../support/app.js";
import { APP_PREFIX } from "../../support/app-setup.js";
import { audit, type AuditReport } from "../../support/auditor.js";
import { createHookSender, type HookAnswer, type HookSender, type SentHook } from "../../support/hook-sender.js";
import { JUDGED_ONCE, PATIENCE } from "../../support/patience.js";
import { createRandom, printedSeed, shuffled } from "../../support/random.js";
import { waitFor } from "../../support/wait-for.js";
import { footage, nameOf } from "../../contract/steps/footage.js";
import { allAtRest } from "./at-rest.js";
import { folderScene, s3Scene, type Scene } from "./scene.js";

const HOOK_SECRET = "hook-secret-of-the-load";
const CAMERAS = 10;
/** Their local copies go right after the proof. */
const RELEASED = ["cam0", "cam1"];
/** So that the test ends within minutes: an upload with its proof costs as much as the rest. */
const KEPT_HERE = ["cam5", "cam6", "cam7", "cam8", "cam9"];
const PROVEN_HERE = "present verified";
const PLACES = new Map([
  ...RELEASED.map((name) => [name, "released verified"] as const),
  ...KEPT_HERE.map((name) => [name, "present none"] as const),
]);
const HOOKS_PER_SEC = 200;
/** A heap that could not hold what comes: whoever keeps a little of each hook or segment dies of it. */
const HEAP_MIB = 96;
const SMALL_HEAP = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` };
const TEST_TIMEOUT_MS = 300_000 * PATIENCE;
const DRAINED_WITHIN_MS = 300_000;

interface Segment {
  readonly camera: string;
  /** Where it was written, and where it appears. */
  readonly source: string;
  readonly file: string;
}

describe("under load", JUDGED_ONCE, () => {
  it(
    "nothing of 5,000 segments is lost, and nothing goes without proof, while hooks come at 200/s, some lost, repeated or out of order, and Reelkeeper is killed twice and has a heap of 96 MiB (F1, F3, F4, F14, F18)",
    async () => {
      const random = createRandom(printedSeed());
      const scene = await s3Scene({ env: { HOOK_SECRET, LOCAL_RETENTION: "1h", ...SMALL_HEAP } });
      const { app } = scene;
      for (const name of RELEASED) await scene.addPath(name, { localRetention: "0s" });
      for (const name of KEPT_HERE) await scene.addPath(name, { archive: "none" });
      const segments = await writeSegments(scene, 5_000);
      const hooks = hookSender(app, 64);
      const restarts = [segments.length / 3, (segments.length * 2) / 3].map(Math.floor);
      const answers: Promise<HookAnswer>[] = [];
      let restarting: Promise<unknown> = Promise.resolve();
      const startedMs = performance.now();
      for (const [index, segment] of segments.entries()) {
        await until(startedMs + (index * 1_000) / HOOKS_PER_SEC);
        await appear(segment);
        if (restarts.includes(index)) restarting = restarting.then(() => app.kill()).then(() => app.start());
        answers.push(
          ...hooksOfOne(random).map(async ({ kind, afterMs }) => {
            await until(performance.now() + afterMs);
            return sendAsMediaMtxDoes(hooks, { kind, path: segment.camera, segmentPath: segment.file });
          }),
        );
      }
      await restarting;
      tell("hooks beside 200 new files a second and two kills", await Promise.all(answers));
      await scanned(app);
      await allAtRest(app, ({ path: camera }) => PLACES.get(camera) ?? PROVEN_HERE);

      const { violations, counted } = await auditOf(app, segments);
      expect(violations).toEqual([]);
      const all = segments.length;
      const of = (cameras: readonly string[]): number =>
        segments.filter(({ camera }) => cameras.includes(camera)).length;
      const released = of(RELEASED);
      expect(counted).toMatchObject({ created: all, rows: all, verified: all - of(KEPT_HERE), missingNumbers: 0 });
      expect(counted).toMatchObject({ archived: released, local: all - released });
      expect(counted.removals).toBeGreaterThanOrEqual(released);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "10,000 hooks at once are each answered, or refused and their files found by the scan, with a heap of 96 MiB (F3, F4, F18, F51)",
    async () => {
      const random = createRandom(printedSeed());
      const scene = await folderScene({ env: { HOOK_SECRET, LOCAL_RETENTION: "1h", ...SMALL_HEAP } });
      const { app } = scene;
      const segments = await writeSegments(scene, 1_000);
      for (const segment of segments) await appear(segment);
      const hooks = hookSender(app, 200);
      const tenTimes = Array.from({ length: 10 }, () => segments).flat();
      const answers = await Promise.all(
        shuffled(random, tenTimes).map(({ camera, file }) =>
          hooks.send({ kind: "segment-complete", path: camera, segmentPath: file }),
        ),
      );
      tell("hooks at once", answers);
      expect(answers).toHaveLength(10_000);
      const isAnswered = ({ status }: HookAnswer): boolean => status === 202 || status === 503;
      expect(answers.filter((answer) => !isAnswered(answer))).toEqual([]);
      await waitFor("Reelkeeper to be ready", async () => (await app.request("GET", "/ready")).status === 200);
      await scanned(app);
      await allAtRest(app, () => PROVEN_HERE);

      const { violations, counted } = await auditOf(app, segments);
      expect(violations).toEqual([]);
      expect(counted).toMatchObject({ created: 1_000, rows: 1_000, local: 1_000, verified: 1_000, missingNumbers: 0 });
    },
    TEST_TIMEOUT_MS,
  );
});

/** Beside the record directory, on the same disk; each has its own bytes and number, a stream for each camera. */
async function writeSegments({ directory, app }: Scene, count: number): Promise<Segment[]> {
  const firstStartUs = (Date.now() - 86_400_000) * 1_000;
  const segments: Segment[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = index % CAMERAS;
    const camera = `cam${at}`;
    const number = Math.floor(index / CAMERAS);
    const startUs = firstStartUs + number * 1_000_000;
    const streamId = `0a5c1b1e-0000-4000-8000-${String(at).padStart(12, "0")}`;
    const name = nameOf(camera, startUs);
    const source = path.join(directory, "sources", name);
    await mkdir(path.dirname(source), { recursive: true });
    await writeFile(source, footage({ startUs, number, seconds: 1, streamId, sampleBytes: 100 + at }));
    segments.push({ camera, source, file: path.join(app.recordDir, name) });
  }
  return segments;
}

async function appear({ source, file }: Segment): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await rename(source, file);
}

/** The hook scripts try three times, and keep nothing for later. */
async function sendAsMediaMtxDoes(hooks: HookSender, hook: SentHook): Promise<HookAnswer> {
  for (let failures = 0; ; failures += 1) {
    const answer = await hooks.send(hook);
    if (answer.status === 202 || failures === 2) return answer;
    await until(performance.now() + 1_000);
  }
}

interface DueHook {
  readonly kind: "segment-create" | "segment-complete";
  readonly afterMs: number;
}

/** One in ten is lost; some come twice, late (after those of later segments), or before the one that they follow. */
function hooksOfOne(random: () => number): DueHook[] {
  const late = (): number => (random() < 0.2 ? random() * 3_000 : 0);
  const hooks: DueHook[] = [];
  if (random() < 0.9) hooks.push({ kind: "segment-complete", afterMs: late() });
  if (random() < 0.1) hooks.push({ kind: "segment-complete", afterMs: late() });
  if (random() < 0.05) hooks.push({ kind: "segment-create", afterMs: late() });
  return hooks;
}

function hookSender(app: App, sockets: number): HookSender {
  const sender = createHookSender({ url: app.url, secret: HOOK_SECRET, sockets });
  onTestFinished(() => sender.close());
  return sender;
}

/** Printed, not judged: what the machine has to do beside decides it. */
function tell(what: string, answers: readonly HookAnswer[]): void {
  const heard = answers.filter(({ status }) => status === 202);
  const acksMs = heard.map(({ afterMs }) => afterMs).sort((left, right) => left - right);
  const at = (share: number): string => (acksMs[Math.floor((acksMs.length - 1) * share)] ?? NaN).toFixed(0);
  const refused = answers.filter(({ status }) => status !== undefined && status !== 202).length;
  console.log(
    `${answers.length} ${what}: ${heard.length} heard (p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, slowest ${at(1)} ms), ` +
      `${refused} refused, ${answers.length - heard.length - refused} without an answer`,
  );
}

/** A whole scan that begins now. */
async function scanned(app: App): Promise<void> {
  interface Scan {
    readonly running: boolean;
    readonly startedAt: string | null;
    readonly error: string | null;
  }
  const askedAt = Date.now();
  await app.request("POST", "/api/v1/scan");
  await waitFor(
    "a scan",
    async () => {
      const { running, startedAt, error } = await app.get<Scan>("/api/v1/scan");
      return !running && error === null && Date.parse(startedAt ?? "") >= askedAt;
    },
    { timeoutMs: DRAINED_WITHIN_MS, intervalMs: 250 },
  );
}

function auditOf(app: App, segments: readonly Segment[]): Promise<AuditReport> {
  const { recordDir, databaseFile, bucket } = app;
  const createdFiles = segments.map(({ file }) => file);
  return audit({ recordDir, databaseFile, bucket, prefix: APP_PREFIX, createdFiles, quiescent: true });
}

async function until(atMs: number): Promise<void> {
  const leftMs = atMs - performance.now();
  if (leftMs > 1) await new Promise((resolve) => setTimeout(resolve, leftMs));
}
