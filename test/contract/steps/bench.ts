/**
 * The product's own ingest, steps and worker, in this process: a real SQLite catalog, real files, a folder store, the
 * worker thread that inspects. Only the clock, the store and the environment can be changed from outside.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, onTestFinished } from "vitest";

import { createFolderStore } from "../../../src/archive/folder-store.js";
import type { ObjectStore } from "../../../src/archive/object-store.js";
import { createRateLimiter } from "../../../src/archive/rate-limiter.js";
import { UploadPace } from "../../../src/archive/upload-pace.js";
import { type Catalog, closeCatalog, openCatalog } from "../../../src/catalog/catalog.js";
import type { DatabaseTarget } from "../../../src/catalog/database.js";
import { recordingFromRow } from "../../../src/catalog/recording-row.js";
import { loadConfig } from "../../../src/config/config.js";
import { readEnv } from "../../../src/config/env.js";
import type { Recording } from "../../../src/core/recording.js";
import type { NoteHookDeps } from "../../../src/ingest/note-hook.js";
import { emptyProgress, type ScanDeps, type ScanProgress, scanRecordDir } from "../../../src/ingest/scan.js";
import { Inspector } from "../../../src/media/inspector.js";
import { createMetrics } from "../../../src/metrics/metrics.js";
import type { Worker } from "../../../src/pipeline/worker.js";
import { readDiskSpace } from "../../../src/platform/disk-space.js";
import type { DeletionGuard } from "../../../src/retention/deletion-guard.js";
import { type Clock, systemClock } from "../../../src/platform/clock.js";
import type { LogFields, Logger } from "../../../src/platform/logger.js";
import { createGuard } from "../../../src/wiring/create-guard.js";
import { createIngest } from "../../../src/wiring/create-ingest.js";
import { createPipeline } from "../../../src/wiring/create-pipeline.js";
import { Pulse } from "../../../src/wiring/pulse.js";
import type { Setup } from "../../../src/wiring/setup.js";
import { compileInspectionWorker } from "../../support/compiled-worker.js";
import { SEALING } from "../../support/sealing.js";
import { createTempDir, removeTempDir, tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

export interface BenchOptions {
  /** The variables of the README; folders are set. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** In place of the folder store, for the marker too. */
  readonly store?: ObjectStore;
  /** Puts something between the steps and the store. */
  readonly wrapStore?: (inner: ObjectStore) => ObjectStore;
  /** Puts something between the step and the inspector. */
  readonly wrapInspector?: (inner: Inspector) => Pick<Inspector, "inspect">;
  readonly serverStartedAtUs?: number;
  /** Another database over the folders of this bench. */
  readonly beside?: Bench;
  /** Folders and database on a RAM disk, where there is one: for thousands of short lives, whose fsyncs cost minutes. */
  readonly inMemory?: boolean;
  /** Default: SQLite in `databaseFile`. */
  readonly database?: DatabaseTarget;
  /** Default: a new database. */
  readonly databaseFile?: string;
  /** One that runs already and is stopped by the caller. */
  readonly inspector?: Inspector;
}

interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

export interface Bench {
  readonly root: string;
  readonly databaseFile: string;
  readonly setup: Setup;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly recordDir: string;
  readonly bucketDir: string;
  /** The store itself, without what was put around it. */
  readonly store: ObjectStore;
  readonly ingest: NoteHookDeps & ScanDeps;
  readonly pace: UploadPace;
  readonly inspector: Inspector;
  /** Not started: it is asked by the steps and the scan alone. */
  readonly guard: DeletionGuard;
  readonly log: readonly LogLine[];
  scan(): Promise<ScanProgress>;
  /** Works in the background from now on. */
  startWorker(): void;
  /** Works until nothing is due: what failed waits for its next attempt. Starts a worker when none runs. */
  drain(): Promise<void>;
  /** No step is at work and none is due but for removals that are stopped. */
  isAtRest(): Promise<boolean>;
  /** Ends the worker as a shutdown would. */
  stopWorker(graceMs?: number): Promise<void>;
  /** Ends the worker and closes the database now, for tests that make hundreds; else the end of the test does. */
  close(): Promise<void>;
  /** How often a step asked for a scan. */
  scansAskedFor(): number;
  /** All rows in order of path, start and id. */
  rows(): Promise<Recording[]>;
  /** As time does: rows that wait for a retry or for their retention are due now. */
  makeDue(): Promise<void>;
}

let workerUrl: URL | undefined;

/** Compiles the inspection worker once per test file. Call it at the top of the file. */
export function useBench(): void {
  let directory: string | undefined;
  beforeAll(async () => {
    directory = await createTempDir();
    workerUrl = await compileInspectionWorker(directory);
  });
  afterAll(async () => {
    if (directory !== undefined) await removeTempDir(directory);
  });
}

/** For an inspector of the test's own. */
export function benchWorkerUrl(): URL {
  if (workerUrl === undefined) throw new Error("call useBench() at the top of the test file");
  return workerUrl;
}

function startInspector(clock: Clock): Inspector {
  const ffprobe = { configuredPath: null, env: process.env };
  const inspector = new Inspector({ clock, workerUrl: benchWorkerUrl(), ffprobe });
  inspector.start();
  onTestFinished(() => inspector.stop());
  return inspector;
}

