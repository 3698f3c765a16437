/** docker-compose.yml as Docker would read it, with its mounts and host names put where a test has them. */
import { readFileSync } from "node:fs";
import path from "node:path";

import { parse } from "yaml";

export interface ComposeService {
  readonly user: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly stop_grace_period: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly build?: { readonly dockerfile_inline: string };
  readonly image?: string;
  readonly profiles?: readonly string[];
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const COMPOSE_FILE = path.resolve(import.meta.dirname, "../../../docker-compose.yml");

/** `variables` are what the shell that starts it has; those that are not there take their defaults. */
export function readCompose(variables: Readonly<Record<string, string>> = {}): ComposeFile {
  const parsed: unknown = parse(readFileSync(COMPOSE_FILE, "utf8"), { merge: true });
  return filled(parsed, variables) as ComposeFile;
}

/** As Docker does it: in each value, after the YAML was read, so that an empty one is an empty text. */
function filled(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item, variables));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner, variables)]));
  }
  if (typeof value !== "string") return value;
  return value.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_whole, name: string, kind?: string, rest?: string) => {
    const given = variables[name] ?? "";
    if (given === "" && kind === "?") throw new Error(`${name}: ${rest ?? ""}`);
    return given === "" ? (rest ?? "") : given;
  });
}

export interface Places {
  /** Volume name → directory of the test. */
  readonly volumes: Readonly<Record<string, string>>;
  /** `host:port` of the compose network → `host:port` here. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Rewrites paths below the mounts of a service, and addresses, wherever they stand in a text. */
export function placer(service: ComposeService, places: Places): (text: string) => string {
  const mounts = service.volumes.map((volume) => {
    const [name = "", target = ""] = volume.split(":");
    return { target, directory: places.volumes[name] ?? "" };
  });
  return (text) => {
    for (const { target, directory } of mounts) {
      if (text === target || text.startsWith(`${target}/`)) return directory + text.slice(target.length);
    }
    return Object.entries(places.addresses).reduce((all, [from, to]) => all.replaceAll(from, to), text);
  };
}
