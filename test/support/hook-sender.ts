/** Sends hooks as MediaMTX's hook scripts do, on a bounded number of sockets. */
import { Agent, request } from "node:http";

import { PATIENCE } from "./patience.js";

export interface SentHook {
  readonly kind: "segment-create" | "segment-complete";
  readonly path: string;
  /** Absolute. */
  readonly segmentPath: string;
}

export interface HookAnswer {
  /** Undefined: nobody took the connection, or it ended without an answer. */
  readonly status: number | undefined;
  readonly afterMs: number;
}

export interface HookSender {
  send(hook: SentHook): Promise<HookAnswer>;
  close(): void;
}

const TIMEOUT_MS = 60_000 * PATIENCE;

export function createHookSender(options: {
  readonly url: string;
  readonly secret: string;
  readonly sockets: number;
}): HookSender {
  const agent = new Agent({ keepAlive: true, maxSockets: options.sockets });
  return {
    send: ({ kind, path, segmentPath }) => {
      const startedMs = performance.now();
      const body = new URLSearchParams({ secret: options.secret, path, segmentPath, segmentDuration: "1" }).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": body.length };
      return new Promise((resolve) => {
        const done = (status?: number): void => resolve({ status, afterMs: performance.now() - startedMs });
        const target = new URL(`/hooks/${kind}`, options.url);
        const sent = request(target, { method: "POST", agent, headers, timeout: TIMEOUT_MS }, (response) => {
          response.on("end", () => done(response.statusCode)).on("error", () => done());
          response.resume();
        });
        sent.on("timeout", () => sent.destroy()).on("error", () => done());
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
