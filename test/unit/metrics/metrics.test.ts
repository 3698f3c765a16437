import { beforeEach, describe, expect, it } from "vitest";

import { createMetrics, type Metrics } from "../../../src/metrics/metrics.js";
import { parsePathName } from "../../../src/core/path-name.js";

const NOW_US = 1_000_000_000_000;

let metrics: Metrics;
let backlog: { step: "inspect" | "archive"; segments: number; bytes: number; oldestStartUs: number }[];

beforeEach(() => {
  backlog = [];
  metrics = createMetrics({
    backlog: () => Promise.resolve(backlog),
    latest: () =>
      Promise.resolve([{ path: parsePathName("site/cam1"), startUs: NOW_US - 9_000_000, endUs: NOW_US - 7_000_000 }]),
    nowUs: () => NOW_US,
    uploadConcurrency: () => 4,
    deletionStops: () => [],
    configDrift: () => 2,
    backup: () => null,
    disks: [],
    readDiskSpace: () => Promise.reject(new Error("no disk")),
  });
});

/** The value of one sample as Prometheus would read it. */
async function sample(name: string): Promise<number | undefined> {
  const line = (await metrics.registry.metrics()).split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

describe("metrics", () => {
  it("count segments and bytes by what happened to them", async () => {
    metrics.segmentIndexed(1_000);
    metrics.segmentIndexed(500);
    metrics.segmentProven(1_000, 2.5);
    metrics.segmentReleased(1_000);
    expect(await sample('reelkeeper_segments_total{event="indexed"}')).toBe(2);
    expect(await sample('reelkeeper_segment_bytes_total{event="indexed"}')).toBe(1_500);
    expect(await sample('reelkeeper_segments_total{event="proven"}')).toBe(1);
    expect(await sample('reelkeeper_segments_total{event="released"}')).toBe(1);
    expect(await sample("reelkeeper_archive_lag_seconds_sum")).toBe(2.5);
    expect(await sample('reelkeeper_archive_lag_seconds_bucket{le="2"}')).toBe(0);
    expect(await sample('reelkeeper_archive_lag_seconds_bucket{le="5"}')).toBe(1);
  });

  it("take no negative lag from a clock that stepped back (F34)", async () => {
    metrics.segmentProven(1, -3_600);
    expect(await sample("reelkeeper_archive_lag_seconds_sum")).toBe(0);
  });

  it("time hooks and steps by result", async () => {
    metrics.hookAnswered("segment-complete", "accepted", 0.004);
    metrics.stepDone("archive", 1.5, "unavailable");
    const hook = 'kind="segment-complete",result="accepted"';
    expect(await sample(`reelkeeper_hook_duration_seconds_count{${hook}}`)).toBe(1);
    expect(await sample('reelkeeper_step_duration_seconds_sum{step="archive",outcome="unavailable"}')).toBe(1.5);
  });

  it("count failed steps by kind of error", async () => {
    metrics.stepDone("archive", 1, "unavailable");
    metrics.stepDone("archive", 1, "unavailable");
    metrics.stepDone("archive", 1, "done");
    expect(await sample('reelkeeper_errors_total{kind="unavailable",step="archive"}')).toBe(2);
  });

  it("show the backlog as it is when somebody asks, and nothing of what is done", async () => {
    backlog = [
      { step: "inspect", segments: 3, bytes: 30, oldestStartUs: NOW_US - 60_000_000 },
      { step: "archive", segments: 5, bytes: 50, oldestStartUs: NOW_US - 10_000_000 },
    ];
    expect(await sample('reelkeeper_backlog_segments{step="inspect"}')).toBe(3);
    expect(await sample('reelkeeper_backlog_bytes{step="archive"}')).toBe(50);
    expect(await sample("reelkeeper_backlog_oldest_age_seconds")).toBe(60);
    backlog = [];
    expect(await sample('reelkeeper_backlog_segments{step="inspect"}')).toBeUndefined();
    expect(await sample("reelkeeper_backlog_oldest_age_seconds")).toBe(0);
  });

  it("tell the age of each path's last recording and the uploads allowed at once", async () => {
    expect(await sample('reelkeeper_path_recording_age_seconds{path="site/cam1"}')).toBe(7);
    expect(await sample("reelkeeper_upload_concurrency")).toBe(4);
  });
});
