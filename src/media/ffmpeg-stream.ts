/**
 * ffmpeg for media that goes by: from a stream to a stream, as fast as both ends go, with no more in memory than pipes
 * hold. It dies with whoever asked.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

import {
  cancelled,
  collect,
  COMMON_ARGS,
  ended,
  failed,
  type FfmpegSettings,
  findFfmpeg,
  MAX_WORDS_CHARS,
  unusable,
} from "./ffmpeg.js";
import { toolEnvironment } from "./find-executable.js";

export interface FfmpegStreamJob {
  /** Input is `pipe:0`, output `pipe:1`. */
  readonly args: readonly string[];
  readonly input: AsyncIterable<Uint8Array>;
  /** What it is for, in messages: "remux MPEG-TS". */
  readonly purpose: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** With input at hand it answers at once; this long nothing comes only from one that hangs. */
const SILENT_MS = 60_000;

/**
 * What ffmpeg writes. Throws what the input throws, `data-loss` when ffmpeg gives up on it, `unavailable` when ffmpeg is
 * missing, hangs or is ended from outside, `cancelled` on abort.
 */
export async function* streamFfmpeg(
  settings: FfmpegSettings,
  { args, input, purpose }: FfmpegStreamJob,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const executable = await findFfmpeg(settings);
  if (signal.aborted) throw cancelled();
  const child: Child = spawn(executable, [...COMMON_ARGS, ...args], {
    env: toolEnvironment(settings.env),
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  const kill = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const feeding = feed(child, input, kill);
  const words = collect(child.stderr, { most: MAX_WORDS_CHARS, onTooMuch: () => undefined });
  const exit = ended(child);
  exit.catch(() => undefined);
  const watch = new SilenceWatch(kill);
  const isAborted = (): boolean => signal.aborted;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      watch.pause();
      yield chunk;
      watch.resume();
    }
    await exit;
    const inputFailure = await feeding;
    if (inputFailure !== undefined) throw inputFailure.error;
    if (isAborted()) throw cancelled();
    if (watch.hasEnded) throw failed(executable, `nothing within ${String(SILENT_MS)} ms`);
    if (child.signalCode !== null) throw failed(executable, `ended by ${child.signalCode}`);
    if (child.exitCode !== 0) throw unusable(purpose, child.exitCode, (await words).toString("utf8"));
  } finally {
    watch.pause();
    signal.removeEventListener("abort", kill);
    kill();
    await Promise.allSettled([exit, feeding]);
  }
}

interface InputFailure {
  readonly error: unknown;
}

/** Whose failure it was: that of the input is told, an ffmpeg that reads no further says itself why. */
async function feed({ stdin }: Child, input: AsyncIterable<Uint8Array>, kill: () => void) {
  let failure: InputFailure | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* input;
    } catch (error) {
      failure = { error };
      kill();
      throw error;
    }
  }
  await pipeline(Readable.from(watched(), { objectMode: false, highWaterMark: 65_536 }), stdin).catch(() => undefined);
  return failure;
}

class SilenceWatch {
  hasEnded = false;
  readonly #end: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(kill: () => void) {
    this.#end = () => {
      this.hasEnded = true;
      kill();
    };
    this.resume();
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  resume(): void {
    this.#timer = setTimeout(this.#end, SILENT_MS);
  }
}
