/** Everything that is constructed once per process, in order of dependency. Nothing here starts. */
import type { StreamTokens } from "../access/stream-tokens.js";
import type { ObjectStore } from "../archive/object-store.js";
import { createRateLimiter } from "../archive/rate-limiter.js";
import { UploadPace } from "../archive/upload-pace.js";
import type { DailyBackup } from "../backup/daily-backup.js";
import { type BacklogPart, createBacklogCount } from "../catalog/archive-summary.js";
import type { Catalog } from "../catalog/catalog.js";
import type { Step } from "../core/recording.js";
import { listLatestRecordings } from "../catalog/latest-recordings.js";
import { FolderWatch } from "../ingest/folder-watch.js";
import type { NoteHookDeps } from "../ingest/note-hook.js";
import { noteWatchedFile } from "../ingest/note-watched-file.js";
import { Scanner } from "../ingest/scanner.js";
import type { FfprobeSettings } from "../media/ffprobe.js";
import { Inspector } from "../media/inspector.js";
import { MediaMtx } from "../mediamtx/media-mtx.js";
import { createMetrics, type Metrics } from "../metrics/metrics.js";
import { readDiskSpace } from "../platform/disk-space.js";
import type { Exports } from "../playback/exports.js";
import { GrowingFiles } from "../playback/growing-files.js";
import type { PictureCache } from "../playback/picture-cache.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";
import type { ThumbnailMaker } from "../playback/thumbnail-maker.js";
import type { Worker } from "../pipeline/worker.js";
import type { DeletionGuard } from "../retention/deletion-guard.js";
import type { DiskGuard } from "../retention/disk-guard.js";
import { listConfiguredPaths } from "../streams/configured-paths.js";
import type { Scrub } from "../verify/scrub.js";
import { createDailyBackup } from "./create-backup.js";
import { createDiskGuard, otherDisks } from "./create-disk-guard.js";
import { createExports, type ExportParts } from "./create-exports.js";
import { createGuard } from "./create-guard.js";
import { createIngest } from "./create-ingest.js";
import { createPipeline } from "./create-pipeline.js";
import { mediaMtxOptions } from "./media-mtx-options.js";
import { Pulse } from "./pulse.js";
import { createPlayback } from "./create-playback.js";
import { createPictureCache, createThumbnailMaker } from "./create-thumbnails.js";
import { createScrub } from "./create-scrub.js";
import { serverBearer } from "./server-tokens.js";
import { ServerNotes } from "./server-notes.js";
import { openConfiguredStore, type Setup } from "./setup.js";

export interface Parts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly inspector: Inspector;
  readonly pace: UploadPace;
  readonly backlog: () => Promise<readonly BacklogPart[]>;
  readonly pulse: Pulse;
  readonly metrics: Metrics;
  readonly mediamtx: MediaMtx;
  readonly serverNotes: ServerNotes;
  readonly ingest: NoteHookDeps;
  readonly guard: DeletionGuard;
  readonly diskGuard: DiskGuard;
  readonly worker: Worker;
  readonly scanner: Scanner;
  readonly watch: FolderWatch;
  /** Null: there is none to make. */
  readonly backup: DailyBackup | null;
  /** Null: switched off. */
  readonly scrub: Scrub | null;
  readonly playback: PlaybackDeps;
  readonly exports: Exports;
  readonly growing: GrowingFiles;
  readonly pictures: PictureCache;
  readonly thumbnailMaker: ThumbnailMaker;
}

