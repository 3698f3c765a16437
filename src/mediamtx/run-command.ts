/**
 * Runs a tool to its end: with a deadline, a signal and a cap on what is kept of its output. On Unix the tool leads
 * its own process group, so that ending it also ends the compilers and the like that it started.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { AppError, errnoOf } from "../core/errors.js";

const OUTPUT_CAP_CHARS = 64 * 1024;

export interface CommandOptions {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Each line of stdout and stderr, as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** The last 64 Ki characters of stdout and stderr together. */
  readonly output: string;
}

/** Throws `not-found` when there is no such tool, `unavailable` at the deadline, `cancelled` by the signal. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const stop = AbortSignal.any([deadline, options.signal]);
  if (stop.aborted) throw cancelled(command);
  const child = spawn(command, args, {
    env: { ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
    // npm is a script on Windows, which only a shell can start.
    shell: process.platform === "win32" && command === "npm",
    windowsHide: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const output = collectOutput(child, options.onLine);
  const onStop = (): void => killGroup(child);
  stop.addEventListener("abort", onStop, { once: true });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (options.signal.aborted) throw cancelled(command);
    if (deadline.aborted) {
      throw new AppError({
        kind: "unavailable",
        message: `run ${command}: no end within ${String(options.timeoutMs)} ms`,
      });
    }
    return { exitCode, output: output() };
  } catch (error) {
    if (error instanceof AppError) throw error;
    const kind = errnoOf(error) === "ENOENT" ? "not-found" : "failed-precondition";
    throw new AppError({ kind, message: `run ${command}: cannot be started`, cause: error });
  } finally {
    stop.removeEventListener("abort", onStop);
  }
}

/** As runCommand, but an exit code other than 0 is `failed-precondition` with the last lines of the output. */
export async function runTool(command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const { exitCode, output } = await runCommand(command, args, options);
  if (exitCode === 0) return output;
  const tail = output.trim().split("\n").slice(-3).join(" | ").slice(-600);
  throw new AppError({
    kind: "failed-precondition",
    message: `run ${[command, ...args.slice(0, 2)].join(" ")}: exit code ${String(exitCode)}, expected 0: ${tail}`,
  });
}

function collectOutput(child: ChildProcess, onLine?: (line: string) => void): () => string {
  let kept = "";
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      kept = `${kept}${line}\n`.slice(-OUTPUT_CAP_CHARS);
      onLine?.(line);
    });
  }
  return () => kept;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // NOTE: it ended by itself in between; `close` follows.
  }
}

function cancelled(command: string): AppError {
  return new AppError({ kind: "cancelled", message: `run ${command}: stopped` });
}
