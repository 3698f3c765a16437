/** What an embedded MediaMTX, its hooks and its ffmpegs get to see of our environment. */
import { VARIABLES } from "../config/variables.js";

/** MediaMTX takes these for settings that beat its configuration file (RTSP_ is the prefix of its former name). */
const OVERRIDE = /^(?:MTX|RTSP)_/;
const OWN_SECRETS = new Set(
  Object.entries(VARIABLES)
    .filter(([, variable]) => "secret" in variable)
    .map(([name]) => name),
);

export interface ChildEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Names of overrides that were left out, for a warning. */
  readonly dropped: readonly string[];
}

/** Leaves out what would beat the generated configuration, and our own secrets; `extra` wins over both. */
export function childEnvironment(
  inherited: Readonly<NodeJS.ProcessEnv>,
  extra: Readonly<Record<string, string>>,
): ChildEnvironment {
  const env: Record<string, string> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(inherited)) {
    if (value === undefined || OWN_SECRETS.has(name)) continue;
    if (OVERRIDE.test(name)) dropped.push(name);
    else env[name] = value;
  }
  return { env: { ...env, ...extra }, dropped: dropped.sort() };
}
