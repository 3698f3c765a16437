/**
 * Cameras, uploads, releases and viewers for ten minutes in CI, a minute elsewhere, or as many as SOAK_MINUTES says
 * (480 by hand before a release): what the process holds stays as it is.
 */
import { readdirSync, readlinkSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { usageOf } from "../../bench/support/process-usage.js";
import type { App } from "../../support/app.js";
import { JUDGED_ONCE, PATIENCE } from "../../support/patience.js";
import { waitFor } from "../../support/wait-for.js";
import { allAtRest } from "./at-rest.js";
import { s3Scene } from "./scene.js";

const IN_CI = /^(1|true)$/i.test(process.env["CI"] ?? "");
const MINUTES = Number(process.env["SOAK_MINUTES"] ?? (IN_CI ? 10 : 1));
/** Until the heap has found its size. */
const WARM_UP_MS = MINUTES * 12_000;
const SAMPLE_EVERY_MS = 2_000;
const PATHS = ["cam1", "cam2", "site/gate"];
const CAMERA = { size: "160x120", fps: 5, bitrate: "60k" } as const;

interface Sample {
  readonly rssMiB: number;
  readonly descriptors: number;
  readonly sockets: number;
}

describe("the rule of the soak", () => {
  const steady = Array.from({ length: 30 }, (_, at) => ({ rssMiB: 150 + (at % 3), descriptors: 40, sockets: 12 }));

  it("takes what goes up and down as flat", () => {
    const peaks = steady.map((sample, at) => (at % 10 === 9 ? { ...sample, rssMiB: 400, descriptors: 90 } : sample));
    expect(risen(steady)).toEqual([]);
    expect(risen(peaks)).toEqual([]);
  });

  it.each([
    ["rssMiB", (at: number) => ({ rssMiB: 150 + 5 * at })],
    ["descriptors", (at: number) => ({ descriptors: 40 + at })],
    ["sockets", (at: number) => ({ sockets: 12 + at })],
  ] as const)("sees that %s rises", (what, leakAt) => {
    const leak = steady.map((sample, at) => ({ ...sample, ...leakAt(at) }));
    expect(risen(leak)).toEqual([expect.stringContaining(what)]);
  });
});

it(
  `${MINUTES} minutes of recording, uploading, releasing and viewing leave memory, descriptors and sockets as they were`,
  { ...JUDGED_ONCE, timeout: MINUTES * 60_000 + 300_000 * PATIENCE },
  async () => {
    const scene = await s3Scene({ env: { LOCAL_RETENTION: "5s", SCAN_INTERVAL: "10s" } });
    const { app, addPath, startCamera } = scene;
    for (const name of PATHS) await addPath(name, { recordSegmentDuration: "2s" });
    const cameras = await Promise.all(PATHS.map((name) => startCamera(name, CAMERA)));
    await waitFor("a release", async () => (await app.recordings()).some(({ local }) => local === "released"), {
      timeoutMs: 120_000,
    });

    await viewUntil(app, performance.now() + WARM_UP_MS);
    const samples = await viewUntil(app, performance.now() + MINUTES * 60_000 - WARM_UP_MS);
    const [first, last] = thirdsOf(samples);
    console.log(`of the first third ${JSON.stringify(first)}, of the last ${JSON.stringify(last)}`);

    await Promise.all(cameras.map((camera) => camera.stop()));
    await app.request("POST", "/api/v1/scan");
    await allAtRest(app, () => "released verified");
    const { violations, counted } = await app.audit();
    console.log(`${counted.rows} segments`);
    expect(violations).toEqual([]);
    expect(counted.verified).toBe(counted.rows);
    expect(risen(samples)).toEqual([]);
  },
);

/** As viewers and a monitoring system would: lists, metrics, and files of which they leave half. */
async function viewUntil(app: App, endMs: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  while (performance.now() < endMs) {
    const [newest] = await app.recordings({ order: "newest", limit: "50" });
    await app.request("GET", "/metrics");
    if (newest !== undefined) await leaveHalf(`${app.url}/api/v1/recordings/${newest.id}/file`);
    samples.push(sampleOf(app.pid));
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
  }
  return samples;
}

async function leaveHalf(url: string): Promise<void> {
  const left = new AbortController();
  const response = await fetch(url, { signal: left.signal });
  await response.body?.getReader().read();
  left.abort();
}

function sampleOf(pid: number): Sample {
  const directory = `/proc/${pid}/fd`;
  const descriptors = readdirSync(directory);
  const isSocket = (descriptor: string): boolean => {
    try {
      return readlinkSync(`${directory}/${descriptor}`).startsWith("socket:");
    } catch {
      // Closed since it was listed.
      return false;
    }
  };
  return {
    rssMiB: Math.round(usageOf(pid).rssMiB),
    descriptors: descriptors.length,
    sockets: descriptors.filter(isSocket).length,
  };
}

/** What is more in the last third than in the first, by the medians: peaks pass, a leak does not. */
function risen(samples: readonly Sample[]): string[] {
  const [first, last] = thirdsOf(samples);
  const allowed = {
    rssMiB: first.rssMiB * 1.15 + 24,
    descriptors: first.descriptors + 8,
    sockets: first.sockets + 8,
  };
  return (["rssMiB", "descriptors", "sockets"] as const)
    .filter((what) => last[what] > allowed[what])
    .map((what) => `${what}: ${first[what]} in the first third, ${last[what]} in the last`);
}

function thirdsOf(samples: readonly Sample[]): readonly [Sample, Sample] {
  const third = Math.floor(samples.length / 3);
  return [mediansOf(samples.slice(0, third)), mediansOf(samples.slice(-third))];
}

function mediansOf(samples: readonly Sample[]): Sample {
  const median = (what: keyof Sample): number => {
    const values = samples.map((sample) => sample[what]).sort((left, right) => left - right);
    return values[Math.floor(values.length / 2)] ?? Number.NaN;
  };
  return { rssMiB: median("rssMiB"), descriptors: median("descriptors"), sockets: median("sockets") };
}
