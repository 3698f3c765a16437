/** A large folder that nobody knows, the same folder once it is known, and a backlog that comes at once. */
import { rm } from "node:fs/promises";

import { expect, it } from "vitest";

import { installApp } from "../support/app-setup.js";
import { startApp } from "../support/app.js";
import { startChild } from "../support/child.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { readMetrics } from "./support/app-metrics.js";
import { forgetPeak, usageOf } from "./support/process-usage.js";
import { below, IS_QUICK, type Line, report } from "./support/report.js";
import { writeSegments } from "./support/segments.js";

const FILES = IS_QUICK ? 500 : 100_000;
const BACKLOG = IS_QUICK ? 200 : 10_000;
const CAMERAS = 20;

it("scans a large folder", async () => {
  const directory = await tempDir();
  const { program, dataDir, env } = await installApp({ directory });
  for (let camera = 0; camera < CAMERAS; camera += 1) {
    const segments = { camera: `cam${camera}`, count: FILES / CAMERAS, seconds: 1, bytes: 100 };
    await writeSegments(`${dataDir}/recordings`, segments);
  }
  const scan = async (expected: number): Promise<number> => {
    const startedMs = performance.now();
    const child = await startChild(process.execPath, [program, "scan"], { env: { ...process.env, ...env } });
    expect(await child.exited, child.output()).toBe(0);
    expect(child.output()).toContain(`"recorded":${expected}`);
    return (performance.now() - startedMs) / 1_000;
  };
  const coldSec = await scan(FILES);
  const knownSec = await scan(0);
  report("scan", [
    { what: `scan of ${FILES} unknown files`, value: coldSec, unit: "s" },
    {
      ...{ what: `scan of ${FILES} known files`, value: knownSec, unit: "s" },
      against: { name: "unknown files", value: coldSec },
    },
  ]);
  await rm(directory, { recursive: true, force: true });
});

it("drains a backlog", async () => {
  const directory = await tempDir();
  const app = await startApp({ directory });
  await waitFor("the first scan", async () => !(await app.get<{ running: boolean }>("/api/v1/scan")).running);
  await app.stop();
  await writeSegments(app.recordDir, { camera: "cam1", count: BACKLOG, seconds: 4, bytes: 4_000 });
  await app.start();
  try {
    forgetPeak(app.pid);
    const startedMs = performance.now();
    let lagMs = 0;
    const secUntil = async (event: "indexed" | "proven"): Promise<number> => {
      const isReached = async (): Promise<boolean> => {
        const metric = await readMetrics(app);
        lagMs = Math.max(lagMs, metric("reelkeeper_nodejs_eventloop_lag_p99_seconds") * 1_000);
        return metric("reelkeeper_segments_total", { event }) >= BACKLOG;
      };
      await waitFor(`all to be ${event}`, isReached, { intervalMs: 200, timeoutMs: 600_000 });
      return (performance.now() - startedMs) / 1_000;
    };
    const indexedSec = await secUntil("indexed");
    const provenSec = await secUntil("proven");
    const what = `backlog of ${BACKLOG} files`;
    const lines: Line[] = [
      below(`${what}: indexed`, indexedSec, { value: 60, unit: "s" }),
      { what: `${what}: proven in a folder`, value: provenSec, unit: "s" },
      below(`${what}: event-loop delay, p99`, lagMs, { value: 100, unit: "ms" }),
      below(`${what}: peak RSS`, usageOf(app.pid).peakRssMiB, { value: 256, unit: "MiB" }),
    ];
    report("backlog", lines);
  } finally {
    await app.close();
  }
});
