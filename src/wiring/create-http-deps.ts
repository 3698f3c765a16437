/** What the routes get: narrow views of the parts. */
import { identify } from "../access/caller.js";
import { createUrlSigner } from "../access/signed-url.js";
import { pingCatalog } from "../catalog/catalog.js";
import { isPathName, type PathName } from "../core/path-name.js";
import { checkHealth, type HealthSources } from "../doctor/health.js";
import type { HttpDeps, LivePath } from "../http/http-deps.js";
import { noteSegment, noteSource } from "../ingest/note-hook.js";
import { Transcoder } from "../playback/transcoder.js";
import { compareConfigs, maskConfig } from "../mediamtx/config-diff.js";
import { shownValue } from "../mediamtx/config-differences.js";
import { createFindAddresses } from "../platform/find-addresses.js";
import { SpareBuffers } from "../platform/spare-buffers.js";
import { Turns } from "../platform/turns.js";
import { UrgentWork } from "../platform/urgent-work.js";
import { WholeFiles } from "../playback/whole-files.js";
import { createConfigAdmin } from "../streams/config-admin.js";
import { createConfigAdopt } from "../streams/config-adopt.js";
import { createConfigDrift } from "../streams/config-drift.js";
import { sealConfig, type SnapshotDeps } from "../streams/config-snapshot.js";
import { createPathAdmin } from "../streams/path-admin.js";
import { createPathBatches, type PathBatchDeps } from "../streams/path-batch.js";
import { otherDisks } from "./create-disk-guard.js";
import { createPrincipals } from "./create-principals.js";
import { createThumbnails } from "./create-thumbnails.js";
import type { Parts } from "./parts.js";
import type { Setup } from "./setup.js";

const VALIDATE_WITHIN_MS = 15_000;
const LOOK_WITHIN_MS = 10_000;
/** Of a piece that a player asks for one or two. */
const BLOCK_BYTES = 262_144;
/** Kept for the next viewers: 4 MiB. */
const MOST_BLOCKS = 16;

type Keys = readonly [Buffer, ...Buffer[]];

export function createHttpDeps(
  setup: Setup,
  parts: Parts,
  { urlKeys, login, streams }: { readonly urlKeys: Keys } & Pick<HttpDeps, "login" | "streams">,
): HttpDeps {
  const { config, secrets, logger } = setup;
  const { catalog, store, playback, growing, pace, backlog, pulse, metrics, mediamtx, ingest, guard, worker, scanner } =
    parts;
  const urgent = new UrgentWork(catalog.clock);
  const access = { ...secrets, publicUrl: config.publicUrl };
  return {
    catalog,
    logger,
    urgent,
    turns: new Turns(() => urgent.isKeptWaiting),
    blocks: new SpareBuffers(BLOCK_BYTES, MOST_BLOCKS),
    access,
    hardening: { ...config.http, publicUrl: config.publicUrl },
    login,
    identify: (facts) => identify(access, login.identity, facts),
    streams,
    principals: createPrincipals(catalog, secrets, login.identity),
    signer: createUrlSigner(urlKeys),
    projectDir: setup.projectDir,
    recordDir: setup.recordDir,
    store,
    playback,
    exports: parts.exports,
    growing,
    wholeFiles: new WholeFiles(catalog.clock),
    transcoder: createTranscoder(setup, playback),
    playbackArchive: config.playbackArchive,
    bucketOrigin: bucketOriginOf(setup),
    ...createThumbnails(setup, { store, playback, growing, pictures: parts.pictures }),
    publicUrl: config.storage.kind === "r2" ? config.storage.publicUrl : null,
    ...createAdmin(setup, parts),
    hooks: {
      noteSegment: (kind, note) => noteSegment(ingest, kind, note),
      noteSource: (kind, note) => noteSource(ingest, kind, note),
      answered: (kind, result, seconds) => {
        if (result === "accepted") pulse.hookCame();
        metrics.hookAnswered(kind, result, seconds);
      },
    },
    scanner: { state: () => scanner.state, request: () => scanner.request() },
    pace,
    backlog,
    wake: () => worker.wake(),
    deletions: { list: () => guard.list(), release: (doubts) => guard.release(doubts) },
    health: () => checkHealth(healthSources(setup, parts)),
    backup: () => parts.backup?.state() ?? null,
    metrics: () => metrics.registry.metrics(),
    configState: () => {
      const { pending, drift, error, lastAppliedAtUs } = mediamtx.state().config;
      return { applied: !pending && drift.length === 0 && lastAppliedAtUs !== null, error, drift: drift.length > 0 };
    },
    livePaths: () => livePaths(parts),
    publishUrls: () => mediamtx.publishUrls(),
  };
}

