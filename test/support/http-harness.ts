/**
 * The HTTP API as it is served, on a port of its own: real routes, real SQLite, a real record directory and folder
 * store, the real hook and path code. Only MediaMTX, the scanner and the worker's bell are fakes.
 */
import path from "node:path";

import { onTestFinished } from "vitest";

import { createAccessTokens, newSigningKey } from "../../src/access/access-tokens.js";
import { identify } from "../../src/access/caller.js";
import { Identity } from "../../src/access/identity.js";
import { LoginLimit } from "../../src/access/login-limit.js";
import { CheckedPasswords } from "../../src/access/checked-passwords.js";
import type { Principals } from "../../src/access/principals.js";
import { createUrlSigner } from "../../src/access/signed-url.js";
import { createStreamAccess } from "../../src/access/stream-access.js";
import type { StreamCaller } from "../../src/access/stream-caller.js";
import { createStreamTokens, type StreamTokens } from "../../src/access/stream-tokens.js";
import { createFolderStore } from "../../src/archive/folder-store.js";
import type { ObjectStore } from "../../src/archive/object-store.js";
import { openRecordingReader } from "../../src/archive/recording-reader.js";
import { type Catalog, closeCatalog, openCatalog } from "../../src/catalog/catalog.js";
import { summarizeBacklog } from "../../src/catalog/archive-summary.js";
import { listLatestRecordings } from "../../src/catalog/latest-recordings.js";
import { AppError } from "../../src/core/errors.js";
import type { DeletionStop } from "../../src/core/deletion-doubt.js";
import type { PathName } from "../../src/core/path-name.js";
import type { Principal } from "../../src/core/principal.js";
import { checkHealth, type HealthSources } from "../../src/doctor/health.js";
import type { AuthenticateDeps } from "../../src/http/authenticate.js";
import { createExpressApp } from "../../src/http/express-app.js";
import type { HttpDeps, LivePath, LoginElsewhere } from "../../src/http/http-deps.js";
import type { Route } from "../../src/http/route.js";
import { createRoutes } from "../../src/http/routes.js";
import { listen } from "../../src/http/server.js";
import { emptyProgress } from "../../src/ingest/scan.js";
import type { ScanState } from "../../src/ingest/scanner.js";
import { GroupCommit } from "../../src/ingest/group-commit.js";
import { type NoteHookDeps, noteSegment, noteSource } from "../../src/ingest/note-hook.js";
import { recordFound } from "../../src/ingest/record-found.js";
import type { FfmpegSettings } from "../../src/media/ffmpeg.js";
import { readHead } from "../../src/media/read-head.js";
import { mapSegmentPath } from "../../src/mediamtx/hook-payload.js";
import { createNameDecoder } from "../../src/mediamtx/record-path.js";
import { takeApart } from "../../src/mediamtx/adopt-document.js";
import { compareConfigs, maskConfig } from "../../src/mediamtx/config-diff.js";
import { compareThree, shownValue } from "../../src/mediamtx/config-differences.js";
import { renderConfig } from "../../src/mediamtx/config-document.js";
import type { ServerConfig } from "../../src/mediamtx/config-drift.js";
import { runningReconnects } from "../../src/mediamtx/running-reconnects.js";
import type { Template } from "../../src/mediamtx/templates.js";
import { createMetrics } from "../../src/metrics/metrics.js";
import { ByteCappedCache } from "../../src/platform/byte-capped-cache.js";
import { Gate } from "../../src/platform/gate.js";
import { readDiskSpace } from "../../src/platform/disk-space.js";
import { ensureDirectory } from "../../src/platform/files.js";
import { SpareBuffers } from "../../src/platform/spare-buffers.js";
import { Turns } from "../../src/platform/turns.js";
import { UrgentWork } from "../../src/platform/urgent-work.js";
import type { Logger } from "../../src/platform/logger.js";
import { Exports } from "../../src/playback/exports.js";
import { GrowingFiles } from "../../src/playback/growing-files.js";
import { PictureCache } from "../../src/playback/picture-cache.js";
import type { PlaybackDeps } from "../../src/playback/playback-deps.js";
import { Sprites } from "../../src/playback/sprites.js";
import { Transcoder } from "../../src/playback/transcoder.js";
import { WholeFiles } from "../../src/playback/whole-files.js";
import { Thumbnails } from "../../src/playback/thumbnails.js";
import { type ConfiguredPath, listConfiguredPaths } from "../../src/streams/configured-paths.js";
import { createConfigAdmin } from "../../src/streams/config-admin.js";
import { createConfigAdopt } from "../../src/streams/config-adopt.js";
import { createConfigDrift } from "../../src/streams/config-drift.js";
import { sealConfig } from "../../src/streams/config-snapshot.js";
import { createPathAdmin } from "../../src/streams/path-admin.js";
import { createPathBatches, type PathBatchDeps } from "../../src/streams/path-batch.js";
import { createPrincipals } from "../../src/wiring/create-principals.js";
import { cheapPasswords } from "./cheap-passwords.js";
import { createFakeClock, type FakeClock } from "./fake-clock.js";
import { PATIENCE } from "./patience.js";
import { SEALING } from "./sealing.js";
import { createTempDir, removeTempDir } from "./temp-dir.js";

