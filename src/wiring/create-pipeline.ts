/** Wires the steps to the worker: which lane runs what, how many at once, and what is counted. */
import { archiveRecording } from "../archive/archive-recording.js";
import { deleteRecording } from "../archive/delete-recording.js";
import type { ObjectStore } from "../archive/object-store.js";
import { releaseLocalCopy, unlinkTrashed } from "../archive/release-local-copy.js";
import type { UploadPace } from "../archive/upload-pace.js";
import type { Catalog } from "../catalog/catalog.js";
import { removeThumbnailsOf } from "../catalog/thumbnails.js";
import { isAppError } from "../core/errors.js";
import { US_PER_MS, US_PER_SEC } from "../core/instant.js";
import type { ExamineDeps } from "../ingest/examine-file.js";
import type { NoteHookDeps } from "../ingest/note-hook.js";
import { settleRecording } from "../ingest/settle-recording.js";
import type { Inspector } from "../media/inspector.js";
import { compileRecordPath, OUR_RECORD_PATH } from "../mediamtx/record-path.js";
import type { Metrics } from "../metrics/metrics.js";
import type { StepHandler } from "../pipeline/step.js";
import { type Lane, Worker } from "../pipeline/worker.js";
import type { DeletionGuard } from "../retention/deletion-guard.js";
import { inspectRecording } from "../probe/inspect-recording.js";
import type { Pulse } from "./pulse.js";
import type { Setup } from "./setup.js";

export interface PipelineParts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly inspector: Inspector;
  readonly pace: UploadPace;
  readonly metrics: Metrics;
  readonly pulse: Pulse;
  readonly ingest: ExamineDeps & Pick<NoteHookDeps, "groupCommit">;
  readonly guard: Pick<DeletionGuard, "assertMayRemove" | "stops">;
  /** A file is not where its row says: have the scan look. */
  readonly requestScan: () => void;
  /** See the worker's. */
  readonly gatherMs?: number;
}

/** Waiting is mostly for the inspector's thread; more of them share commits, and keep it busy meanwhile. */
const INSPECTIONS_AT_ONCE = 6;
/** Of each claim of these lanes; an event's clip waits for at most so many. */
const CLAIMED_AHEAD = 16;
const REMOVALS_AT_ONCE = 4;
const MINUTE_MS = 60_000;

export function createPipeline(setup: Setup, parts: PipelineParts): Worker {
  const { catalog, pace, metrics, guard } = parts;
  const lanes: Lane[] = [
    {
      name: "inspect",
      steps: ["inspect", "settle"],
      concurrency: () => INSPECTIONS_AT_ONCE,
      ahead: CLAIMED_AHEAD,
      leaseMs: 10 * MINUTE_MS,
    },
    // A part at 1 MiB/s and its deadline: a day's worth of bytes in one object still ends within the lease.
    {
      name: "archive",
      steps: ["archive"],
      concurrency: () => pace.concurrency,
      ahead: CLAIMED_AHEAD,
      leaseMs: 24 * 60 * MINUTE_MS,
    },
    {
      name: "release",
      steps: ["unlink", "delete", "release"],
      // Each removal asks the guard itself; this keeps what cannot go now from coming up again and again.
      concurrency: () => (guard.stops.length > 0 ? 0 : REMOVALS_AT_ONCE),
      leaseMs: 10 * MINUTE_MS,
    },
  ];
  const { gatherMs } = parts;
  return new Worker(
    {
      ...{ catalog, logger: setup.logger, handlers: createHandlers(setup, parts), onStepDone: metrics.stepDone },
      isPressed: () => parts.ingest.groupCommit.isPressed,
      ...(gatherMs === undefined ? {} : { gatherMs }),
    },
    lanes,
  );
}

function createHandlers(setup: Setup, parts: PipelineParts) {
  const { config, logger, recordDir } = setup;
  const { catalog, store, inspector, pace, metrics, pulse, ingest } = parts;
  const assertMayRemove = (): Promise<void> => parts.guard.assertMayRemove();
  const common = { catalog, logger, store, recordDir, localRetentionMs: config.localRetentionMs, assertMayRemove };
  const inspect = {
    ...common,
    thumbnailIntervalUs: config.thumbnails.intervalMs * US_PER_MS,
    inspect: (...[request, signal]: Parameters<Inspector["inspect"]>) => inspector.inspect(request, signal),
  };
  const archive = {
    ...common,
    prefix: config.storage.prefix,
    readBackPercent: config.archive.readBackPercent,
    pace,
    nameIsUnique: createUniqueness(config.ingest.timeZone),
  };
  const handlers = {
    settle: (recording) => settleRecording(ingest, recording),
    inspect: async (recording, signal) => {
      const outcome = await inspectRecording(inspect, recording, signal);
      if (outcome?.patch.bytes !== undefined) {
        metrics.segmentIndexed(outcome.patch.bytes);
        pulse.segmentIndexed(outcome.patch.endUs ?? recording.endUs);
      }
      return outcome;
    },
    archive: async (recording, signal) => {
      const outcome = await archiveRecording(archive, recording, signal);
      if (outcome?.patch.archive === "verified") {
        metrics.segmentProven(recording.bytes, (catalog.clock.nowUs() - recording.endUs) / US_PER_SEC);
      }
      return outcome;
    },
    release: async (recording, signal) => {
      const outcome = await releaseLocalCopy(common, recording, signal);
      if (outcome.patch.local === "released") metrics.segmentReleased(recording.bytes);
      return outcome;
    },
    unlink: (recording) => unlinkTrashed(common, recording),
    delete: async (recording, signal) => {
      const outcome = await deleteRecording(common, recording, signal);
      await removeThumbnailsOf(catalog, recording.id);
      return outcome;
    },
  } satisfies Record<string, StepHandler>;
  const askScan = askingTheScan(parts.requestScan);
  return {
    settle: askScan(handlers.settle),
    inspect: askScan(handlers.inspect),
    archive: askScan(handlers.archive),
    release: askScan(handlers.release),
    unlink: handlers.unlink,
    delete: askScan(handlers.delete),
  };
}

/**
 * A step that does not find its file fails and comes back: only the scan sees how many are gone at once, so only the
 * scan calls a file missing (F45). It is asked at the first failure of a row.
 */
function askingTheScan(requestScan: () => void): (handler: StepHandler) => StepHandler {
  return (handler) => async (recording, signal) => {
    try {
      return await handler(recording, signal);
    } catch (error) {
      if (isAppError(error, "not-found") && recording.attempts === 0) requestScan();
      throw error;
    }
  };
}

/** Names of our own template hold second and microsecond in UTC; MediaMTX cannot give one twice (F35). */
function createUniqueness(timeZone: string): (filePath: string) => boolean {
  const ours = compileRecordPath(OUR_RECORD_PATH, { timeZone });
  return (filePath) => ours.decode(filePath)?.nameIsUnique ?? false;
}
