/**
 * Where the names in sources lead, looked up when a path is made or its source is changed: one of the addresses that no
 * source may have is refused. A name that cannot be looked up now is told and nothing more, for edits must not hang on a
 * name server; and MediaMTX looks it up again at each connection, when it may lead elsewhere.
 */
import type { PathFacts } from "../catalog/path-row.js";
import type { PathName } from "../core/path-name.js";
import { AppError, describeError } from "../core/errors.js";
import { hostOfUrl, isAddress, whyNotSourceHost } from "../core/source-host.js";
import type { Logger } from "../platform/logger.js";

export interface SourceCheckDeps {
  readonly logger: Logger;
  /** All addresses of a name, soon; throws when that is not to be had. */
  readonly findAddresses: (name: string) => Promise<readonly string[]>;
}

interface Changed {
  readonly before?: PathFacts | undefined;
  readonly after: PathFacts;
}

export interface SourceWarning {
  readonly path: PathName;
  readonly field: "source";
  readonly message: string;
}

/** What could not be looked up. Throws `invalid-argument` that names the path and its field `source`. */
export async function checkSources(
  deps: SourceCheckDeps,
  changes: readonly Changed[],
): Promise<readonly SourceWarning[]> {
  const sources = changes.flatMap(({ before, after }) => {
    const source = after.settings["source"];
    const leadsTo = typeof source === "string" ? hostOfUrl(source) : undefined;
    if (leadsTo === undefined || isAddress(leadsTo.host) || source === before?.settings["source"]) return [];
    return [{ path: after.name, ...leadsTo }];
  });
  const names = [...new Set(sources.map(({ host }) => host))];
  const found = new Map(await Promise.all(names.map(async (name) => [name, await lookUp(deps, name)] as const)));
  return sources.flatMap(({ path, scheme, host }) => {
    const answer = found.get(host);
    if (answer === undefined || "error" in answer) return [{ path, field: "source", message: unknownText(host) }];
    for (const address of answer.addresses) refuseAddress({ path, scheme, host, address });
    return [];
  });
}

async function lookUp({ findAddresses, logger }: SourceCheckDeps, name: string) {
  try {
    return { addresses: await findAddresses(name) };
  } catch (error) {
    logger.warn("a source's name cannot be looked up; it is taken as it is", { host: name, err: describeError(error) });
    return { error };
  }
}

function unknownText(host: string): string {
  return `${host} cannot be looked up now, so nobody knows whether it leads to a camera or to this machine's own services`;
}

function refuseAddress(of: {
  readonly path: PathName;
  readonly scheme: string;
  readonly host: string;
  readonly address: string;
}): void {
  const { path, scheme, host, address } = of;
  // Of a link-local address the zone says nothing.
  const reason = whyNotSourceHost(scheme, address.includes(":") ? `[${address.replace(/%.*$/, "")}]` : address);
  if (reason === undefined) return;
  const message = `${host} leads to ${address}: ${reason}`;
  throw new AppError({
    kind: "invalid-argument",
    message: `the path ${path} is not accepted: source ${message}`,
    fields: [{ field: "source", message }],
  });
}
