/** Clips of ten minutes and an hour beside MediaMTX's own `/get`, over the same files of a camera of 4 Mbit/s. */
import { mkdir } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";

import { expect, it } from "vitest";

import { formatRfc3339 } from "../../src/core/instant.js";
import { nameOf } from "../contract/steps/footage.js";
import { startApp } from "../support/app.js";
import { writeLongRecording } from "../support/long-recording.js";
import { freeMediaMtxPorts, quietMediaMtxConfig, startMediaMtx } from "../support/mediamtx-server.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { segmentsCounted } from "./support/app-metrics.js";
import { forgetPeak, usageOf } from "./support/process-usage.js";
import { below, IS_QUICK, type Line, percentile, report } from "./support/report.js";

const START_US = Date.UTC(2026, 5, 1) * 1_000;
const FILE_SEC = IS_QUICK ? 10 : 60;
const FILES = IS_QUICK ? 3 : 61;
const BYTES_PER_SEC = 500_000;
const LENGTHS = IS_QUICK ? [20] : [600, 3_600];
const TIMES = IS_QUICK ? 1 : 3;
/** Above what it takes to do nothing. */
const MOST_RSS_MIB = 120;

interface Fetched {
  readonly firstByteMs: number;
  readonly mibPerSec: number;
  readonly bytes: number;
}

it("cuts clips beside MediaMTX", async () => {
  const directory = await tempDir();
  const app = await startApp({ directory, env: { LOCAL_RETENTION: "30d" } });
  for (let number = 0; number < FILES; number += 1) {
    const startUs = START_US + number * FILE_SEC * 1_000_000;
    const long = { seconds: FILE_SEC, bytesPerSec: BYTES_PER_SEC, startUs, number };
    await writeLongRecording(app.recordDir, nameOf("cam1", startUs), long);
  }
  await app.request("POST", "/api/v1/scan");
  const indexed = async () => (await segmentsCounted(app, "indexed")) === FILES;
  await waitFor("all to be indexed", indexed, { timeoutMs: 600_000 });
  const theirs = path.join(directory, "mediamtx");
  await mkdir(theirs);
  const ports = await freeMediaMtxPorts();
  const recordPath = `${app.recordDir}/%path/%Y-%m-%d/%s-%f`;
  const more = `pathDefaults:\n  recordPath: "${recordPath}"\n  recordDeleteAfter: 0s\npaths:\n  cam1:\n`;
  const config = quietMediaMtxConfig("1.21.0", ports, more);
  const mediamtx = await startMediaMtx({ version: "1.21.0", directory: theirs, config });
  const lines: Line[] = [];
  try {
    const idleMiB = usageOf(app.pid).rssMiB;
    forgetPeak(app.pid);
    for (const seconds of LENGTHS) {
      for (const format of ["fmp4", "mp4"] as const)
        lines.push(...(await compare(app.url, ports.playback, { seconds, format })));
    }
    lines.push(
      below("memory beside what it takes at rest", usageOf(app.pid).peakRssMiB - idleMiB, {
        value: MOST_RSS_MIB,
        unit: "MiB",
      }),
    );
  } finally {
    await mediamtx.stop();
    await app.close();
  }
  report("clips", lines);
});

async function compare(
  ours: string,
  playbackPort: number,
  { seconds, format }: { readonly seconds: number; readonly format: "mp4" | "fmp4" },
): Promise<Line[]> {
  // Another one each time: what a clip was laid out as is kept for a while.
  const range = (time: number) => ({
    fromUs: START_US + time * 1_000_000,
    toUs: START_US + (time + seconds) * 1_000_000,
  });
  const clip = (time: number): string => {
    const { fromUs, toUs } = range(time);
    return `${ours}/api/v1/clip.mp4?path=cam1&from=${formatRfc3339(fromUs)}&to=${formatRfc3339(toUs)}&format=${format}`;
  };
  const get = (time: number): string => {
    const start = formatRfc3339(range(time).fromUs);
    return `http://127.0.0.1:${playbackPort}/get?path=cam1&start=${start}&duration=${seconds}&format=${format}`;
  };
  const [our, their]: [Fetched[], Fetched[]] = [[], []];
  // In turn, so that both meet the same machine.
  for (let time = 0; time < TIMES; time += 1) {
    their.push(await fetchAll(get(time)));
    our.push(await fetchAll(clip(time)));
  }
  expect(our[0]?.bytes).toBeGreaterThan(0.98 * (their[0]?.bytes ?? Infinity));
  const median = (list: readonly Fetched[], key: "firstByteMs" | "mibPerSec") =>
    percentile(
      list.map((one) => one[key]),
      0.5,
    );
  const what = `clip of ${seconds} s as ${format}`;
  const against = (key: "firstByteMs" | "mibPerSec") => ({ name: "MediaMTX's /get", value: median(their, key) });
  return [
    {
      ...{
        what: `${what}, first byte`,
        value: median(our, "firstByteMs"),
        unit: "ms",
        against: against("firstByteMs"),
      },
      ...(format === "mp4" ? { goal: { atMost: 0.3 } } : {}),
    },
    {
      ...{ what, value: median(our, "mibPerSec"), unit: "MiB/s", against: against("mibPerSec") },
      goal: { atLeast: 1 },
    },
  ];
}

function fetchAll(url: string): Promise<Fetched> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false }, (incoming) => {
      let bytes = 0;
      let firstByteMs = 0;
      incoming.on("data", (chunk: Buffer) => {
        if (bytes === 0) firstByteMs = performance.now() - startedMs;
        bytes += chunk.length;
      });
      incoming.once("error", reject);
      incoming.once("end", () => {
        const mibPerSec = bytes / 1_048_576 / ((performance.now() - startedMs) / 1_000);
        if (incoming.statusCode === 200) resolve({ firstByteMs, mibPerSec, bytes });
        else reject(new Error(`${url} answers ${incoming.statusCode ?? 0}`));
      });
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}