/** Null: switched off. */
function createTranscoder({ config, env }: Setup, playback: HttpDeps["playback"]): Transcoder | null {
  const { transcodingMost, thumbnails } = config;
  if (transcodingMost === 0) return null;
  const ffmpeg = { configuredPath: thumbnails.ffmpegPath, env: env.all };
  return new Transcoder({ playback, ffmpeg, atOnce: transcodingMost });
}

type PathDeps = Pick<
  HttpDeps,
  "paths" | "pathBatches" | "config" | "drift" | "adopt" | "inheritedSettings" | "templates" | "mediamtxVersion"
>;

/** Null: players are sent to nobody else. */
function bucketOriginOf({ config: { playbackArchive, storage } }: Setup): string | null {
  return playbackArchive === "direct" && storage.kind === "r2" ? new URL(storage.endpoint).origin : null;
}

function createAdmin(setup: Setup, parts: Parts): PathDeps {
  const { catalog, mediamtx, worker } = parts;
  const snapshots: SnapshotDeps = {
    box: catalog.sealing.box,
    render: (paths) => mediamtx.renderPaths(paths),
  };
  const deps: PathBatchDeps = {
    catalog,
    logger: setup.logger,
    findAddresses: createFindAddresses(),
    localRetentionMs: setup.config.localRetentionMs,
    validatePaths: (paths) => mediamtx.validatePaths(paths, AbortSignal.timeout(VALIDATE_WITHIN_MS)),
    seal: (paths) => sealConfig(snapshots, paths),
    requestApply: () => mediamtx.requestApply(),
    wake: () => worker.wake(),
    inheritedSettings: () => mediamtx.inherited(),
    render: snapshots.render,
    compare: compareConfigs,
  };
  const batches = createPathBatches(deps);
  return {
    paths: createPathAdmin(deps),
    pathBatches: batches,
    adopt: createConfigAdopt({
      ...{ ...deps, compare: compareConfigs, base: mediamtx.baseFile() },
      takeApart: (text, of) => mediamtx.takeApart(text, of),
      tryBase: (base, paths) => mediamtx.tryBase(base, paths, AbortSignal.timeout(VALIDATE_WITHIN_MS)),
    }),
    drift: createConfigDrift({
      ...{ catalog, batches, compare: compareConfigs, requestApply: deps.requestApply, show: shownValue },
      look: () => mediamtx.compare(AbortSignal.timeout(LOOK_WITHIN_MS)),
    }),
    inheritedSettings: deps.inheritedSettings,
    templates: () => mediamtx.templates(),
    mediamtxVersion: () => mediamtx.state().version,
    config: createConfigAdmin({ ...deps, ...snapshots, mask: maskConfig }),
  };
}

async function livePaths({ mediamtx }: Parts): Promise<ReadonlyMap<PathName, LivePath>> {
  const live = new Map<PathName, LivePath>();
  for (const { name, online, source } of await mediamtx.listPaths()) {
    if (isPathName(name)) live.set(name, { online, source: source?.type ?? null });
  }
  return live;
}

function healthSources(setup: Setup, parts: Parts): HealthSources {
  const { catalog, store, pace, pulse, mediamtx, scanner, guard, diskGuard } = parts;
  return {
    recordDir: setup.recordDir,
    pingDatabase: () => pingCatalog(catalog),
    scan: () => {
      const { error, progress, finishedAtUs } = scanner.state;
      return { error, doubted: progress.doubted, finished: finishedAtUs !== null };
    },
    store: () => ({ description: store.description, lastError: pace.report().lastError }),
    mediamtx: () => {
      const { version, error, config } = mediamtx.state();
      return { version, error, configError: config.error, pending: config.pending, drift: config.drift };
    },
    otherDisks: otherDisks(setup),
    diskMarks: setup.config.diskMarks,
    diskRelief: () => diskGuard.relief,
    deletionStops: () => guard.stops,
    backup: () => parts.backup?.state() ?? (setup.config.database.kind === "postgres" ? "of-operator" : "off"),
    scrub: () => parts.scrub?.state ?? null,
    secondsSinceHook: () => pulse.secondsSinceHook(),
    secondsSinceSegment: () => pulse.secondsSinceSegment(),
  };
}