export const HOOK_SECRET = "hook-secret-of-the-tests";
export const URL_KEY = Buffer.alloc(32, 7);
/** Where MediaMTX says that it records. */
export const MEDIAMTX_RECORD_DIR = "/recordings";
export const DEFAULT_RETENTION_MS = 86_400_000;
/** Reelkeeper's own user there. */
export const MEDIAMTX_API = { user: "reelkeeper", password: "api-password" };

export interface HttpOptions {
  readonly adminToken?: string;
  /** Default: LOGIN=off. */
  readonly login?: boolean;
  /** How MediaMTX knows who may; default: http. Tokens are made in either mode. */
  readonly streamAuth?: "http" | "jwt";
  /** Default: true. */
  readonly cookieSecure?: boolean;
  readonly hardening?: Partial<HttpDeps["hardening"]>;
  /** Default: nobody logs in elsewhere. */
  readonly elsewhere?: LoginElsewhere;
  /** In place of what the request proves; `undefined` is nobody. */
  readonly identify?: AuthenticateDeps["identify"];
  /** Before those that the catalog knows. */
  readonly findPrincipal?: (...of: Parameters<Principals["find"]>) => Principal | undefined;
  readonly publicUrl?: string;
  /** In place of the folder store, or around it. */
  readonly store?: (folder: ObjectStore) => ObjectStore;
  /** Default: proxy. */
  readonly playbackArchive?: "direct" | "proxy";
  /** Inactive sockets are closed after this long. */
  readonly stalledMs?: number;
  /** In place of the one in the PATH. */
  readonly ffmpeg?: FfmpegSettings;
  /** ffmpegs at once that remux MPEG-TS; one more may wait. */
  readonly remuxesMost?: number;
  readonly thumbnailCacheBytes?: number;
  /** ffmpegs at once; undefined: transcoding is switched off. */
  readonly transcodingMost?: number;
}

/** A machine that is busy with other tests may need longer than the ten seconds that viewers wait. */
const FFMPEG: FfmpegSettings = { configuredPath: null, env: process.env, timeoutMs: 60_000 * PATIENCE };
const OPEN: Omit<HttpDeps["hardening"], "publicUrl"> = { trustProxy: ["loopback"], corsOrigins: [], requestsPerSec: 0 };
const BASE_YAML = "# ours\nlogLevel: info\npaths:\n  all_others:\n    record: true\n";

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What MediaMTX answers, for a test to change. */
interface FakeMediaMtx {
  /** Throws to refuse; is asked before each change of a path. */
  validate: (paths: readonly ConfiguredPath[]) => Promise<void>;
  /** Where the name of a source leads. */
  addressesOf: (name: string) => Promise<readonly string[]>;
  live: () => Promise<ReadonlyMap<PathName, LivePath>>;
  applied: number;
  /** What the base configuration says of every path. */
  inherited: Readonly<Record<string, unknown>>;
  templates: readonly { readonly id: string; readonly description: string }[];
  /** The admin's part of its configuration. */
  baseYaml: string;
  /** False: the one that comes with the program, which an adoption may not write. */
  isBaseOwn: boolean;
  readonly templatesOf: Template[];
  /** What mediamtx.yml says, from what was rendered. */
  fileOf: (rendered: string) => string | null;
  /** What the Control API answers; null: nothing. */
  server: ServerConfig | null;
}

