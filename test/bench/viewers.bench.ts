/** A hundred viewers at once beside hooks at a steady pace: recording must not feel them. */
import { Worker } from "node:worker_threads";

import { expect, it } from "vitest";

import { type App, startApp } from "../support/app.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { segmentsCounted } from "./support/app-metrics.js";
import { HOOK_SECRET, type HookAnswer, prepareSegments, sendSteadily } from "./support/hooks.js";
import { IS_QUICK, percentile, report } from "./support/report.js";
import { FIRST_START_US, writeSegments } from "./support/segments.js";

const VIEWERS = IS_QUICK ? 5 : 100;
const HOOKS_PER_SEC = 50;
const SECONDS = IS_QUICK ? 2 : 30;
/** An hour of 10 s files, of 2 Mbit/s. */
const FILES = IS_QUICK ? 6 : 360;
const FILE_SEC = 10;
const FILE_BYTES = 2_500_000;

interface Watched {
  readonly playlists: number;
  readonly ranges: number;
  readonly bytes: number;
  readonly failures: number;
}

it("answers hooks beside many viewers", async () => {
  const directory = await tempDir();
  const app = await startApp({ directory, env: { HOOK_SECRET, SCAN_INTERVAL: "24h", LOCAL_RETENTION: "30d" } });
  try {
    await writeSegments(app.recordDir, { camera: "cam1", count: FILES, seconds: FILE_SEC, bytes: FILE_BYTES });
    await app.request("POST", "/api/v1/scan");
    const indexed = async () => (await segmentsCounted(app, "indexed")) === FILES;
    await waitFor("all to be indexed", indexed, { timeoutMs: 600_000 });
    const alone = await hooks(app, directory, "cam2");
    const viewers = startViewers(app);
    const beside = await hooks(app, directory, "cam3");
    const watched = await viewers.stop();
    expect(watched.failures).toBe(0);
    const what = `${VIEWERS} viewers beside ${HOOKS_PER_SEC} hooks/s for ${SECONDS} s`;
    const p99Ms = (answers: readonly HookAnswer[]) =>
      percentile(
        answers.map(({ afterMs }) => afterMs),
        0.99,
      );
    report("viewers", [
      {
        ...{ what: `${what}: hooks answered, p99`, value: p99Ms(beside), unit: "ms" },
        ...{ against: { name: "without viewers", value: p99Ms(alone) }, goal: { atMost: 2 } },
      },
      { what: `${what}: playlists`, value: watched.playlists, unit: "playlists" },
      { what: `${what}: media sent`, value: watched.bytes / 1_048_576 / SECONDS, unit: "MiB/s" },
    ]);
  } finally {
    await app.close();
  }
});

async function hooks(app: App, directory: string, camera: string): Promise<HookAnswer[]> {
  const segments = await prepareSegments(app, directory, { camera, count: HOOKS_PER_SEC * SECONDS });
  const answers = await sendSteadily(app, segments, HOOKS_PER_SEC);
  expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
  return answers;
}

function startViewers({ url }: App): { readonly stop: () => Promise<Watched> } {
  const range = { from: new Date(FIRST_START_US / 1_000), to: new Date(FIRST_START_US / 1_000 + 3_600_000) };
  const query = { path: "cam1", from: range.from.toISOString(), to: range.to.toISOString() };
  const target = `/api/v1/playlist.m3u8?${new URLSearchParams(query).toString()}`;
  const workerData = { url, target, viewers: VIEWERS };
  const worker = new Worker(new URL("./support/viewers.mjs", import.meta.url), { workerData });
  const ended = new Promise<Watched>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return {
    stop: () => {
      worker.postMessage("stop");
      return ended;
    },
  };
}
