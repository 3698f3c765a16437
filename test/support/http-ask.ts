/** A client that sends exactly what it is told to: any Host, any bytes, nothing normalised, one socket per request. */
import { type IncomingHttpHeaders, request } from "node:http";

import type { HttpHarness } from "./http-harness.js";
import { PATIENCE } from "./patience.js";

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text and bytes go as they are; anything else as JSON, with its content type. */
  readonly body?: unknown;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** Throws when the body is no JSON. */
  readonly json: () => unknown;
}

const DEADLINE_MS = 20_000 * PATIENCE;

/** Rejects when there is no whole answer. */
export function ask({ port }: Pick<HttpHarness, "port">, target: string, options: Ask = {}): Promise<Answered> {
  const { method = "GET", headers = {}, body } = options;
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  const payload = body === undefined ? undefined : isRaw ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  const sent: Record<string, string | string[]> = {};
  if (payload !== undefined) sent["content-length"] = String(payload.length);
  if (payload !== undefined && !isRaw) sent["content-type"] = "application/json";
  for (const [name, value] of Object.entries(headers)) {
    sent[name.toLowerCase()] = typeof value === "string" ? value : [...value];
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, method, path: target, headers: sent, agent: false, timeout: DEADLINE_MS },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          const { statusCode = 0, headers: received } = incoming;
          resolve({ status: statusCode, headers: received, bytes, text, json: () => JSON.parse(text) as unknown });
        });
      },
    );
    outgoing.once("error", reject);
    outgoing.once("timeout", () => outgoing.destroy(new Error(`${method} ${target}: no answer`)));
    outgoing.end(payload);
  });
}

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly hint?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** Throws unless the answer is a problem document (RFC 9457) of its own status. */
export function problemIn(answered: Answered): ProblemBody {
  const type = answered.headers["content-type"] ?? "none";
  if (!type.startsWith("application/problem+json")) {
    throw new Error(`${answered.status} ${type} is no problem document: ${answered.text.slice(0, 200)}`);
  }
  const problem = answered.json() as ProblemBody;
  if (problem.status !== answered.status) throw new Error(`${answered.status} says that it is ${problem.status}`);
  return problem;
}
