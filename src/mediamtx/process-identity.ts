/**
 * Whether a process id still means the MediaMTX that was started with a certain configuration file. Ids are used
 * again, and an ended child that nobody reaped still has one, so a signal 0 alone proves nothing.
 */
import { readFile } from "node:fs/promises";

import { errnoOf } from "../core/errors.js";
import { isProcessAlive } from "./file-lock.js";
import { runCommand } from "./run-command.js";

const PS_TIMEOUT_MS = 5_000;

/** Linux answers from /proc, for nothing; elsewhere `ps` is asked. */
export async function runsWithConfig(pid: number, configFile: string): Promise<boolean> {
  if (!isProcessAlive(pid)) return false;
  if (process.platform === "linux") return (await argumentsOf(pid)).includes(configFile);
  const { exitCode, output } = await runCommand("ps", ["-o", "command=", "-p", String(pid)], {
    env: {},
    timeoutMs: PS_TIMEOUT_MS,
    signal: new AbortController().signal,
  });
  return exitCode === 0 && output.trimEnd().endsWith(` ${configFile}`);
}

/** Empty for a process that has ended but was not reaped. */
async function argumentsOf(pid: number): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${String(pid)}/cmdline`, "utf8")).split("\0").slice(1);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH") return [];
    throw error;
  }
}
