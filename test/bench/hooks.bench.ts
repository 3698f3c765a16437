/** Hooks at a steady pace and in a burst: how fast they are answered, and that each becomes an indexed row. */
import path from "node:path";

import { expect, it } from "vitest";

import { type App, startApp } from "../support/app.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { metricOf, segmentsCounted } from "./support/app-metrics.js";
import { forgetPeak, usageOf } from "./support/process-usage.js";
import { below, IS_QUICK, type Line, percentile, report } from "./support/report.js";
import { writeSegments } from "./support/segments.js";

const HOOK_SECRET = "hook-secret-of-the-bench";
const SECONDS = IS_QUICK ? 3 : 60;
const BURST = IS_QUICK ? 100 : 10_000;
const BURST_CONNECTIONS = 32;
const INDEXED_WITHIN_MS = 300_000;

it("answers hooks at a steady pace and in a burst", async () => {
  const lines: Line[] = [];
  for (const perSec of [50, 200]) lines.push(...(await steady(perSec)));
  lines.push(...(await burst()));
  report("hooks", lines);
});

async function steady(perSec: number): Promise<Line[]> {
  return withSegments(perSec * SECONDS, async (app, files) => {
    const acksMs: number[] = [];
    const sent: Promise<unknown>[] = [];
    const startedMs = performance.now();
    for (const [index, file] of files.entries()) {
      await until(startedMs + (index * 1_000) / perSec);
      sent.push(hook(app, file).then((ms) => acksMs.push(ms)));
    }
    await Promise.all(sent);
    const lastAckMs = performance.now();
    await indexed(app, files.length);
    const what = `${perSec} hooks/s for ${SECONDS} s`;
    return [
      below(`${what}: answered, p99`, percentile(acksMs, 0.99), { value: 50, unit: "ms" }),
      { what: `${what}: answered, p50`, value: percentile(acksMs, 0.5), unit: "ms" },
      { what: `${what}: all indexed after the last answer`, value: (performance.now() - lastAckMs) / 1_000, unit: "s" },
    ];
  });
}

async function burst(): Promise<Line[]> {
  return withSegments(BURST, async (app, files) => {
    forgetPeak(app.pid);
    const acksMs: number[] = [];
    const startedMs = performance.now();
    const waiting = [...files];
    const work = async (): Promise<void> => {
      for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) acksMs.push(await hook(app, file));
    };
    await Promise.all(Array.from({ length: BURST_CONNECTIONS }, work));
    const ackedSec = (performance.now() - startedMs) / 1_000;
    await indexed(app, files.length);
    const indexedSec = (performance.now() - startedMs) / 1_000;
    const lagSec = await metricOf(app, "reelkeeper_nodejs_eventloop_lag_p99_seconds");
    const what = `burst of ${BURST} hooks`;
    return [
      { what: `${what}: all answered`, value: ackedSec, unit: "s" },
      { what: `${what}: answered, p99`, value: percentile(acksMs, 0.99), unit: "ms" },
      below(`${what}: all indexed`, indexedSec, { value: 60, unit: "s" }),
      below(`${what}: event-loop delay meanwhile, p99`, lagSec * 1_000, { value: 100, unit: "ms" }),
      below(`${what}: peak RSS`, usageOf(app.pid).peakRssMiB, { value: 256, unit: "MiB" }),
    ];
  });
}

async function withSegments(
  count: number,
  run: (app: App, files: readonly string[]) => Promise<Line[]>,
): Promise<Line[]> {
  const directory = await tempDir();
  // No watch and no scan may be faster than the hooks: the files are there before, the first scan is long over.
  const app = await startApp({ directory, env: { HOOK_SECRET, SCAN_INTERVAL: "24h" } });
  try {
    await waitFor("the first scan", async () => !(await app.get<{ running: boolean }>("/api/v1/scan")).running);
    const names = await writeSegments(app.recordDir, { camera: "cam1", count, seconds: 4, bytes: 4_000 });
    return await run(
      app,
      names.map((name) => path.join(app.recordDir, name)),
    );
  } finally {
    await app.close();
  }
}

/** Resolves to the time until the answer, in ms. */
async function hook(app: App, segmentPath: string): Promise<number> {
  const startedMs = performance.now();
  const body = new URLSearchParams({ secret: HOOK_SECRET, path: "cam1", segmentPath, segmentDuration: "4" });
  const response = await fetch(`${app.url}/hooks/segment-complete`, { method: "POST", body });
  await response.arrayBuffer();
  expect(response.status).toBe(202);
  return performance.now() - startedMs;
}

async function indexed(app: App, count: number): Promise<void> {
  await waitFor("all hooks to be indexed rows", async () => (await segmentsCounted(app, "indexed")) >= count, {
    ...{ intervalMs: 100, timeoutMs: INDEXED_WITHIN_MS },
  });
}

async function until(atMs: number): Promise<void> {
  const leftMs = atMs - performance.now();
  if (leftMs > 1) await new Promise((resolve) => setTimeout(resolve, leftMs));
}
