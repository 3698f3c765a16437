/**
 * Finds a MediaMTX executable, or gets one: MEDIAMTX_BIN, PATH, cache, release download, Go build. A binary enters
 * the cache by rename, after it has told its own version: an entry is whole or absent. Two processes that install at
 * the same time wait for each other; should they not, the later rename replaces one good binary by another.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

import { AppError, describeError, errnoOf, isAppError } from "../core/errors.js";
import { type Clock, systemClock } from "../platform/clock.js";
import { syncFile } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";
import { downloadRelease } from "./binary-download.js";
import { buildWithGo } from "./binary-go-build.js";
import { executableName, type Machine, machineName, thisMachine } from "./binary-release.js";
import { withFileLock } from "./file-lock.js";
import { findOnPath } from "./find-on-path.js";
import { readBinaryVersion, whyUnsupported } from "./version.js";

const IDLE_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 40 * 60_000;

export interface BinaryDeps {
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export interface BinaryRequest {
  /** MEDIAMTX_BIN: when given, it is this or nothing. */
  readonly bin: string | null;
  readonly version: string;
  readonly cacheDir: string;
  readonly downloadUrl: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly machine?: Machine;
  readonly idleTimeoutMs?: number;
}

export interface MediaMtxBinary {
  readonly path: string;
  readonly version: string;
  readonly origin: "MEDIAMTX_BIN" | "PATH" | "cache" | "download" | "go-build";
}

/** Throws `failed-precondition` that lists what was tried and why each failed. */
export async function findOrGetMediaMtx(deps: BinaryDeps, request: BinaryRequest): Promise<MediaMtxBinary> {
  if (request.bin !== null) return useGivenBinary(deps, { bin: request.bin, env: request.env });
  const failures: string[] = [];
  const found = (await findInstalled(deps, request, failures)) ?? (await findCached(deps, request, failures));
  return found ?? install(deps, request, failures);
}

async function useGivenBinary(
  deps: BinaryDeps,
  given: { readonly bin: string; readonly env: Readonly<NodeJS.ProcessEnv> },
): Promise<MediaMtxBinary> {
  const refuse = (reason: string, cause?: unknown): AppError =>
    new AppError({
      kind: "failed-precondition",
      message: `MEDIAMTX_BIN="${given.bin}" cannot be used: ${reason}`,
      hint: "name an executable MediaMTX, or leave MEDIAMTX_BIN empty to have one found or fetched",
      cause,
    });
  let version: string;
  try {
    version = await readBinaryVersion(given.bin, { env: given.env, signal: deps.signal });
  } catch (error) {
    if (isAppError(error, "cancelled")) throw error;
    throw refuse(describeError(error), error);
  }
  const unsupported = whyUnsupported(version);
  if (unsupported !== undefined) throw refuse(unsupported);
  return { path: given.bin, version, origin: "MEDIAMTX_BIN" };
}

async function findInstalled(
  deps: BinaryDeps,
  request: BinaryRequest,
  failures: string[],
): Promise<MediaMtxBinary | undefined> {
  const candidate = await findOnPath("mediamtx", request.env);
  if (candidate === undefined) {
    failures.push("PATH: no mediamtx");
    return undefined;
  }
  const reason = await attempt(async () => {
    const version = await readBinaryVersion(candidate, { env: request.env, signal: deps.signal });
    return whyUnsupported(version) ?? { path: candidate, version, origin: "PATH" as const };
  });
  if (typeof reason !== "string") return reason;
  deps.log.warn("the MediaMTX on PATH is not used", { file: candidate, reason });
  failures.push(`PATH: ${candidate}: ${reason}`);
  return undefined;
}

async function findCached(
  deps: BinaryDeps,
  request: BinaryRequest,
  failures: string[],
): Promise<MediaMtxBinary | undefined> {
  const file = cachedFile(request);
  if (!(await exists(file))) {
    failures.push(`cache: no ${file}`);
    return undefined;
  }
  const reason = await attempt(async () => {
    const version = await readBinaryVersion(file, { env: request.env, signal: deps.signal });
    if (version !== request.version) return `version ${version}, expected ${request.version}`;
    return { path: file, version, origin: "cache" as const };
  });
  if (typeof reason !== "string") return reason;
  deps.log.warn("the MediaMTX in the cache is replaced", { file, reason });
  failures.push(`cache: ${file}: ${reason}`);
  return undefined;
}

