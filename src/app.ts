/** The composition root: constructs everything, starts it in order of dependency, stops it the other way round. */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { assertMayBind } from "./access/caller.js";
import { closeCatalog } from "./catalog/catalog.js";
import { releaseStaleLeases } from "./catalog/recording-queue.js";
import { loadUrlKeys } from "./config/url-keys.js";
import { AppError, describeError } from "./core/errors.js";
import { createExpressApp } from "./http/express-app.js";
import type { HttpDeps } from "./http/http-deps.js";
import { createRoutes } from "./http/routes.js";
import { DemoCamera } from "./mediamtx/demo-camera.js";
import { aborted } from "./platform/signals.js";
import { createHttpDeps } from "./wiring/create-http-deps.js";
import { createFirstAdmin, createLogin } from "./wiring/create-identity.js";
import { createStreams } from "./wiring/create-stream-access.js";
import { lockFolders } from "./wiring/lock-folders.js";
import { createParts, type Parts } from "./wiring/parts.js";
import { createServerTokens } from "./wiring/server-tokens.js";
import { openConfiguredCatalog, type Setup } from "./wiring/setup.js";
import { type Reachable, startListening } from "./wiring/start-listening.js";

export interface App {
  /** Returns what a person does next. Throws AppError when it cannot start. */
  start(signal: AbortSignal): Promise<{ readonly nextSteps: readonly string[] }>;
  /** MediaMTX first, so that its last hooks are heard; then what works on rows; the database last. */
  stop(): Promise<void>;
}

const STEP_GRACE_MS = 10_000;
const HTTP_GRACE_MS = 2_000;
const SELF_TEST_WITHIN_MS = 20_000;
const JANITOR_EVERY_MS = 3_600_000;
const STALE_UPLOAD_MS = 24 * 3_600_000;

type Undo = (() => Promise<unknown> | undefined)[];

export function createApp(setup: Setup, options: { readonly demo: boolean }): App {
  const undo: Undo = [];
  return {
    start: async (signal) => {
      const { config, secrets, logger, projectDir } = setup;
      if (options.demo && config.mediamtx.auth !== "off") throw noDemo();
      assertMayBind(config.http.host, { adminToken: secrets.adminToken, login: config.login });
      const lock = await lockFolders(setup);
      undo.push(() => lock.release());
      const catalog = await openConfiguredCatalog(setup);
      undo.push(() => closeCatalog(catalog));
      await releaseStaleLeases(catalog);
      const tokens = await createServerTokens(setup);
      const parts = createParts(setup, catalog, tokens);
      await parts.serverNotes.begin();
      await parts.mediamtx.prepare(signal);
      const version = await versionOf(projectDir);
      const login = await createLogin(setup, catalog);
      const { streams, sessions } = createStreams(setup, parts, { login, tokens });
      const listening = await startServing(setup, parts, { undo, version, signal, login, streams });
      await startMediaMtx(parts, config.mediamtx.mode === "embedded" ? listening.localUrl : null, {
        undo,
        signal,
      });
      if (streams.mode !== "off") sessions.start();
      undo.push(() => sessions.stop());
      parts.diskGuard.start();
      undo.push(() => parts.diskGuard.stop());
      parts.scanner.start();
      undo.push(() => parts.scanner.stop());
      parts.backup?.start();
      undo.push(() => parts.backup?.stop());
      parts.scrub?.start();
      undo.push(() => parts.scrub?.stop());
      await parts.exports.start();
      undo.push(() => parts.exports.stop());
      parts.thumbnailMaker.start();
      undo.push(() => parts.thumbnailMaker.stop());
      if (options.demo) undo.push(await startDemo(setup, parts));
      // Last: a password that was made by a start which then failed would never be told.
      const password = login.identity === null ? null : await createFirstAdmin(setup, catalog, login.passwords);
      logger.info("started", { version, port: listening.port });
      return { nextSteps: nextSteps(setup, parts, { listening, password }) };
    },
    stop: async () => {
      setup.logger.info("stopping");
      for (const step of undo.splice(0).reverse()) await step();
      setup.logger.info("stopped");
    },
  };
}

function noDemo(): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: "the demo camera has no password, and MEDIAMTX_AUTH lets nobody publish without one",
    hint: "set MEDIAMTX_AUTH=off for the demo",
  });
}

