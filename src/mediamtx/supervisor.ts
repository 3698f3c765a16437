/**
 * Keeps an embedded MediaMTX running: starts it, or adopts the one that outlived a killed Reelkeeper; starts it
 * again after a crash, with a pause that grows from 1 s to 30 s; stops it first when Reelkeeper stops. It may be killed at
 * any moment: the pid file leads the next one to the MediaMTX that goes on recording.
 */
import { AppError, describeError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import { sizeOf } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";
import { childEnvironment } from "./child-environment.js";
import { lastReason, takenAddress } from "./log-line.js";
import { LogTail } from "./log-tail.js";
import { fingerprintOf, readPidFile, removePidFile, writePidFile } from "./pid-file.js";
import { runsWithConfig } from "./process-identity.js";
import { adoptMediaMtx, type ProcessExit, type RunningProcess, spawnMediaMtx } from "./running-process.js";

const LOG_CAP_BYTES = 8 * 1024 * 1024;
/** Long enough for the hooks of the last segments, which MediaMTX waits for. */
const STOP_GRACE_MS = 15_000;
const KILL_GRACE_MS = 5_000;
const PROBE_INTERVAL_MS = 100;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const HEALTHY_MS = 60_000;
/** Only Linux builds of MediaMTX take SIGTERM as a request. */
const STOP_SIGNAL: NodeJS.Signals = process.platform === "linux" ? "SIGTERM" : "SIGINT";

export interface SupervisorOptions {
  readonly bin: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** The environment to inherit, without what would beat the configuration. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly extraEnv: Readonly<Record<string, string>>;
  readonly logCapBytes?: number;
  readonly stopGraceMs?: number;
}

export interface MediaMtxStart {
  readonly pid: number;
  /** No file that was last written before this instant is open any more. */
  readonly startedAtUs: number;
  readonly adopted: boolean;
}

export interface MediaMtxExit extends ProcessExit {
  /** What MediaMTX said last. */
  readonly reason: string;
}

export interface SupervisorDeps {
  readonly log: Logger;
  readonly clock: Clock;
  /** Resolves when MediaMTX answers; any rejection means "not yet". */
  readonly probe: (signal: AbortSignal) => Promise<unknown>;
  readonly onStart?: (start: MediaMtxStart) => void;
  /** Not called for an end that `stop` asked for. */
  readonly onExit?: (exit: MediaMtxExit) => void;
}

export type SupervisorState = "stopped" | "running" | "pausing";

export class MediaMtxSupervisor {
  readonly #deps: SupervisorDeps;
  readonly #options: SupervisorOptions;
  readonly #stopping = new AbortController();
  /** After the end of `stop` nothing is watched any more, not even a process that could not be killed. */
  readonly #closed = new AbortController();
  #tail: LogTail | undefined;
  #running: RunningProcess | undefined;
  #lastExit: MediaMtxExit | undefined;
  #restarts = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(deps: SupervisorDeps, options: SupervisorOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  status(): {
    readonly state: SupervisorState;
    readonly process: MediaMtxStart | undefined;
    readonly restarts: number;
    readonly lastExit: MediaMtxExit | undefined;
  } {
    const running = this.#running;
    const idle = this.#stopping.signal.aborted ? ("stopped" as const) : ("pausing" as const);
    return {
      state: running === undefined ? idle : "running",
      process: running === undefined ? undefined : startOf(running),
      restarts: this.#restarts,
      lastExit: this.#lastExit,
    };
  }

  /** Adopts or starts. Throws `failed-precondition` when the binary cannot be started at all. Call it once. */
  async start(): Promise<MediaMtxStart> {
    const file = this.#options.logFile;
    const capBytes = this.#options.logCapBytes ?? LOG_CAP_BYTES;
    this.#tail = new LogTail(this.#deps.log, { file, fromBytes: await sizeOf(file), capBytes });
    const first = (await this.#adopt()) ?? (await this.#spawn());
    this.#tail.start();
    this.#loop = this.#supervise(first);
    return startOf(first);
  }

  /** Throws `failed-precondition` with MediaMTX's own reason when it ends before it answers. */
  async waitUntilReady(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#stopping.signal]);
    const before = this.#running === undefined ? undefined : this.#lastExit;
    for (;;) {
      if (this.#lastExit !== undefined && this.#lastExit !== before) throw this.#startFailure(this.#lastExit);
      if (stop.aborted) throw new AppError({ kind: "cancelled", message: "wait for MediaMTX to answer: stopped" });
      try {
        await this.#deps.probe(stop);
        return;
      } catch {
        // NOTE: not yet; the deadline is the caller's signal.
        await this.#deps.clock.sleep(PROBE_INTERVAL_MS, stop);
      }
    }
  }

  /** Ends MediaMTX and waits until it is gone: segments are finalised and their hooks have run. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#tail?.stop();
    this.#closed.abort();
    removePidFile(this.#options.pidFile);
  }

  /** Runs until `stop`; never rejects. */
  async #supervise(first: RunningProcess): Promise<void> {
    const { log, clock } = this.#deps;
    let current: RunningProcess | undefined = first;
    let pauseMs = FIRST_PAUSE_MS;
    while (current !== undefined) {
      const sinceMs = clock.monotonicMs();
      const exit = await Promise.race([current.exited, aborted(this.#stopping.signal)]);
      if (exit === undefined) return this.#end(current);
      await this.#noteExit(exit);
      if (clock.monotonicMs() - sinceMs >= HEALTHY_MS) pauseMs = FIRST_PAUSE_MS;
      current = undefined;
      while (current === undefined && !this.#stopping.signal.aborted) {
        log.warn("MediaMTX is started again after a pause", { pauseMs });
        await clock.sleep(pauseMs, this.#stopping.signal);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
        current = await this.#restart();
      }
    }
  }

  async #restart(): Promise<RunningProcess | undefined> {
    if (this.#stopping.signal.aborted) return undefined;
    this.#restarts += 1;
    try {
      return await this.#spawn();
    } catch (error) {
      this.#deps.log.error("MediaMTX cannot be started", { err: describeError(error) });
      return undefined;
    }
  }

  async #noteExit({ exitCode, signal }: ProcessExit): Promise<void> {
    this.#running = undefined;
    await this.#tail?.drain();
    const reason = lastReason(this.#tail?.lastLines() ?? []) ?? "it said nothing";
    this.#lastExit = { exitCode, signal, reason };
    this.#deps.log.error("MediaMTX ended", { exitCode, signal, reason });
    this.#deps.onExit?.(this.#lastExit);
  }

  async #adopt(): Promise<RunningProcess | undefined> {
    const { configFile, pidFile, bin, extraEnv } = this.#options;
    const record = readPidFile(pidFile);
    if (record === undefined || !(await runsWithConfig(record.pid, configFile))) return undefined;
    const found = adoptMediaMtx(this.#deps.clock, { ...record, configFile, signal: this.#closed.signal });
    if (record.fingerprint !== fingerprintOf(bin, extraEnv)) {
      this.#deps.log.info("a MediaMTX that runs with other settings is replaced", { pid: record.pid });
      await this.#terminate(found);
      return undefined;
    }
    this.#deps.log.info("MediaMTX kept running and is taken over", { pid: record.pid });
    return this.#begin(found);
  }

  async #spawn(): Promise<RunningProcess> {
    const { bin, configFile, logFile, pidFile, extraEnv } = this.#options;
    const { env, dropped } = childEnvironment(this.#options.env, extraEnv);
    if (dropped.length > 0) {
      this.#deps.log.warn("variables that would beat the generated configuration are ignored", { names: dropped });
    }
    this.#tail?.forgetLines();
    const startedAtUs = this.#deps.clock.nowUs();
    const request = { bin, configFile, logFile, env, startedAtUs };
    const started = await spawnMediaMtx(request, (pid) =>
      writePidFile(pidFile, { pid, startedAtUs, fingerprint: fingerprintOf(bin, extraEnv) }),
    );
    this.#deps.log.info("MediaMTX started", { pid: started.pid, bin, configFile });
    return this.#begin(started);
  }

  #begin(running: RunningProcess): RunningProcess {
    this.#running = running;
    this.#deps.onStart?.(startOf(running));
    return running;
  }

  async #end(running: RunningProcess): Promise<void> {
    await this.#terminate(running);
    this.#running = undefined;
    this.#deps.log.info("MediaMTX stopped", { pid: running.pid });
  }

  async #terminate(running: RunningProcess): Promise<void> {
    const gone = async (graceMs: number): Promise<boolean> => {
      const done = new AbortController();
      const ended = await Promise.race([
        running.exited.then(() => true),
        this.#deps.clock.sleep(graceMs, done.signal).then(() => false),
      ]);
      done.abort();
      return ended;
    };
    running.kill(STOP_SIGNAL);
    if (await gone(this.#options.stopGraceMs ?? STOP_GRACE_MS)) return;
    this.#deps.log.warn("MediaMTX does not stop and is killed", { pid: running.pid });
    running.kill("SIGKILL");
    if (await gone(KILL_GRACE_MS)) return;
    this.#deps.log.error("MediaMTX cannot be killed", { pid: running.pid });
  }

  #startFailure(exit: MediaMtxExit): AppError {
    const address = takenAddress(exit.reason);
    return new AppError({
      kind: "failed-precondition",
      message: `start MediaMTX: it ended with ${exit.signal ?? `exit code ${String(exit.exitCode)}`}: ${exit.reason}`,
      hint:
        address === undefined
          ? `its whole output is in ${this.#options.logFile}`
          : `${address} is in use: end the program that has it, set another address in MEDIAMTX_BASE_CONFIG, or use a MediaMTX that runs already with MEDIAMTX_MODE=external`,
    });
  }
}

function startOf({ pid, startedAtUs, adopted }: RunningProcess): MediaMtxStart {
  return { pid, startedAtUs, adopted };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
