/**
 * ffmpeg, for pictures; for media that goes by see ffmpeg-stream.ts. It gets its media through a pipe and never a file
 * name, no network, a deadline, a cap on what it may answer, and dies with whoever asked.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";

import { AppError, describeError, errnoOf } from "../core/errors.js";
import { findInPath, isExecutable, toolEnvironment } from "./find-executable.js";

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 16 * 1_048_576;
export const MAX_WORDS_CHARS = 2_000;
const HINT = "install ffmpeg, or set FFMPEG_PATH to an ffmpeg";
export const COMMON_ARGS = ["-hide_banner", "-loglevel", "error", "-nostdin"];

export interface FfmpegSettings {
  /** FFMPEG_PATH; null: the PATH's. */
  readonly configuredPath: string | null;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly timeoutMs?: number;
  /** Whatever else wants the processor goes first. */
  readonly isPatient?: boolean;
}

export interface FfmpegJob {
  /** Input is `pipe:0`, output `pipe:1`. */
  readonly args: readonly string[];
  readonly input: readonly Uint8Array[];
}

/** There is no ffmpeg, it hung, or somebody ended it: no fault of the media. */
export class FfmpegUnavailable extends AppError {
  constructor(message: string) {
    super({ kind: "unavailable", message, hint: HINT });
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * What ffmpeg wrote. Throws `data-loss` when it wrote nothing or gave up on the bytes, `unavailable` when it is missing,
 * hangs or is ended from outside (`FfmpegUnavailable`), `cancelled` on abort.
 */
export async function runFfmpeg(settings: FfmpegSettings, job: FfmpegJob, signal: AbortSignal): Promise<Buffer> {
  const executable = await findFfmpeg(settings);
  const timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([signal, deadline]);
  if (stop.aborted) throw cancelled();
  const child = spawn(executable, [...COMMON_ARGS, ...job.args], {
    env: toolEnvironment(settings.env),
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  if (settings.isPatient === true) giveWay(child);
  const kill = (): void => void child.kill("SIGKILL");
  stop.addEventListener("abort", kill, { once: true });
  try {
    feed(child, job.input);
    const [output, words] = await Promise.all([
      collect(child.stdout, { most: MAX_OUTPUT_BYTES, onTooMuch: kill }),
      collect(child.stderr, { most: MAX_WORDS_CHARS, onTooMuch: () => undefined }),
      ended(child),
    ]);
    if (signal.aborted) throw cancelled();
    if (deadline.aborted) throw failed(executable, `no end within ${String(timeoutMs)} ms`);
    if (child.signalCode !== null) throw failed(executable, `ended by ${child.signalCode}`);
    if (child.exitCode !== 0 || output.length === 0)
      throw unusable("decode a picture", child.exitCode, words.toString("utf8"));
    return output;
  } finally {
    stop.removeEventListener("abort", kill);
  }
}

/** Absolute path. Throws `unavailable` with a hint when there is none. */
export async function findFfmpeg(settings: FfmpegSettings): Promise<string> {
  if (settings.configuredPath !== null) {
    const configured = path.resolve(settings.configuredPath);
    if (await isExecutable(configured)) return configured;
    throw new FfmpegUnavailable(`find ffmpeg: ${configured} is not executable`);
  }
  const found = await findInPath("ffmpeg", settings.env);
  if (found !== undefined) return found;
  throw new FfmpegUnavailable("find ffmpeg: none in PATH");
}

/** Refused at worst; it then works as any other. */
function giveWay({ pid }: Child): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already.
  }
}

/** An ffmpeg that has what it wants reads no further; the exit code says whether it has. */
function feed({ stdin }: Child, input: FfmpegJob["input"]): void {
  stdin.on("error", () => undefined);
  for (const bytes of input) stdin.write(bytes);
  stdin.end();
}

export async function collect(
  stream: Readable,
  { most, onTooMuch }: { readonly most: number; readonly onTooMuch: () => void },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= most) chunks.push(chunk);
    else onTooMuch();
  });
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
  });
  return Buffer.concat(chunks);
}

export async function ended(child: Child): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once("error", (error) => {
      // A failed kill says the same as `close`, which follows.
      if (child.pid === undefined) reject(failed("ffmpeg", errnoOf(error) ?? describeError(error)));
    });
    child.once("close", () => resolve());
  });
}

export function cancelled(): AppError {
  return new AppError({ kind: "cancelled", message: "run ffmpeg: cancelled" });
}

export function failed(executable: string, why: string): AppError {
  return new FfmpegUnavailable(`run ${executable}: ${why}`);
}

export function unusable(purpose: string, exitCode: number | null, words: string): AppError {
  const said = words.trim().split("\n").slice(0, 2).join("; ");
  const why = said === "" ? `exit code ${String(exitCode)}` : said;
  return new AppError({ kind: "data-loss", message: `${purpose}: ${why}` });
}