export interface HttpHarness {
  readonly port: number;
  readonly app: ReturnType<typeof createExpressApp>;
  readonly routes: readonly Route[];
  readonly deps: HttpDeps;
  readonly catalog: Catalog & { readonly clock: FakeClock };
  readonly databaseFile: string;
  readonly recordDir: string;
  readonly store: ObjectStore;
  readonly mediamtx: FakeMediaMtx;
  /** Of the health checks; a test changes what it needs. */
  readonly health: { -readonly [K in keyof HealthSources]: HealthSources[K] };
  readonly scanner: { state: ScanState; requests: number };
  readonly pace: { lastError: string | null; bytesPerSec: number };
  readonly woken: { times: number };
  /** Of MediaMTX: who was let in by session, and how often that may have changed. */
  readonly streamSessions: { noted: Map<string, StreamCaller>; changes: number };
  /** What stops deletions. */
  readonly stops: { list: readonly DeletionStop[] };
  readonly log: LogLine[];
  close(): Promise<void>;
}

/** Closed when the test ends. */
export async function httpForTest(options: HttpOptions = {}): Promise<HttpHarness> {
  const http = await startHttp(options);
  onTestFinished(() => http.close());
  return http;
}

/** For `beforeAll`, where the caller closes it. */
export async function startHttp(options: HttpOptions = {}): Promise<HttpHarness> {
  const directory = await createTempDir();
  const recordDir = path.join(directory, "recordings");
  await ensureDirectory(recordDir);
  const databaseFile = path.join(directory, "catalog.sqlite");
  const clock = createFakeClock();
  const opened = await openCatalog({
    target: { kind: "sqlite", file: databaseFile },
    clock,
    nodeId: "node-1",
    sealing: SEALING,
  });
  const catalog = { ...opened, clock };
  const folder = createFolderStore({ dir: path.join(directory, "bucket"), clock });
  const fakes = createFakes(recordDir);
  const store = options.store?.(folder) ?? folder;
  const deps = createDeps({
    login: await createLogin(catalog, options),
    streamTokens: await createStreamTokens([await newSigningKey()]),
    catalog,
    recordDir,
    store,
    options,
    fakes,
    thumbnailDir: path.join(directory, "thumbnails"),
  });
  const routes = createRoutes(deps, "1.2.3");
  const app = createExpressApp({ ...deps, routes });
  const stalled = options.stalledMs === undefined ? {} : { stalledMs: options.stalledMs };
  const listening = await listen(app, { host: "127.0.0.1", port: 0, ...stalled });
  return {
    ...fakes,
    port: listening.port,
    app,
    routes,
    deps,
    catalog,
    databaseFile,
    recordDir,
    store,
    close: async () => {
      await listening.stop(0);
      await closeCatalog(catalog);
      await removeTempDir(directory);
    },
  };
}

type Fakes = Pick<
  HttpHarness,
  "mediamtx" | "health" | "scanner" | "pace" | "woken" | "stops" | "log" | "streamSessions"
>;

