/** Opens the ports: one for all, or with a certificate one for the network (HTTPS) and one for this machine alone. */

import type { RequestListener } from "node:http";

import { describeError } from "../core/errors.js";
import { listen, type Listening, listenTls } from "../http/server.js";
import type { Setup } from "./setup.js";

export interface Reachable extends Listening {
  /** Where a MediaMTX of this machine reaches us. */
  readonly localUrl: string;
  /** Where people do. */
  readonly pageUrl: string;
}

/** Throws `failed-precondition` when a port is taken or the certificate cannot be used. */
export async function startListening({ config, logger }: Setup, app: RequestListener): Promise<Reachable> {
  const { host, port, tls } = config.http;
  const local = await listen(app, { host: tls === null ? host : "127.0.0.1", port });
  const localUrl = localUrlOf(config.http, local.port);
  if (tls === null) return { ...local, localUrl, pageUrl: config.publicUrl ?? localUrl };
  const onError = (error: unknown): void => {
    logger.error("the certificate of before goes on", { err: describeError(error) });
  };
  try {
    const open = await listenTls(app, { host, ...tls, onError });
    return {
      port: open.port,
      localUrl,
      pageUrl: config.publicUrl ?? urlOf("https", host, open.port),
      stop: async (graceMs) => {
        await Promise.all([open.stop(graceMs), local.stop(graceMs)]);
      },
    };
  } catch (error) {
    await local.stop(0);
    throw error;
  }
}

export function localUrlOf({ host, tls }: Setup["config"]["http"], port: number): string {
  return urlOf("http", tls === null ? host : "127.0.0.1", port);
}

function urlOf(scheme: string, host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}://${reachable.includes(":") ? `[${reachable}]` : reachable}:${String(port)}`;
}
