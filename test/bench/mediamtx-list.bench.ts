/** One path's list beside MediaMTX's own `/list`, over the same files. */
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { startApp } from "../support/app.js";
import { freeMediaMtxPorts, quietMediaMtxConfig, startMediaMtx } from "../support/mediamtx-server.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { segmentsCounted } from "./support/app-metrics.js";
import { IS_QUICK, type Line, report } from "./support/report.js";
import { writeSegments } from "./support/segments.js";
import { timeRequests } from "./support/timed-get.js";

const COUNTS = IS_QUICK ? [20] : [100, 1_000, 10_000];
const REQUESTS = IS_QUICK ? 3 : 15;
const MOST_PER_PAGE = 2_000;

it("lists beside MediaMTX", async () => {
  const lines: Line[] = [];
  for (const count of COUNTS) {
    const directory = await tempDir();
    const app = await startApp({ directory, env: { LOCAL_RETENTION: "30d" } });
    await writeSegments(app.recordDir, { camera: "cam1", count, seconds: 60, bytes: 20_000 });
    await app.request("POST", "/api/v1/scan");
    await waitFor("all to be indexed", async () => (await segmentsCounted(app, "indexed")) === count, {
      timeoutMs: 300_000,
    });
    const theirs = path.join(directory, "mediamtx");
    await mkdir(theirs);
    const ports = await freeMediaMtxPorts();
    const recordPath = `${app.recordDir}/%path/%Y-%m-%d/%s-%f`;
    // Left alone, MediaMTX removes what is older than a day when it starts.
    const more = `pathDefaults:\n  recordPath: "${recordPath}"\n  recordDeleteAfter: 0s\npaths:\n  cam1:\n`;
    const config = quietMediaMtxConfig("1.21.0", ports, more);
    const mediamtx = await startMediaMtx({ version: "1.21.0", directory: theirs, config });
    try {
      const their = await timeRequests(`http://127.0.0.1:${ports.playback}`, repeat("/list?path=cam1"), 1);
      const limit = Math.min(count, MOST_PER_PAGE);
      const ours = await timeRequests(app.url, repeat(`/api/v1/recordings?path=cam1&limit=${limit}`), 1);
      const same = await timeRequests(app.url, repeat("/playback/list?path=cam1"), 1);
      expect((await app.recordings({ path: "cam1" })).length).toBe(limit);
      lines.push({
        ...{ what: `list of ${limit} of ${count} files of one path`, value: ours.p50Ms, unit: "ms" },
        against: { name: "MediaMTX's /list of all", value: their.p50Ms },
      });
      lines.push({
        ...{ what: `/playback/list of ${count} files of 60 s`, value: same.p50Ms, unit: "ms" },
        against: { name: "MediaMTX's /list", value: their.p50Ms },
        goal: { atMost: 1 },
      });
    } finally {
      await mediamtx.stop();
      await app.close();
    }
  }
  report("mediamtx-list", lines);
});

function repeat(target: string): string[] {
  return Array.from({ length: REQUESTS }, () => target);
}