function createFakes(recordDir: string): Fakes {
  const stops: HttpHarness["stops"] = { list: [] };
  const pace = { lastError: null as string | null, bytesPerSec: 0 };
  return {
    pace,
    mediamtx: {
      validate: () => Promise.resolve(),
      addressesOf: () => Promise.resolve(["192.0.2.10", "2001:db8::10"]),
      live: () => Promise.resolve(new Map()),
      applied: 0,
      inherited: {},
      templates: [],
      baseYaml: BASE_YAML,
      isBaseOwn: true,
      templatesOf: [],
      fileOf: (rendered) => rendered,
      server: null,
    },
    scanner: {
      state: { running: false, startedAtUs: null, finishedAtUs: null, progress: emptyProgress(), error: null },
      requests: 0,
    },
    woken: { times: 0 },
    streamSessions: { noted: new Map(), changes: 0 },
    stops,
    log: [],
    health: {
      recordDir,
      pingDatabase: () => Promise.resolve(),
      scan: () => ({ error: null, doubted: 0, finished: true }),
      store: () => ({ description: "the folder", lastError: pace.lastError }),
      mediamtx: () => ({ version: "1.21.0", error: null, configError: null, pending: false, drift: [] }),
      otherDisks: [],
      // How full the disk of the test machine is, is not our affair.
      diskMarks: { warnPercent: 101, highPercent: 101, fullPercent: 101 },
      diskRelief: () => null,
      deletionStops: () => stops.list,
      backup: () => "off",
      scrub: () => null,
      secondsSinceHook: () => null,
      secondsSinceSegment: () => null,
    },
  };
}

async function createLogin(catalog: Catalog & { clock: FakeClock }, options: HttpOptions): Promise<HttpDeps["login"]> {
  const passwords = cheapPasswords();
  const limit = new LoginLimit(() => catalog.clock.monotonicMs());
  const common = { passwords, limit, isSecure: options.cookieSecure ?? true };
  if (options.login !== true) return { ...common, identity: null, elsewhere: null };
  const tokens = await createAccessTokens([await newSigningKey()]);
  return {
    ...common,
    identity: new Identity({ catalog, passwords, tokens, limit }),
    elsewhere: options.elsewhere ?? null,
  };
}

/** As MediaMTX asks them; with nobody's sessions to end. */
function createStreams({
  catalog,
  login,
  principals,
  ...parts
}: Pick<HttpDeps, "catalog" | "login" | "principals"> &
  Pick<DepsParts, "streamTokens" | "fakes"> &
  Pick<HttpDeps["streams"], "mode">): HttpDeps["streams"] {
  const { mode, fakes, streamTokens } = parts;
  const sessions = fakes.streamSessions;
  const limit = new LoginLimit(() => catalog.clock.monotonicMs(), { ofAddress: 30, ofAll: Number.POSITIVE_INFINITY });
  const byBearer = (token: string): Promise<Principal> => {
    if (login.identity !== null) return login.identity.byBearer(token);
    throw new AppError({ kind: "unauthenticated", message: "nobody logs in here" });
  };
  const passwords = new CheckedPasswords({ passwords: login.passwords, limit });
  const deps = { catalog, passwords, principals, byBearer, own: MEDIAMTX_API };
  return createStreamAccess({ mode, tokens: streamTokens }, deps, {
    note: (id, caller) => sessions.noted.set(id, caller),
    changed: () => {
      sessions.changes += 1;
    },
  });
}

interface DepsParts {
  readonly login: HttpDeps["login"];
  readonly streamTokens: StreamTokens;
  readonly catalog: Catalog;
  readonly recordDir: string;
  readonly store: ObjectStore;
  readonly options: HttpOptions;
  readonly fakes: Fakes;
  readonly thumbnailDir: string;
}

