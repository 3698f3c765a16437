/**
 * ffprobe: for MPEG-TS, and the second opinion on files that the header walk refuses. It gets no shell, no network, a
 * file name that cannot be taken for an option, 10 s and 1 MiB of output (F13, F49).
 */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

import { AppError } from "../core/errors.js";
import type { SegmentFormat, Track } from "../core/recording.js";
import { durationUsOf, type FfprobeReport, ffprobeReport, tracksOf } from "./ffprobe-report.js";
import { findInPath, isExecutable, toolEnvironment } from "./find-executable.js";

const run = promisify(execFile);

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 1_048_576;
const DEMUXERS: Readonly<Record<SegmentFormat, string>> = { fmp4: "mov", mpegts: "mpegts" };
const HINT = "install ffmpeg, or set FFPROBE_PATH to an ffprobe";
/** The import of ffprobe-static ends the process on any other platform. */
const STATIC_PLATFORMS = ["linux", "darwin", "win32"];
/** libavutil's AVERROR_INVALIDDATA and AVERROR_EOF: it read the file, and it is no media. */
const NO_MEDIA_CODES = [-1_094_995_529, -541_478_725];

export interface FfprobeSettings {
  /** FFPROBE_PATH; null: the PATH's, else the one of ffprobe-static. */
  readonly configuredPath: string | null;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly timeoutMs?: number;
}

export interface ProbedFile {
  readonly tracks: readonly Track[];
  readonly durationUs: number;
}

/**
 * Throws `data-loss` when ffprobe finds no media, `unavailable` when it is missing, crashes, hangs or babbles,
 * `cancelled` on abort.
 */
export async function probeFile(
  settings: FfprobeSettings,
  file: { readonly filePath: string; readonly format: SegmentFormat },
  signal: AbortSignal,
): Promise<ProbedFile> {
  const executable = await findFfprobe(settings);
  // `file:` in front keeps `-version.ts` and `concat:x` what they are: names of files.
  const input = ["-f", DEMUXERS[file.format], "-i", `file:${path.resolve(file.filePath)}`];
  const output = ["-show_streams", "-show_format", "-show_error", "-of", "json"];
  const text = await runFfprobe(
    { executable, args: ["-v", "error", "-protocol_whitelist", "file,pipe", ...input, ...output], settings },
    signal,
  );
  return readReport(text, file.filePath);
}

/** Absolute path. Throws `unavailable` with a hint when there is none. */
export async function findFfprobe(settings: FfprobeSettings): Promise<string> {
  if (settings.configuredPath !== null) {
    const configured = path.resolve(settings.configuredPath);
    if (await isExecutable(configured)) return configured;
    throw new AppError({ kind: "unavailable", message: `find ffprobe: ${configured} is not executable`, hint: HINT });
  }
  const inPath = await findInPath("ffprobe", settings.env);
  if (inPath !== undefined) return inPath;
  if (STATIC_PLATFORMS.includes(process.platform)) {
    const bundled = await import("ffprobe-static");
    if (await isExecutable(bundled.path)) return bundled.path;
  }
  throw new AppError({ kind: "unavailable", message: "find ffprobe: none in PATH and none bundled", hint: HINT });
}

interface Command {
  readonly executable: string;
  readonly args: readonly string[];
  readonly settings: FfprobeSettings;
}

async function runFfprobe({ executable, args, settings }: Command, signal: AbortSignal): Promise<string> {
  const timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  try {
    const { stdout } = await run(executable, args, {
      env: toolEnvironment(settings.env),
      signal,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: MAX_OUTPUT_BYTES,
      encoding: "utf8",
      windowsHide: true,
    });
    return stdout;
  } catch (error) {
    if (signal.aborted) throw new AppError({ kind: "cancelled", message: "run ffprobe: cancelled", cause: error });
    const failure = describeFailure(error, timeoutMs);
    if (failure.stdout !== null) return failure.stdout;
    throw new AppError({
      kind: "unavailable",
      message: `run ${executable}: ${failure.message}`,
      hint: HINT,
      cause: error,
    });
  }
}

/** An orderly refusal is exit code 1 with a report on stdout; everything else is a failure of ffprobe itself. */
function describeFailure(
  error: unknown,
  timeoutMs: number,
): { readonly message: string; readonly stdout: string | null } {
  const failure = error as { code?: unknown; signal?: unknown; killed?: unknown; stdout?: unknown };
  if (failure.code === 1 && typeof failure.stdout === "string" && failure.stdout.trim() !== "") {
    return { message: "exit code 1", stdout: failure.stdout };
  }
  if (failure.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return { message: `more than ${String(MAX_OUTPUT_BYTES)} bytes of output`, stdout: null };
  }
  if (failure.killed === true) return { message: `killed after ${String(timeoutMs)} ms`, stdout: null };
  if (typeof failure.signal === "string") return { message: `ended by ${failure.signal}`, stdout: null };
  if (typeof failure.code === "number") return { message: `exit code ${String(failure.code)}`, stdout: null };
  return { message: typeof failure.code === "string" ? failure.code : "cannot be started", stdout: null };
}

function readReport(text: string, filePath: string): ProbedFile {
  const report = parseReport(text, filePath);
  if (report.error !== undefined) {
    const kind = NO_MEDIA_CODES.includes(report.error.code) ? "data-loss" : "unavailable";
    throw new AppError({ kind, message: `probe ${filePath}: ${report.error.string}` });
  }
  const tracks = tracksOf(report);
  const durationUs = durationUsOf(report);
  if (tracks.every(({ kind }) => kind === "other") || durationUs === null) {
    throw new AppError({
      kind: "data-loss",
      message: `probe ${filePath}: no media: ${String(tracks.length)} streams, duration ${durationUs === null ? "unknown" : String(durationUs)}`,
    });
  }
  return { tracks, durationUs };
}

function parseReport(text: string, filePath: string): FfprobeReport {
  try {
    return ffprobeReport.parse(JSON.parse(text));
  } catch (error) {
    throw new AppError({
      kind: "unavailable",
      message: `probe ${filePath}: output of ffprobe is not the expected JSON`,
      hint: HINT,
      cause: error,
    });
  }
}
