/** What Reelkeeper costs beside the MediaMTX that records: hundreds of paths with 10 s segments of one loopback source. */
import path from "node:path";
import { mkdir } from "node:fs/promises";

import { it, onTestFinished } from "vitest";

import { type App, startApp } from "../support/app.js";
import { startCamera } from "../support/camera.js";
import { freeMediaMtxPorts, quietMediaMtxConfig, startMediaMtx } from "../support/mediamtx-server.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { segmentsCounted } from "./support/app-metrics.js";
import { type Usage, usageOf } from "./support/process-usage.js";
import { below, IS_QUICK, type Line, report } from "./support/report.js";

const COUNTS = IS_QUICK ? [3] : [100, 300];
const MEASURED_MS = IS_QUICK ? 5_000 : 60_000;

it("costs little beside MediaMTX", async () => {
  const url = await startSource();
  const lines: Line[] = [];
  for (const count of COUNTS) {
    for (const archive of ["none", "all"] as const) lines.push(...(await measure(url, count, archive)));
  }
  report("cameras", lines);
});

/** One camera, published to a MediaMTX that all paths pull from. */
async function startSource(): Promise<string> {
  const directory = await tempDir();
  const ports = await freeMediaMtxPorts();
  const config = quietMediaMtxConfig("1.21.0", ports, "paths:\n  all_others:\n");
  const source = await startMediaMtx({ version: "1.21.0", directory, config });
  onTestFinished(() => source.stop());
  const camera = await startCamera({ url: source.rtspUrl("source"), bitrate: "300k", gopSec: 2 });
  onTestFinished(() => camera.stop());
  return source.rtspUrl("source");
}

async function measure(source: string, count: number, archive: "none" | "all"): Promise<Line[]> {
  const directory = path.join(await tempDir(), "app");
  await mkdir(directory);
  const app = await startApp({ directory, env: { LOCAL_RETENTION: "30d" } });
  try {
    const idle = usageOf(app.pid);
    for (let number = 0; number < count; number += 1) {
      const settings = { record: true, recordSegmentDuration: "10s", rtspTransport: "tcp", archive };
      await app.post("/api/v1/paths", { name: `cam${number}`, source, ...settings });
    }
    await waitFor("all paths to record", async () => (await segmentsCounted(app, "indexed")) >= count, {
      timeoutMs: 180_000,
    });
    const { ours, theirs } = await usedMeanwhile(app);
    const what = `${count} paths, ${archive === "all" ? "archived and proven in a folder" : "index only"}`;
    return [
      {
        ...{ what: `${what}: CPU`, value: (ours.cpuSec / MEASURED_MS) * 100_000, unit: "% of a core" },
        against: { name: "MediaMTX's CPU", value: (theirs.cpuSec / MEASURED_MS) * 100_000 },
        goal: { atMost: archive === "all" ? 1.5 : 0.5 },
      },
      {
        ...{ what: `${what}: RSS`, value: ours.rssMiB, unit: "MiB" },
        against: { name: "MediaMTX's RSS", value: theirs.rssMiB },
      },
      below(`RSS before the first path`, idle.rssMiB, { value: 120, unit: "MiB" }),
    ];
  } finally {
    await app.stop();
    await app.close();
  }
}

async function usedMeanwhile(app: App): Promise<{ ours: Usage; theirs: Usage }> {
  const pid = app.mediamtxPid() ?? 0;
  const before = { ours: usageOf(app.pid), theirs: usageOf(pid) };
  await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
  const used = (earlier: Usage, now: Usage): Usage => ({ ...now, cpuSec: now.cpuSec - earlier.cpuSec });
  return { ours: used(before.ours, usageOf(app.pid)), theirs: used(before.theirs, usageOf(pid)) };
}