function createDeps(parts: DepsParts): HttpDeps {
  const { login, streamTokens, catalog, recordDir, store, options, fakes, thumbnailDir } = parts;
  const { mediamtx, scanner, health, pace, woken, stops } = fakes;
  const logger = createLogRecorder(fakes.log);
  const wake = (): void => {
    woken.times += 1;
  };
  const ingest = createIngest({ catalog, recordDir, logger, wake });
  const metrics = createMetrics({
    backlog: () => summarizeBacklog(catalog),
    latest: () => listLatestRecordings(catalog),
    nowUs: () => catalog.clock.nowUs(),
    uploadConcurrency: () => 4,
    deletionStops: () => fakes.stops.list,
    configDrift: () => health.mediamtx().drift.length,
    backup: () => null,
    disks: [{ name: "recordings", directory: recordDir }],
    readDiskSpace,
  });
  const growing = new GrowingFiles(recordDir, { configuredPath: null, env: process.env });
  const playback: PlaybackDeps = {
    catalog,
    clock: catalog.clock,
    growing,
    openReader: (recording, signal) => openRecordingReader({ recordDir, store }, recording, signal),
    ffmpeg: options.ffmpeg ?? FFMPEG,
    remuxes: new Gate({ purpose: "remux MPEG-TS", atOnce: options.remuxesMost ?? 8, mostWaiting: 1 }),
    layouts: new ByteCappedCache(catalog.clock, { mostBytes: 1e6, keepMs: 60_000 }),
  };
  const hardening = { ...OPEN, publicUrl: null, ...options.hardening };
  const access = { adminToken: options.adminToken ?? null, hookSecret: HOOK_SECRET, publicUrl: hardening.publicUrl };
  const pictures = {
    ...playback,
    cache: new PictureCache({
      directory: thumbnailDir,
      mostBytes: options.thumbnailCacheBytes ?? 1e9,
      logger,
      clock: catalog.clock,
    }),
    getObject: (key: string, signal: AbortSignal) => store.get(key, { signal }),
    ffmpeg: options.ffmpeg ?? FFMPEG,
  };
  const principals = createPrincipals(catalog, access, login.identity);
  return {
    catalog,
    logger,
    urgent: new UrgentWork(catalog.clock),
    turns: new Turns(() => false),
    blocks: new SpareBuffers(65_536, 2),
    access,
    hardening,
    login,
    streams: createStreams({ catalog, login, principals, streamTokens, fakes, mode: options.streamAuth ?? "http" }),
    identify: options.identify ?? ((facts) => identify(access, login.identity, facts)),
    principals: { find: async (kind, id) => options.findPrincipal?.(kind, id) ?? principals.find(kind, id) },
    signer: createUrlSigner([URL_KEY]),
    projectDir: path.resolve(import.meta.dirname, "../.."),
    recordDir,
    store,
    playback,
    growing,
    wholeFiles: new WholeFiles(catalog.clock),
    transcoder:
      options.transcodingMost === undefined
        ? null
        : new Transcoder({ playback, ffmpeg: pictures.ffmpeg, atOnce: options.transcodingMost }),
    playbackArchive: options.playbackArchive ?? "proxy",
    bucketOrigin: options.playbackArchive === "direct" ? "https://bucket.example" : null,
    exports: new Exports({
      playback,
      logger,
      results: { put: () => Promise.resolve(), remove: () => Promise.resolve() },
      prefix: "recordings",
      workDir: path.join(path.dirname(thumbnailDir), "exports"),
      readSpace: readDiskSpace,
    }),
    thumbnails: new Thumbnails({ ...pictures, growing, atOnce: 2 }),
    sprites: new Sprites(pictures),
    publicUrl: options.publicUrl ?? null,
    ...createAdmin({ catalog, logger, wake, mediamtx }),
    inheritedSettings: () => Promise.resolve(() => mediamtx.inherited),
    templates: () => Promise.resolve(mediamtx.templates),
    mediamtxVersion: () => "1.21.0",
    hooks: {
      noteSegment: (kind, note) => noteSegment(ingest, kind, note),
      noteSource: (kind, note) => noteSource(ingest, kind, note),
      answered: (kind, result, seconds) => metrics.hookAnswered(kind, result, seconds),
    },
    scanner: {
      state: () => scanner.state,
      request: () => {
        scanner.requests += 1;
      },
    },
    pace: { report: () => ({ concurrency: 4, ...pace }) },
    backlog: () => summarizeBacklog(catalog),
    wake,
    deletions: {
      list: () => Promise.resolve(stops.list),
      release: (doubts) => {
        const released = stops.list.filter(({ doubt }) => doubts.includes(doubt));
        stops.list = stops.list.filter((stop) => !released.includes(stop));
        return Promise.resolve(released);
      },
    },
    health: () => checkHealth(health),
    backup: () => null,
    metrics: () => metrics.registry.metrics(),
    configState: () => ({ applied: true, error: null, drift: false }),
    livePaths: () => mediamtx.live(),
    publishUrls: () => ["rtsp://127.0.0.1:8554/PATH"],
  };
}

