/** Who is told of in the audit log. */
import type { IncomingMessage } from "node:http";

import type { Request } from "express";

import type { Actor } from "../catalog/audit.js";
import type { Principal } from "../core/principal.js";

/** A download is told of once: a player that goes on in the middle has begun it before. */
export function isBeginning({ method, headers }: Pick<IncomingMessage, "method" | "headers">): boolean {
  return method === "GET" && (headers.range === undefined || headers.range.startsWith("bytes=0-"));
}

export function actorOf(
  { kind, id, name }: Pick<Principal, "kind" | "id" | "name">,
  request: Pick<Request, "ip">,
): Actor {
  return { kind, id, name, address: request.ip ?? null };
}