/** `tokens`: null where MediaMTX takes none. */
export function createParts(setup: Setup, catalog: Catalog, tokens: StreamTokens | null): Parts {
  const { config, clock, logger } = setup;
  const store = openConfiguredStore(setup);
  const inspector = new Inspector({ clock, ffprobe: ffprobeOf(setup) });
  const limiter = createRateLimiter(clock, config.archive.maxBytesPerSec);
  const pace = new UploadPace(clock, config.archive.maxConcurrency, limiter);
  const pulse = new Pulse(clock);
  const backlog = createBacklogCount(catalog);
  const metrics = createMetrics({
    ...metricsOf(setup, catalog),
    backlog,
    uploadConcurrency: () => pace.concurrency,
    ...{ deletionStops: () => guard.stops, configDrift: () => mediamtx.state().config.drift.length },
    backup: () => backup?.state() ?? null,
  });
  const serverNotes = new ServerNotes(catalog, logger);
  const mediamtx = createServer(setup, { catalog, notes: serverNotes, tokens });
  // The worker needs ingest for its steps and the scanner for what it does not find, and both wake the worker.
  const wake = (step?: Step): void => worker.wake(step);
  const requestScan = (): void => scanner.request();
  const onReleased = (): void => {
    wake();
    requestScan();
  };
  const guard = createGuard(setup, { catalog, store, onReleased });
  const diskGuard = createDiskGuard(setup, { catalog, wake, areDeletionsStopped: () => guard.stops.length > 0 });
  const onBytes = (signal: AbortSignal) => pace.onBytes(signal);
  const backup = createDailyBackup(setup, { catalog, store, guard, onBytes });
  const isPressed = (): boolean => ingest.groupCommit.isPressed;
  const playing = createPlaying(setup, { catalog, store, guard, onBytes, metrics, isPressed });
  const scrub = createScrub(setup, { catalog, store, guard, wake, onRead: (result) => metrics.objectScrubbed(result) });
  const ingest = createIngest(setup, {
    catalog,
    wake,
    serverStartedAtUs: () => mediamtx.startedAtUs(),
    mayMarkMissing: (counts) => guard.mayMarkMissing(counts),
  });
  const worker = createPipeline(setup, { catalog, store, inspector, pace, metrics, pulse, ingest, guard, requestScan });
  const scanner = new Scanner(ingest, config.ingest.scanIntervalMs);
  const watch = createWatch(setup, { pulse, ingest });
  return {
    catalog,
    store,
    inspector,
    pace,
    backlog,
    pulse,
    metrics,
    mediamtx,
    serverNotes,
    ingest,
    guard,
    diskGuard,
    worker,
    scanner,
    watch,
    backup,
    scrub,
    ...playing,
  };
}

function metricsOf(setup: Setup, catalog: Catalog) {
  return {
    latest: () => listLatestRecordings(catalog),
    nowUs: () => setup.clock.nowUs(),
    disks: [{ name: "recordings", directory: setup.recordDir }, ...otherDisks(setup)],
    readDiskSpace,
  };
}

function ffprobeOf({ config, env }: Setup): FfprobeSettings {
  return { configuredPath: config.ffprobePath, env: env.all };
}

type PlayingParts = Omit<ExportParts, "playback"> &
  Pick<Parts, "catalog" | "metrics"> & { readonly isPressed: () => boolean };

function createPlaying(
  setup: Setup,
  { catalog, ...rest }: PlayingParts,
): Pick<Parts, "playback" | "exports" | "growing" | "pictures" | "thumbnailMaker"> {
  const ffmpeg = { configuredPath: setup.config.thumbnails.ffmpegPath, env: setup.env.all };
  const growing = new GrowingFiles(setup.recordDir, ffprobeOf(setup));
  const playback = createPlayback(setup.recordDir, { catalog, store: rest.store, ffmpeg, growing });
  const pictures = createPictureCache(setup);
  return {
    playback,
    growing,
    pictures,
    exports: createExports(setup, { ...rest, playback }),
    thumbnailMaker: createThumbnailMaker(setup, { ...rest, playback, growing, pictures }),
  };
}

function createServer(
  setup: Setup,
  {
    catalog,
    notes,
    tokens,
  }: Pick<Parts, "catalog"> & {
    readonly notes: ServerNotes;
    readonly tokens: StreamTokens | null;
  },
): MediaMtx {
  const { clock, logger } = setup;
  return new MediaMtx(
    {
      clock,
      logger: logger.child({ of: "mediamtx" }),
      listPaths: () => listConfiguredPaths(catalog),
      bearer: serverBearer(setup, tokens),
      onStart: (start) => notes.started(start),
      onEnd: () => notes.ended(),
    },
    mediaMtxOptions(setup),
  );
}

function createWatch({ recordDir, logger, clock }: Setup, { pulse, ingest }: Pick<Parts, "pulse" | "ingest">) {
  return new FolderWatch({
    recordDir,
    logger,
    clock,
    hooksAreAlive: () => pulse.hooksAreAlive(),
    onFile: (filePath) => noteWatchedFile(ingest, filePath),
  });
}
