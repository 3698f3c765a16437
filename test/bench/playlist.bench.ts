/** The HLS playlist of a day of 10 s segments, beside MediaMTX's own `/list` of the same files. */
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { startApp } from "../support/app.js";
import { freeMediaMtxPorts, quietMediaMtxConfig, startMediaMtx } from "../support/mediamtx-server.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { segmentsCounted } from "./support/app-metrics.js";
import { below, IS_QUICK, type Line, report } from "./support/report.js";
import { FIRST_START_US, writeSegments } from "./support/segments.js";
import { timeRequests } from "./support/timed-get.js";

const SEGMENT_SEC = 10;
const FILES = IS_QUICK ? 30 : 8_640;
const REQUESTS = IS_QUICK ? 3 : 20;
const GOAL_MS = 150;
/** Of so many days none is remembered until its turn comes again. */
const CAMERAS = ["cam1", "cam2", "cam3"];

it("makes the playlist of a day", async () => {
  const directory = await tempDir();
  const app = await startApp({ directory, env: { LOCAL_RETENTION: "30d" } });
  for (const camera of CAMERAS) {
    await writeSegments(app.recordDir, { camera, count: FILES, seconds: SEGMENT_SEC, bytes: 5_000 });
  }
  await app.request("POST", "/api/v1/scan");
  await waitFor("all to be indexed", async () => (await segmentsCounted(app, "indexed")) === CAMERAS.length * FILES, {
    timeoutMs: 600_000,
  });
  const theirs = path.join(directory, "mediamtx");
  await mkdir(theirs);
  const ports = await freeMediaMtxPorts();
  const recordPath = `${app.recordDir}/%path/%Y-%m-%d/%s-%f`;
  // Left alone, MediaMTX removes what is older than a day when it starts.
  const more = `pathDefaults:\n  recordPath: "${recordPath}"\n  recordDeleteAfter: 0s\npaths:\n  cam1:\n`;
  const mediamtx = await startMediaMtx({
    version: "1.21.0",
    directory: theirs,
    config: quietMediaMtxConfig("1.21.0", ports, more),
  });
  try {
    const range = { from: new Date(FIRST_START_US / 1_000).toISOString(), to: endOfDay() };
    const targets = CAMERAS.map(
      (camera) => `/api/v1/playlist.m3u8?${new URLSearchParams({ path: camera, ...range }).toString()}`,
    );
    const text = await (await fetch(`${app.url}${targets[0] ?? ""}`)).text();
    expect(text.match(/^#EXT-X-MAP/gm)).toHaveLength(FILES);
    const inTurn = Array.from({ length: REQUESTS }, (_, index) => targets[index % targets.length] ?? "");
    const ours = await timeRequests(app.url, inTurn, targets.length);
    const again = await timeRequests(app.url, repeat(targets[0] ?? ""), 1);
    const their = await timeRequests(`http://127.0.0.1:${ports.playback}`, repeat("/list?path=cam1"), 1);
    const what = `playlist of ${FILES} files of ${SEGMENT_SEC} s`;
    const lines: Line[] = [
      below(`${what}, another path each time, p50`, ours.p50Ms, { value: GOAL_MS, unit: "ms" }),
      below(`${what}, another path each time, p99`, ours.p99Ms, { value: 2 * GOAL_MS, unit: "ms" }),
      { what: `${what}, asked for again, p50`, value: again.p50Ms, unit: "ms" },
      { what: `${what}, bytes`, value: text.length, unit: "bytes" },
      { what, value: ours.p50Ms, unit: "ms", against: { name: "MediaMTX's /list of all", value: their.p50Ms } },
    ];
    report("playlist", lines);
  } finally {
    await mediamtx.stop();
    await app.close();
  }
});

function endOfDay(): string {
  return new Date(FIRST_START_US / 1_000 + 86_400_000).toISOString();
}

function repeat(target: string): string[] {
  return Array.from({ length: REQUESTS }, () => target);
}
