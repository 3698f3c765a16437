/**
 * A MediaMTX release: streamed to a file while it is hashed, compared with the published checksum, and only then
 * unpacked. Everything happens in the caller's temporary directory.
 */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { lstat } from "node:fs/promises";
import path from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import axios, { type AxiosRequestConfig } from "axios";

import { AppError } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";
import { CHECKSUMS_FILE, executableName, findChecksum, type Machine, releaseArchive } from "./binary-release.js";
import { runTool } from "./run-command.js";

const MAX_ARCHIVE_BYTES = 512 * 1024 * 1024;
const MAX_CHECKSUMS_BYTES = 1024 * 1024;
const UNPACK_TIMEOUT_MS = 120_000;
const PROGRESS_STEP_PERCENT = 10;

export interface DownloadRequest {
  readonly version: string;
  readonly downloadUrl: string;
  readonly machine: Machine;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly directory: string;
  /** Ends a request that sends nothing for this long. */
  readonly idleTimeoutMs: number;
}

interface Context {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The unpacked executable in `request.directory`. Throws `data-loss` when the checksum differs. */
export async function downloadRelease(context: Context, request: DownloadRequest): Promise<string> {
  const archive = releaseArchive(request.version, request.machine);
  if (archive === undefined) {
    const { platform, arch } = request.machine;
    throw new AppError({ kind: "failed-precondition", message: `no release of MediaMTX for ${platform} ${arch}` });
  }
  const base = `${request.downloadUrl}/v${request.version}`;
  // The checksums first: without them nothing is downloaded at all.
  const expected = await fetchChecksum(context, { ...request, url: `${base}/${CHECKSUMS_FILE}`, archive });
  const archivePath = path.join(request.directory, archive);
  const actual = await fetchFile(context, { ...request, url: `${base}/${archive}`, filePath: archivePath });
  if (actual !== expected) {
    throw new AppError({
      kind: "data-loss",
      message: `download ${base}/${archive}: SHA-256 ${actual}, expected ${expected}`,
      hint: "the download was refused; a proxy or mirror may have changed it",
    });
  }
  return unpack(context, request, archivePath);
}

async function fetchChecksum(
  context: Context,
  request: { readonly url: string; readonly archive: string; readonly idleTimeoutMs: number },
): Promise<string> {
  const text = await withIdleTimeout(context.signal, request, async (alive, signal) => {
    const body = await open(request.url, signal);
    let content = "";
    for await (const chunk of body as AsyncIterable<Buffer>) {
      alive();
      content += chunk.toString("utf8");
      if (content.length > MAX_CHECKSUMS_BYTES) throw tooLarge(request.url, MAX_CHECKSUMS_BYTES);
    }
    return content;
  });
  const checksum = findChecksum(text, request.archive);
  if (checksum !== undefined) return checksum;
  throw new AppError({
    kind: "failed-precondition",
    message: `read ${request.url}: no checksum of ${request.archive}`,
  });
}

/** Writes the body to `filePath`; answers its SHA-256 in hex. */
async function fetchFile(
  context: Context,
  request: { readonly url: string; readonly filePath: string; readonly idleTimeoutMs: number },
): Promise<string> {
  const hash = createHash("sha256");
  await withIdleTimeout(context.signal, request, async (alive, signal) => {
    const body = await open(request.url, signal);
    const report = progressReporter(context.log, request.url, contentLength(body));
    let receivedBytes = 0;
    const watch = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        alive();
        receivedBytes += chunk.length;
        hash.update(chunk);
        report(receivedBytes);
        done(receivedBytes > MAX_ARCHIVE_BYTES ? tooLarge(request.url, MAX_ARCHIVE_BYTES) : null, chunk);
      },
    });
    await pipeline(body, watch, createWriteStream(request.filePath, { flags: "wx" }), { signal });
  });
  return hash.digest("hex");
}

/** Ends `work` when `alive` is not called for a while; axios' own timeout does not cover a body that stalls. */
async function withIdleTimeout<T>(
  outer: AbortSignal,
  request: { readonly url: string; readonly idleTimeoutMs: number },
  work: (alive: () => void, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), request.idleTimeoutMs);
  try {
    return await work(() => timer.refresh(), AbortSignal.any([outer, idle.signal]));
  } catch (error) {
    if (outer.aborted) throw new AppError({ kind: "cancelled", message: `download ${request.url}: stopped` });
    if (idle.signal.aborted) {
      const message = `download ${request.url}: nothing received for ${String(request.idleTimeoutMs)} ms`;
      throw new AppError({ kind: "unavailable", message, cause: error });
    }
    if (error instanceof AppError) throw error;
    throw new AppError({ kind: "unavailable", message: `download ${request.url}`, cause: error });
  } finally {
    clearTimeout(timer);
  }
}

interface Body extends Readable {
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
}

async function open(url: string, signal: AbortSignal): Promise<Body> {
  const options: AxiosRequestConfig = {
    responseType: "stream",
    signal,
    maxRedirects: 5,
    // The bytes must be those that were hashed at the release.
    decompress: false,
    beforeRedirect: (target: Record<string, unknown>) => {
      if (url.startsWith("https:") && target["protocol"] !== "https:") {
        throw new AppError({ kind: "permission-denied", message: `download ${url}: redirected away from https` });
      }
    },
  };
  const { data } = await axios.get<Body>(url, options);
  return data;
}

function contentLength(body: Body): number | undefined {
  const text = body.headers?.["content-length"];
  return typeof text === "string" && /^\d+$/.test(text) ? Number(text) : undefined;
}

function progressReporter(log: Logger, url: string, totalBytes: number | undefined): (receivedBytes: number) => void {
  log.info("downloading MediaMTX", { url, totalBytes });
  let shownPercent = 0;
  return (receivedBytes) => {
    if (totalBytes === undefined) return;
    const percent = Math.floor((100 * receivedBytes) / totalBytes);
    if (percent < shownPercent + PROGRESS_STEP_PERCENT) return;
    shownPercent = percent - (percent % PROGRESS_STEP_PERCENT);
    log.info("downloading MediaMTX", { percent: shownPercent, receivedBytes });
  };
}

async function unpack(context: Context, request: DownloadRequest, archivePath: string): Promise<string> {
  const executable = executableName(request.machine);
  // bsdtar, which is the `tar` of Windows, reads the zip archive as well.
  await runTool("tar", ["-xf", archivePath, "-C", request.directory, executable], {
    env: request.env,
    signal: context.signal,
    timeoutMs: UNPACK_TIMEOUT_MS,
  });
  const unpacked = path.join(request.directory, executable);
  if ((await lstat(unpacked)).isFile()) return unpacked;
  throw new AppError({ kind: "data-loss", message: `unpack ${archivePath}: ${executable} is not a plain file` });
}

function tooLarge(url: string, limitBytes: number): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: `download ${url}: more than ${String(limitBytes)} bytes`,
  });
}
