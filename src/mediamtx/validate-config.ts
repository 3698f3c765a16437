/** Asks MediaMTX itself whether it would load a configuration file: a running one that cannot load it ends. */
import path from "node:path";

import { childEnvironment } from "./child-environment.js";
import { lastReason } from "./log-line.js";
import { runCommand } from "./run-command.js";
import { compareVersions, OLDEST_VALIDATING_VERSION } from "./version.js";

const TIMEOUT_MS = 15_000;

export type ConfigVerdict =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid"; readonly reason: string }
  /** This MediaMTX is too old to be asked. */
  | { readonly kind: "unchecked" };

export interface ValidationRequest {
  readonly bin: string;
  readonly version: string;
  readonly configFile: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly signal: AbortSignal;
}

/** Throws `unavailable` when the binary does not answer, `not-found` when it is gone. */
export async function validateConfig(request: ValidationRequest): Promise<ConfigVerdict> {
  if (compareVersions(request.version, OLDEST_VALIDATING_VERSION) < 0) return { kind: "unchecked" };
  const { exitCode, output } = await runCommand(request.bin, [`--validate-conf=${request.configFile}`], {
    cwd: path.dirname(request.configFile),
    env: childEnvironment(request.env, {}).env,
    timeoutMs: TIMEOUT_MS,
    signal: request.signal,
  });
  if (exitCode === 0) return { kind: "valid" };
  return { kind: "invalid", reason: lastReason(output.split("\n")) ?? `exit code ${String(exitCode)}` };
}
