/** Hooks at a steady pace and in a burst: how fast they are answered, and that each becomes an indexed row. */
import { it } from "vitest";

import { type App, startApp } from "../support/app.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { readMetrics } from "./support/app-metrics.js";
import {
  appearAndTell,
  HOOK_SECRET,
  type HookAnswer,
  prepareSegments,
  type Segment,
  sendSteadily,
} from "./support/hooks.js";
import { forgetPeak, usageOf } from "./support/process-usage.js";
import { below, IS_QUICK, type Line, percentile, report } from "./support/report.js";

const SECONDS = IS_QUICK ? 2 : 60;
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
  return withSegments(perSec * SECONDS, async (app, segments) => {
    const before = usageOf(app.pid).cpuSec;
    const answers = await sendSteadily(app, segments, perSec);
    const lastAckMs = performance.now();
    await indexed(app, { count: segments.length, isScanNeeded: answers.some(isRefused) });
    const indexedAfterSec = (performance.now() - lastAckMs) / 1_000;
    const cpuMs = ((usageOf(app.pid).cpuSec - before) * 1_000) / segments.length;
    const acksMs = answers.map(({ afterMs }) => afterMs);
    const what = `${perSec} hooks/s for ${SECONDS} s`;
    return [
      below(`${what}: answered, p99`, percentile(acksMs, 0.99), { value: 50, unit: "ms" }),
      refused(what, answers),
      { what: `${what}: answered, p50`, value: percentile(acksMs, 0.5), unit: "ms" },
      { what: `${what}: all indexed after the last answer`, value: indexedAfterSec, unit: "s" },
      { what: `${what}: CPU per hook, its segment indexed and archived`, value: cpuMs, unit: "ms" },
    ];
  });
}

async function burst(): Promise<Line[]> {
  return withSegments(BURST, async (app, segments) => {
    forgetPeak(app.pid);
    const answers: HookAnswer[] = [];
    const startedMs = performance.now();
    const waiting = [...segments];
    const work = async (): Promise<void> => {
      for (let segment = waiting.pop(); segment !== undefined; segment = waiting.pop()) {
        answers.push(await appearAndTell(app, segment));
      }
    };
    await Promise.all(Array.from({ length: BURST_CONNECTIONS }, work));
    const ackedSec = (performance.now() - startedMs) / 1_000;
    const lagMs = await indexed(app, { count: segments.length, isScanNeeded: answers.some(isRefused) });
    const indexedSec = (performance.now() - startedMs) / 1_000;
    const acksMs = answers.map(({ afterMs }) => afterMs);
    const what = `burst of ${BURST} hooks`;
    return [
      { what: `${what}: all answered`, value: ackedSec, unit: "s" },
      { what: `${what}: answered, p99`, value: percentile(acksMs, 0.99), unit: "ms" },
      refused(what, answers),
      below(`${what}: all indexed`, indexedSec, { value: 60, unit: "s" }),
      below(`${what}: event-loop delay meanwhile, p99`, lagMs, { value: 100, unit: "ms" }),
      below(`${what}: peak RSS`, usageOf(app.pid).peakRssMiB, { value: 256, unit: "MiB" }),
    ];
  });
}

async function withSegments(
  count: number,
  run: (app: App, segments: readonly Segment[]) => Promise<Line[]>,
): Promise<Line[]> {
  const directory = await tempDir();
  // No scan may be faster than the hooks: the first one is over. The watch leaves a file alone for seconds.
  const app = await startApp({ directory, env: { HOOK_SECRET, SCAN_INTERVAL: "24h" } });
  try {
    await waitFor("the first scan", async () => !(await app.get<{ running: boolean }>("/api/v1/scan")).running);
    return await run(app, await prepareSegments(app, directory, { camera: "cam1", count }));
  } finally {
    await app.close();
  }
}

function isRefused({ status }: HookAnswer): boolean {
  return status !== 202;
}

/** Their files are indexed all the same, by the watch or the scan. */
function refused(what: string, answers: readonly HookAnswer[]): Line {
  return { what: `${what}: refused`, value: answers.filter(isRefused).length, unit: "hooks" };
}

/** Resolves to the event loop's longest delay (p99) since the last look, in ms. */
async function indexed(
  app: App,
  { count, isScanNeeded }: { readonly count: number; readonly isScanNeeded: boolean },
): Promise<number> {
  if (isScanNeeded) await app.request("POST", "/api/v1/scan");
  let lagSec = 0;
  const look = async (): Promise<boolean> => {
    const metric = await readMetrics(app);
    lagSec = Math.max(lagSec, metric("reelkeeper_nodejs_eventloop_lag_p99_seconds"));
    return metric("reelkeeper_segments_total", { event: "indexed" }) >= count;
  };
  await waitFor("all hooks to be indexed rows", look, { intervalMs: 250, timeoutMs: INDEXED_WITHIN_MS });
  return lagSec * 1_000;
}
