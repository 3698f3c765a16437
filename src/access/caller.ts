/** Who is asking: the one place where a request becomes a principal. What it may is decided in policy.ts. */
import { createHash, timingSafeEqual } from "node:crypto";

import { AppError } from "../core/errors.js";
import type { Principal, Role } from "../core/principal.js";

/** What a route demands. `hook`: the shared secret, which may come in the body and is checked by the route. */
export type Access = "public" | "hook" | Role;

export interface AccessRules {
  readonly adminToken: string | null;
  readonly hookSecret: string;
}

export interface RequestFacts {
  readonly method: string;
  /** `Host` header. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly authorization: string | undefined;
}

/** Asks on routes that are open to everyone: may nothing, sees nothing. */
export const NOBODY: Principal = {
  kind: "machine",
  id: "nobody",
  name: "nobody",
  role: "viewer",
  scopes: [[]],
  range: null,
  sessionId: null,
};

const ADMIN: Omit<Principal, "kind" | "id" | "name"> = { role: "admin", scopes: [], range: null, sessionId: null };
export const ADMIN_TOKEN: Principal = { ...ADMIN, kind: "token", id: "admin-token", name: "ADMIN_TOKEN" };
export const THIS_MACHINE: Principal = { ...ADMIN, kind: "machine", id: "this-machine", name: "this machine" };

/** Throws `unauthenticated` or `permission-denied`. */
export function identify(rules: AccessRules, request: RequestFacts): Principal {
  if (rules.adminToken !== null) {
    if (isBearer(request.authorization, rules.adminToken)) return ADMIN_TOKEN;
    throw new AppError({
      kind: "unauthenticated",
      message: "this needs the admin token",
      hint: "send it as Authorization: Bearer TOKEN",
    });
  }
  assertSameMachine(request);
  return THIS_MACHINE;
}

/** Constant time, whatever is given. Throws `unauthenticated` without saying why. */
export function assertHookSecret(
  rules: AccessRules,
  given: string | undefined,
  authorization: string | undefined,
): void {
  const isRight = given !== undefined && isSame(given, rules.hookSecret);
  if (isRight || isBearer(authorization, rules.hookSecret)) return;
  throw new AppError({ kind: "unauthenticated", message: "hook refused" });
}

/** Throws `failed-precondition`: without a token nobody but this machine may reach us. */
export function assertMayBind(host: string, adminToken: string | null): void {
  if (adminToken !== null || isLoopbackName(host)) return;
  throw new AppError({
    kind: "failed-precondition",
    message: `HOST="${host}" would let others in, and ADMIN_TOKEN is not set`,
    hint: "set ADMIN_TOKEN to at least 16 random characters, or HOST to 127.0.0.1",
  });
}

/**
 * Bound to loopback without a token: a page that somebody opens in a browser here must not be able to ask for us, by
 * another name that resolves to this machine (DNS rebinding) or from another origin.
 */
function assertSameMachine({ method, host, origin, secFetchSite }: RequestFacts): void {
  if (!isLoopbackName(hostNameOf(host))) {
    throw new AppError({ kind: "permission-denied", message: "the Host header does not name this machine" });
  }
  if (method === "GET" || method === "HEAD") return;
  const isForeign = secFetchSite !== undefined && secFetchSite !== "same-origin" && secFetchSite !== "none";
  if (isForeign || (origin !== undefined && origin !== `http://${host ?? ""}`)) {
    throw new AppError({ kind: "permission-denied", message: "requests from another origin may not change anything" });
  }
}

function hostNameOf(host: string | undefined): string {
  const match = /^(\[[0-9a-f:]+\]|[^:]*)(?::\d+)?$/i.exec(host ?? "");
  return match?.[1] ?? "";
}

export function isLoopbackName(host: string): boolean {
  return /^(localhost|\[?::1\]?|127(\.\d{1,3}){3})$/i.test(host);
}

function isBearer(authorization: string | undefined, secret: string): boolean {
  const [scheme, token] = (authorization ?? "").split(" ");
  return scheme?.toLowerCase() === "bearer" && token !== undefined && isSame(token, secret);
}

/** Digests have one length, so neither length nor content shows in the time. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
