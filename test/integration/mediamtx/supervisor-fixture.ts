/** A supervisor over a real MediaMTX (or any program) in a directory of its own, observed and stopped for sure. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { onTestFinished } from "vitest";

import {
  type MediaMtxExit,
  type MediaMtxStart,
  MediaMtxSupervisor,
  type SupervisorOptions,
} from "../../../src/mediamtx/supervisor.js";
import { type Clock, systemClock } from "../../../src/platform/clock.js";
import { type Logger, silentLogger } from "../../../src/platform/logger.js";
import { freeMediaMtxPorts, type MediaMtxPorts, quietMediaMtxConfig } from "../../support/mediamtx-server.js";
import { tempDir } from "../../support/temp-dir.js";
import { mediamtxBinary } from "../../support/tools.js";

export interface Supervised {
  readonly supervisor: MediaMtxSupervisor;
  readonly options: SupervisorOptions;
  readonly starts: MediaMtxStart[];
  readonly exits: MediaMtxExit[];
  readonly warnings: string[];
}

export interface Place {
  readonly directory: string;
  readonly ports: MediaMtxPorts;
  readonly options: SupervisorOptions;
}

/** Everything that a supervisor needs, on free ports; `more` is appended to the configuration. */
export async function preparePlace(more = ""): Promise<Place> {
  const directory = await tempDir();
  const ports = await freeMediaMtxPorts();
  const configFile = path.join(directory, "mediamtx.yml");
  await writeFile(configFile, quietMediaMtxConfig("1.21.0", ports, more));
  const options = {
    bin: await mediamtxBinary("1.21.0"),
    configFile,
    logFile: path.join(directory, "mediamtx.log"),
    pidFile: path.join(directory, "mediamtx.pid"),
    env: process.env,
    extraEnv: { REELKEEPER_URL: "http://127.0.0.1:1" },
  };
  onTestFinished(() => killByPidFile(options.pidFile));
  return { directory, ports, options };
}

export function supervise(
  place: Place,
  overrides: { readonly options?: Partial<SupervisorOptions>; readonly clock?: Clock } = {},
): Supervised {
  const options = { ...place.options, ...overrides.options };
  const starts: MediaMtxStart[] = [];
  const exits: MediaMtxExit[] = [];
  const warnings: string[] = [];
  const warn: Logger["warn"] = (message, fields) => void warnings.push(`${message} ${JSON.stringify(fields)}`);
  const supervisor = new MediaMtxSupervisor(
    {
      log: { ...silentLogger, warn },
      clock: overrides.clock ?? systemClock,
      probe: (signal) => fetch(`http://127.0.0.1:${place.ports.api}/v3/info`, { signal }),
      onStart: (start) => starts.push(start),
      onExit: (exit) => exits.push(exit),
    },
    options,
  );
  onTestFinished(() => supervisor.stop());
  return { supervisor, options, starts, exits, warnings };
}

/** Whatever a failing test left. */
async function killByPidFile(pidFile: string): Promise<void> {
  try {
    const { pid } = JSON.parse(await readFile(pidFile, "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended as it should.
  }
}
