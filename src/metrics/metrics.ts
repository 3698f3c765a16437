/** Prometheus metrics. Names carry their unit; gauges that need the catalog are read when somebody asks. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { BacklogPart } from "../catalog/archive-summary.js";
import type { LatestRecording } from "../catalog/latest-recordings.js";
import { type DeletionStop, DOUBTS } from "../core/deletion-doubt.js";
import { type DiskSpace, usedPercent } from "../core/disk-level.js";
import type { ErrorKind } from "../core/errors.js";

export interface MetricSources {
  readonly backlog: () => Promise<readonly BacklogPart[]>;
  readonly latest: () => Promise<readonly LatestRecording[]>;
  readonly nowUs: () => number;
  readonly uploadConcurrency: () => number;
  readonly deletionStops: () => readonly DeletionStop[];
  /** Settings in which file or server are not what the paths say. */
  readonly configDrift: () => number;
  /** Of the database; null where none is made. */
  readonly backup: () => {
    readonly last: { readonly takenAtUs: number; readonly bytes: number } | null;
    readonly error: string | null;
  } | null;
  readonly disks: readonly { readonly name: string; readonly directory: string }[];
  readonly readDiskSpace: (directory: string) => Promise<DiskSpace>;
}

export interface Metrics {
  readonly registry: Registry;
  /** A hook was answered. `result` is `accepted` or the kind of the error. */
  readonly hookAnswered: (kind: string, result: string, seconds: number) => void;
  /** `outcome` is `done` or the kind of the error. */
  readonly stepDone: (step: string, seconds: number, outcome: "done" | ErrorKind) => void;
  /** A closed segment was read for the first time. */
  readonly segmentIndexed: (bytes: number) => void;
  /** From the end of the segment to its proof in the store. */
  readonly segmentProven: (bytes: number, lagSec: number) => void;
  readonly segmentReleased: (bytes: number) => void;
  /** The scrub read an object back. `result` is `same`, `damaged` or `untold`. */
  readonly objectScrubbed: (result: string) => void;
  /** A periodic picture, by what came of it: `made`, `undecodable`, `ffmpeg-failed`, `given-up` … */
  readonly thumbnailCounted: (result: string) => void;
}