async function install(deps: BinaryDeps, request: BinaryRequest, failures: string[]): Promise<MediaMtxBinary> {
  const directory = path.dirname(cachedFile(request));
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw new AppError({
      kind: "failed-precondition",
      message: `create the cache directory ${directory}`,
      cause: error,
      hint: "set CACHE_DIR to a directory that can be written, or MEDIAMTX_BIN to an installed MediaMTX",
    });
  }
  const lock = {
    clock: deps.clock ?? systemClock,
    signal: deps.signal,
    timeoutMs: LOCK_TIMEOUT_MS,
    onWait: () => deps.log.info("waiting for another process that gets MediaMTX", { directory }),
  };
  return withFileLock(path.join(directory, `.lock-${request.version}`), lock, async () => {
    const meanwhile = await findCached(deps, request, []);
    if (meanwhile !== undefined) return meanwhile;
    await removeLeftovers(directory, request.version);
    return installByAnyWay(deps, request, failures);
  });
}

async function installByAnyWay(deps: BinaryDeps, request: BinaryRequest, failures: string[]): Promise<MediaMtxBinary> {
  const machine = request.machine ?? thisMachine();
  const ways = [
    {
      origin: "download" as const,
      get: (directory: string) =>
        downloadRelease(deps, { idleTimeoutMs: IDLE_TIMEOUT_MS, ...request, machine, directory }),
    },
    {
      origin: "go-build" as const,
      get: (directory: string) => buildWithGo(deps, { ...request, directory, executable: executableName(machine) }),
    },
  ];
  for (const { origin, get } of ways) {
    const result = await attempt(async () => installInto(deps, request, get));
    if (typeof result !== "string") return { ...result, origin };
    deps.log.warn("MediaMTX was not obtained this way", { way: origin, reason: result });
    failures.push(`${origin}: ${result}`);
  }
  throw new AppError({
    kind: "failed-precondition",
    message: `find or get MediaMTX ${request.version}: nothing worked (${failures.join("; ")})`,
    hint: "install MediaMTX and set MEDIAMTX_BIN to it, or set MEDIAMTX_MODE=external to use one that runs elsewhere",
  });
}

async function installInto(
  deps: BinaryDeps,
  request: BinaryRequest,
  get: (directory: string) => Promise<string>,
): Promise<{ readonly path: string; readonly version: string }> {
  const file = cachedFile(request);
  const directory = path.join(path.dirname(file), `${temporaryPrefix(request.version)}${randomUUID()}`);
  await mkdir(directory);
  try {
    const binary = await get(directory);
    await chmod(binary, 0o755);
    const version = await readBinaryVersion(binary, { env: request.env, signal: deps.signal });
    if (version !== request.version) {
      throw new AppError({
        kind: "data-loss",
        message: `the binary says version ${version}, expected ${request.version}`,
      });
    }
    await syncFile(binary);
    await rename(binary, file);
    return { path: file, version };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The result, or the reason of the failure; a stop is no failure. */
async function attempt<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (isAppError(error, "cancelled")) throw error;
    return describeError(error);
  }
}

/** Of an installation that was killed; the lock says that none is running. */
async function removeLeftovers(directory: string, version: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(temporaryPrefix(version)))
      await rm(path.join(directory, name), { recursive: true, force: true });
  }
}

function temporaryPrefix(version: string): string {
  return `.tmp-${version}-`;
}

function cachedFile(request: BinaryRequest): string {
  const machine = request.machine ?? thisMachine();
  const suffix = machine.platform === "win32" ? ".exe" : "";
  return path.join(request.cacheDir, "mediamtx", `mediamtx-${request.version}-${machineName(machine)}${suffix}`);
}

async function exists(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
