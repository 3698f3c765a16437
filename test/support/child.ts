/** A child process of a test: output captured, ended for sure. */
import { type ChildProcess, spawn } from "node:child_process";

import { PATIENCE } from "./patience.js";

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** To run as another user, for root. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** All of stdout and stderr so far. */
  output(): string;
  /** The exit code, or the name of the signal; resolves once the output is complete. */
  readonly exited: Promise<number | string>;
  /** Sends the signal unless it has ended, and waits for the end; SIGKILL after `graceMs`, on a busy machine later. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<number | string>;
}

const KILL_AFTER_MS = 10_000;

/** Throws when the program cannot be started. The caller stops it, by `onTestFinished` or a hook. */
export async function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const exited = new Promise<number | string>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    process: child,
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    stop: async (signal = "SIGTERM", graceMs = KILL_AFTER_MS) => {
      if (!hasExited()) child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs * PATIENCE);
      const result = await exited;
      clearTimeout(timer);
      return result;
    },
  };
}