export async function createBench(options: BenchOptions = {}): Promise<Bench> {
  const root = options.beside?.root ?? (await tempDir(options));
  const { setup, log } = await createSetup(root, options);
  const { clock, recordDir, config } = setup;
  const bucketDir = path.join(root, "bucket");
  const databaseFile = options.databaseFile ?? path.join(await tempDir(options), "catalog.sqlite");
  const catalog = await openCatalog({
    target: options.database ?? { kind: "sqlite", file: databaseFile },
    ...{ clock, nodeId: "node-1", sealing: SEALING },
  });
  onTestFinished(() => closeCatalog(catalog));
  const store = options.store ?? createFolderStore({ dir: bucketDir, clock });
  const inspector = options.inspector ?? startInspector(clock);
  const pace = new UploadPace(clock, config.archive.maxConcurrency, createRateLimiter(clock, 0));
  let worker: Worker | undefined;
  let scansAsked = 0;
  const serverStartedAtUs = (): number | null => options.serverStartedAtUs ?? null;
  const wrappedStore = options.wrapStore?.(store) ?? store;
  // The store itself: what a test does to a step's calls is not meant for the marker.
  const guard = createGuard(setup, { catalog, store, onReleased: () => worker?.wake() });
  const ingest = createIngest(setup, {
    catalog,
    wake: () => worker?.wake(),
    serverStartedAtUs,
    mayMarkMissing: (counts) => guard.mayMarkMissing(counts),
  });
  const newWorker = (): Worker =>
    createPipeline(setup, {
      catalog,
      guard,
      store: wrappedStore,
      inspector: (options.wrapInspector?.(inspector) ?? inspector) as Inspector,
      pace,
      pulse: new Pulse(clock),
      ingest,
      requestScan: () => (scansAsked += 1),
      // Thousands of short lives would wait for half of their time.
      gatherMs: 0,
      metrics: createMetrics({
        backlog: () => Promise.resolve([]),
        latest: () => Promise.resolve([]),
        nowUs: () => clock.nowUs(),
        uploadConcurrency: () => pace.concurrency,
        deletionStops: () => guard.stops,
        configDrift: () => 0,
        backup: () => null,
        disks: [],
        readDiskSpace,
      }),
    });
  const scansAskedFor = (): number => scansAsked;
  const startWorker = (): void => {
    if (worker === undefined) {
      worker = newWorker();
      worker.start();
    }
    worker.wake();
  };
  const stopWorker = async (graceMs = 5_000): Promise<void> => {
    await worker?.stop(graceMs);
    worker = undefined;
  };
  onTestFinished(() => stopWorker(0));
  return {
    ...{ root, databaseFile, setup, catalog, clock, recordDir, bucketDir, store, ingest, pace, inspector, guard, log },
    scan: async () => {
      const progress = emptyProgress();
      await scanRecordDir(ingest, progress, new AbortController().signal);
      return progress;
    },
    startWorker,
    drain: async () => {
      startWorker();
      // Another process on the same database wakes its own worker only; ours would look again after seconds.
      const look = (): Promise<boolean> => {
        if (options.beside !== undefined) worker?.wake();
        return isAtRest(catalog, guard);
      };
      await waitFor("the queue to be at rest", look, { timeoutMs: 30_000, intervalMs: 10 });
    },
    isAtRest: () => isAtRest(catalog, guard),
    stopWorker,
    close: async () => {
      await stopWorker(0);
      await closeCatalog(catalog);
    },
    scansAskedFor,
    rows: async () => {
      const rows: unknown[] = await catalog.db("recordings").orderBy(["path", "start_us", "id"]);
      return rows.map(recordingFromRow);
    },
    makeDue: async () => {
      await catalog.db("recordings").whereNotNull("step").update({ next_attempt_at_us: clock.nowUs() });
    },
  };
}

async function createSetup(root: string, options: BenchOptions): Promise<{ setup: Setup; log: LogLine[] }> {
  const recordDir = path.join(root, "recordings");
  await mkdir(recordDir, { recursive: true });
  const env = readEnv({ DATA_DIR: root, RECORD_DIR: recordDir, RECORD_TIMEZONE: "UTC", ...options.env });
  const log: LogLine[] = [];
  const projectDir = path.resolve(import.meta.dirname, "../../..");
  const setup: Setup = {
    config: loadConfig(env, { cwd: root, projectDir }),
    secrets: {
      hookSecret: "hook-secret-of-the-bench",
      adminToken: null,
      adminPassword: null,
      oidcClientSecret: null,
      mediamtxApiPassword: "api-password-of-the-bench",
      databaseUrl: null,
      r2: { accessKeyId: "", secretAccessKey: "" },
    },
    env,
    clock: options.clock ?? systemClock,
    logger: createLog(log),
    projectDir,
    recordDir,
    nodeId: "node-1",
  };
  return { setup, log };
}

function createLog(lines: LogLine[]): Logger {
  const at =
    (level: LogLine["level"]) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields });
  const log: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => log };
  return log;
}

/** What waits for a person's release is at rest too. */
async function isAtRest(catalog: Catalog, guard: DeletionGuard): Promise<boolean> {
  const removals = guard.stops.length > 0 ? ["release", "unlink", "delete"] : [];
  const busy: unknown[] = await catalog
    .db("recordings")
    .whereNotNull("lease_owner")
    .orWhere((due) => {
      void due
        .whereNotNull("step")
        .whereNotIn("step", removals)
        .andWhere("next_attempt_at_us", "<=", catalog.clock.nowUs());
    })
    .limit(1)
    .select("id");
  return busy.length === 0;
}
