/** Whom MediaMTX cuts off when it goes from what it runs, which its API alone may tell, to another file. */
import { type ConfiguredNames, namedPaths, readPaths, type Reconnect, whyClosed } from "./config-diff.js";
import type { ServerConfig } from "./config-drift.js";
import type { Settings } from "./control-api.js";

interface Running {
  readonly server: ServerConfig;
  /** As it stands on the disk: what it sets and the other file does not goes back to MediaMTX's default. */
  readonly file: string | null;
  readonly after: string;
}

export function runningReconnects({ server, file, after }: Running): readonly Reconnect[] {
  const [fresh, said] = [readPaths(after), readPaths(file ?? after)];
  const running = namedPaths(new Map(server.paths.map((entry) => [entry.name, entry])), {});
  return [...new Set([...running.names, ...fresh.names])].sort().flatMap((path) => {
    const { was, is } = comparable(path, { running, fresh, said });
    const reason = whyClosed(was, is, running.names.includes(path));
    return reason === undefined ? [] : [{ path, reason }];
  });
}

/** MediaMTX answers every setting there is; only those count that somebody names and that it does not mask. */
function comparable(path: string, of: Readonly<Record<"running" | "fresh" | "said", ConfiguredNames>>) {
  const [was, is, said] = [of.running.find(path), of.fresh.find(path), of.said.find(path)];
  if (was === undefined || is === undefined) return { was, is };
  const names = Object.keys(was).filter((name) => {
    if (JSON.stringify(was[name]).includes("<redacted>")) return false;
    return name in is || (said !== undefined && name in said && !isNothing(was[name]));
  });
  return { was: pick(was, names), is: pick(is, names) };
}

function isNothing(value: unknown): boolean {
  return [undefined, null, "", false, 0, "0s"].includes(value as null) || (Array.isArray(value) && value.length === 0);
}

function pick(settings: Settings, names: readonly string[]): Settings {
  return Object.fromEntries(names.filter((name) => name in settings).map((name) => [name, settings[name]]));
}