/** All that hooks need, before MediaMTX starts and calls them. */
async function startServing(
  setup: Setup,
  parts: Parts,
  {
    undo,
    version,
    signal,
    ...access
  }: { readonly undo: Undo; readonly version: string; readonly signal: AbortSignal } & Pick<
    HttpDeps,
    "login" | "streams"
  >,
): Promise<Reachable> {
  const { store, inspector, guard, worker, watch } = parts;
  undo.push(() => {
    store.close();
    return undefined;
  });
  inspector.start();
  undo.push(() => inspector.stop());
  await guard.start();
  undo.push(() => guard.stop());
  worker.start();
  undo.push(() => worker.stop(STEP_GRACE_MS));
  const secretsDir = path.join(setup.config.dataDir, "secrets");
  const urlKeys = await loadUrlKeys(secretsDir, setup.clock.nowUs() / 1_000);
  const deps = createHttpDeps(setup, parts, { urlKeys, ...access });
  const app = createExpressApp({ ...deps, routes: createRoutes(deps, version) });
  const listening = await startListening(setup, app);
  undo.push(() => listening.stop(HTTP_GRACE_MS));
  if (deps.streams.mode !== "off") await parts.mediamtx.askVersion(signal);
  await deps.config.noteStart();
  await watch.start();
  undo.push(() => {
    watch.stop();
    return undefined;
  });
  undo.push(startStoreCare(setup, parts));
  return listening;
}

/** A stop that comes meanwhile does not wait until MediaMTX answers, and leaves none behind that started after all. */
async function startMediaMtx(
  { mediamtx, serverNotes }: Parts,
  hookUrl: string | null,
  { undo, signal }: { readonly undo: Undo; readonly signal: AbortSignal },
): Promise<void> {
  const started = mediamtx.start(hookUrl);
  undo.push(async () => {
    await mediamtx.stop();
    await started.catch(() => undefined);
    await mediamtx.stop();
    await serverNotes.settled();
  });
  await Promise.race([started, aborted(signal)]);
  signal.throwIfAborted();
}

/** Proves at start that the store works (a failure is loud, but recording and indexing go on), and tidies it hourly. */
function startStoreCare({ logger, clock }: Setup, { store, pace }: Parts): () => Promise<void> {
  const stop = new AbortController();
  const care = async (): Promise<void> => {
    await store.selfTest(AbortSignal.any([stop.signal, AbortSignal.timeout(SELF_TEST_WITHIN_MS)]));
    while (!stop.signal.aborted) {
      const aborted = await store.abortStaleUploads(STALE_UPLOAD_MS, stop.signal);
      if (aborted > 0) logger.info("stale uploads aborted", { uploads: aborted });
      await clock.sleep(JANITOR_EVERY_MS, stop.signal);
    }
  };
  const running = care().catch((error: unknown) => {
    if (stop.signal.aborted) return;
    pace.noteError(error);
    logger.error("store does not work; segments stay on disk and are tried again", {
      store: store.description,
      err: describeError(error),
    });
  });
  return async () => {
    stop.abort();
    await running;
  };
}

async function startDemo({ logger, clock, env }: Setup, { mediamtx }: Parts): Promise<() => Promise<void>> {
  const camera = new DemoCamera({ log: logger, clock }, { rtspPort: mediamtx.rtspPort(), env: env.all });
  await camera.start();
  return () => camera.stop();
}

/** `password`: of the user admin, when it was made just now; nobody will tell it again. */
function nextSteps(
  setup: Setup,
  { mediamtx, store }: Parts,
  { listening, password }: { readonly listening: Reachable; readonly password: string | null },
): string[] {
  const urlFor = (scheme: string): string =>
    mediamtx.publishUrls().find((url) => url.startsWith(scheme)) ?? "switched off in MediaMTX's configuration";
  return [
    `Publish by RTSP    ${urlFor("rtsp:")}`,
    `Publish by RTMP    ${urlFor("rtmp:")}`,
    `See the list       ${listening.pageUrl}/`,
    ...(password === null ? [] : [`Log in as          admin, password ${password} (shown this once; change it there)`]),
    `Files go to        ${setup.recordDir}, proven copies to ${store.description}`,
  ];
}

async function versionOf(projectDir: string): Promise<string> {
  const text = await readFile(path.join(projectDir, "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
