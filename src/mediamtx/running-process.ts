/** A MediaMTX that runs: our child, or one that an earlier Reelkeeper started and that we watch from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import { runsWithConfig } from "./process-identity.js";

const WATCH_MS = 500;

export interface ProcessExit {
  /** Null when a signal ended it, or when it was not our child. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface RunningProcess {
  readonly pid: number;
  readonly startedAtUs: number;
  readonly adopted: boolean;
  readonly exited: Promise<ProcessExit>;
  /** A process that is gone is left alone. */
  kill(signal: NodeJS.Signals): void;
}

export interface SpawnRequest {
  readonly bin: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  readonly startedAtUs: number;
}

/** Throws `failed-precondition` when the binary or the log file cannot be used, or `onPid` throws. */
export async function spawnMediaMtx(request: SpawnRequest, onPid: (pid: number) => void): Promise<RunningProcess> {
  let child: ChildProcess | undefined;
  try {
    const logFd = openSync(request.logFile, "a", 0o600);
    try {
      child = spawn(request.bin, [request.configFile], {
        cwd: path.dirname(request.configFile),
        env: request.env,
        // A session of its own: ^C in a terminal reaches us alone, and we stop MediaMTX in our order.
        detached: true,
        stdio: ["ignore", logFd, logFd],
        windowsHide: true,
      });
    } finally {
      closeSync(logFd);
    }
    if (child.pid !== undefined) onPid(child.pid);
    await once(child);
  } catch (error) {
    // One that nobody could find again must not stay.
    child?.kill("SIGKILL");
    throw new AppError({ kind: "failed-precondition", message: `start ${request.bin}`, cause: error });
  }
  const pid = child.pid ?? 0;
  const exited = new Promise<ProcessExit>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve({ exitCode: child.exitCode, signal: child.signalCode });
    }
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  return {
    pid,
    startedAtUs: request.startedAtUs,
    adopted: false,
    exited,
    kill: (signal) => void child.kill(signal),
  };
}

export interface AdoptRequest {
  readonly pid: number;
  readonly configFile: string;
  readonly startedAtUs: number;
  /** Ends the watch; `exited` then stays pending. */
  readonly signal: AbortSignal;
}

/** The caller has made sure that the process runs with this configuration file. */
export function adoptMediaMtx(clock: Clock, request: AdoptRequest): RunningProcess {
  const watch = async (): Promise<ProcessExit> => {
    while (await runsWithConfig(request.pid, request.configFile)) {
      await clock.sleep(WATCH_MS, request.signal);
      if (request.signal.aborted) return new Promise(() => undefined);
    }
    return { exitCode: null, signal: null };
  };
  return {
    pid: request.pid,
    startedAtUs: request.startedAtUs,
    adopted: true,
    exited: watch(),
    kill: (signal) => {
      try {
        process.kill(request.pid, signal);
      } catch (error) {
        if (errnoOf(error) !== "ESRCH") throw error;
      }
    },
  };
}

function once(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
}