/** Rendered for real, with a base that a test may change. */
function createAdmin({
  mediamtx,
  ...parts
}: Pick<PathBatchDeps, "catalog" | "logger" | "wake"> & { readonly mediamtx: FakeMediaMtx }) {
  const snapshots = {
    box: SEALING.box,
    render: (paths: readonly ConfiguredPath[], baseYaml = mediamtx.baseYaml) => {
      const api = { address: "127.0.0.1:9997", ...MEDIAMTX_API };
      const settings = { recordDir: MEDIAMTX_RECORD_DIR, hookCommand: "/hook", api, version: "1.21.0" };
      const common = { paths, mode: "embedded", listen: "loopback", templates: mediamtx.templatesOf } as const;
      return Promise.resolve({ yaml: renderConfig({ baseYaml, ...common, ...settings }), baseYaml });
    },
  };
  const deps: PathBatchDeps = {
    ...parts,
    findAddresses: (name) => mediamtx.addressesOf(name),
    localRetentionMs: DEFAULT_RETENTION_MS,
    validatePaths: (paths) => mediamtx.validate(paths),
    seal: (paths) => sealConfig(snapshots, paths),
    requestApply: () => {
      mediamtx.applied += 1;
    },
    inheritedSettings: () => Promise.resolve(() => mediamtx.inherited),
    render: snapshots.render,
    compare: compareConfigs,
  };
  const config = createConfigAdmin({ ...deps, ...snapshots, mask: maskConfig });
  const pathBatches = createPathBatches(deps);
  const { catalog } = parts;
  const drift = createConfigDrift({
    ...{ catalog, batches: pathBatches, compare: compareConfigs, show: shownValue, requestApply: deps.requestApply },
    look: async () => {
      const { server } = mediamtx;
      const table = (await snapshots.render(await listConfiguredPaths(catalog))).yaml;
      const file = mediamtx.fileOf(table);
      const differences = compareThree({ table, file, server });
      const reconnectsTo = (after: string) =>
        server === null ? compareConfigs(file ?? after, after).reconnects : runningReconnects({ server, file, after });
      return { table, file, differences, serverError: server === null ? "is not asked" : null, reconnectsTo };
    },
  });
  const base = {
    read: () => Promise.resolve(mediamtx.baseYaml),
    assertOwn: () => {
      if (mediamtx.isBaseOwn) return;
      throw new AppError({ kind: "failed-precondition", message: "it comes with the program", hint: "set another" });
    },
    replace: (text: string) => {
      mediamtx.baseYaml = text;
      return Promise.resolve("before");
    },
  };
  const adopt = createConfigAdopt({
    ...{ ...deps, base, compare: compareConfigs },
    takeApart: (text, of) =>
      Promise.resolve().then(() => takeApart(text, { ...of, templates: mediamtx.templatesOf, version: "1.21.0" })),
    tryBase: async (baseYaml, paths) => {
      await mediamtx.validate(paths);
      return (await snapshots.render(paths, baseYaml)).yaml;
    },
  });
  return { paths: createPathAdmin(deps), pathBatches, config, drift, adopt };
}

function createIngest(
  parts: Pick<NoteHookDeps, "catalog" | "recordDir" | "logger"> & { readonly wake: () => void },
): NoteHookDeps {
  const dirs = { mediamtxRecordDir: MEDIAMTX_RECORD_DIR, recordDir: parts.recordDir };
  return {
    ...parts,
    groupCommit: new GroupCommit((files) => recordFound(parts, files)),
    quietMs: 60_000,
    decodeName: createNameDecoder({ templates: [], timeZone: "UTC" }),
    readHead,
    serverStartedAtUs: () => null,
    mapSegmentPath: (segmentPath) => mapSegmentPath(segmentPath, dirs),
  };
}

function createLogRecorder(log: LogLine[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      log.push({ level, message, fields });
    };
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}