const STEP_SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];
const HOOK_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 5];
const LAG_SECONDS = [1, 2, 5, 15, 60, 300, 3_600, 86_400];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "reelkeeper_" });
  addGauges(registry, sources);
  addSafetyGauges(registry, sources);
  addBackupGauges(registry, sources);
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `reelkeeper_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, options: { labelNames?: string[]; buckets: number[] }) =>
    new Histogram({ name: `reelkeeper_${name}`, help, registers, ...options });
  const hooks = histogram("hook_duration_seconds", "Time to answer a hook", {
    labelNames: ["kind", "result"],
    buckets: HOOK_SECONDS,
  });
  const steps = histogram("step_duration_seconds", "Time of one step of one recording", {
    labelNames: ["step", "outcome"],
    buckets: STEP_SECONDS,
  });
  const lag = histogram("archive_lag_seconds", "From the end of a segment to its proof in the store", {
    buckets: LAG_SECONDS,
  });
  const segments = counter("segments_total", "Segments by what happened to them", ["event"]);
  const bytes = counter("segment_bytes_total", "Bytes of segments by what happened to them", ["event"]);
  const scrubbed = counter("scrubbed_objects_total", "Objects read back by the scrub, by what came of it", ["result"]);
  const thumbnails = counter("thumbnails_total", "Periodic pictures by what came of them", ["result"]);
  const errors = counter("errors_total", "Failed steps by kind of error", ["kind", "step"]);
  const count = (event: string, size: number): void => {
    segments.inc({ event });
    bytes.inc({ event }, size);
  };
  return {
    registry,
    hookAnswered: (kind, result, seconds) => hooks.observe({ kind, result }, seconds),
    stepDone: (step, seconds, outcome) => {
      steps.observe({ step, outcome }, seconds);
      if (outcome !== "done") errors.inc({ kind: outcome, step });
    },
    segmentIndexed: (size) => count("indexed", size),
    segmentProven: (size, lagSec) => {
      count("proven", size);
      lag.observe(Math.max(0, lagSec));
    },
    segmentReleased: (size) => count("released", size),
    objectScrubbed: (result) => scrubbed.inc({ result }),
    thumbnailCounted: (result) => thumbnails.inc({ result }),
  };
}

function addGauges(registry: Registry, sources: MetricSources): void {
  const gauge = gaugesOf(registry);
  gauge("backlog_segments", "Closed segments that the store has not proven yet", {
    labelNames: ["step"],
    async collect() {
      this.reset();
      for (const part of await sources.backlog()) this.set({ step: part.step }, part.segments);
    },
  });
  gauge("backlog_bytes", "Their bytes", {
    labelNames: ["step"],
    async collect() {
      this.reset();
      for (const part of await sources.backlog()) this.set({ step: part.step }, part.bytes);
    },
  });
  gauge("backlog_oldest_age_seconds", "Age of the start of the oldest segment in the backlog, 0 for none", {
    async collect() {
      const oldestUs = Math.min(...(await sources.backlog()).map((part) => part.oldestStartUs));
      this.set(Number.isFinite(oldestUs) ? (sources.nowUs() - oldestUs) / 1e6 : 0);
    },
  });
  gauge("path_recording_age_seconds", "Time since the end of the last recording of a path", {
    labelNames: ["path"],
    async collect() {
      this.reset();
      for (const { path, endUs } of await sources.latest()) this.set({ path }, (sources.nowUs() - endUs) / 1e6);
    },
  });
  gauge("upload_concurrency", "Uploads allowed at once", {
    collect() {
      this.set(sources.uploadConcurrency());
    },
  });
}

function addSafetyGauges(registry: Registry, sources: MetricSources): void {
  const gauge = gaugesOf(registry);
  gauge("deletions_stopped", "1 while nothing is removed for this reason, until a person releases it", {
    labelNames: ["doubt"],
    collect() {
      const stops = sources.deletionStops();
      for (const doubt of DOUBTS) this.set({ doubt }, stops.some((stop) => stop.doubt === doubt) ? 1 : 0);
    },
  });
  gauge("config_drift", "Settings that MediaMTX or its file have otherwise than the paths say; a person decides", {
    collect() {
      this.set(sources.configDrift());
    },
  });
  gauge("disk_used_ratio", "How full a disk is, 0 to 1; absent when it cannot be told", {
    labelNames: ["disk"],
    async collect() {
      this.reset();
      for (const { name, directory } of sources.disks) {
        const space = await sources.readDiskSpace(directory).catch(() => undefined);
        if (space !== undefined) this.set({ disk: name }, usedPercent(space) / 100);
      }
    },
  });
}

function addBackupGauges(registry: Registry, { backup }: MetricSources): void {
  const gauge = gaugesOf(registry);
  gauge("backup_timestamp_seconds", "When the last proven backup of the database was taken, since 1970; 0 for none", {
    collect() {
      this.set((backup()?.last?.takenAtUs ?? 0) / 1e6);
    },
  });
  gauge("backup_bytes", "Its bytes in the store", {
    collect() {
      this.set(backup()?.last?.bytes ?? 0);
    },
  });
  gauge("backup_failed", "1 when the last attempt failed", {
    collect() {
      this.set((backup()?.error ?? null) === null ? 0 : 1);
    },
  });
}

/** Gauges that look when somebody asks. */
function gaugesOf(registry: Registry) {
  return (name: string, help: string, options: { labelNames?: string[]; collect: (this: Gauge) => unknown }) =>
    new Gauge({
      name: `reelkeeper_${name}`,
      help,
      registers: [registry],
      labelNames: options.labelNames ?? [],
      async collect() {
        await options.collect.call(this);
      },
    });
}
