/** Who is asking: the one place where a request becomes a principal. What it may is decided in policy.ts. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { basePathOf } from "../core/base-path.js";
import { AppError } from "../core/errors.js";
import type { Principal, Role } from "../core/principal.js";

/** What a route demands. `hook`: the shared secret, which may come in the body and is checked by the route. */
export type Access = "public" | "hook" | Role;

export interface AccessRules {
  /** Where browsers find us; null: by the Host header. */
  readonly publicUrl: string | null;
  readonly adminToken: string | null;
  readonly hookSecret: string;
}

export interface RequestFacts {
  readonly method: string;
  /** `Host` header. */
  readonly host: string | undefined;
  /** By HTTPS, or a trusted proxy says so. */
  readonly isSecure: boolean;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly authorization: string | undefined;
  /** `Cookie` header. */
  readonly cookie: string | undefined;
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

/** Those who log in. */
export interface Known {
  /** What stands behind `Bearer`. Throws `unauthenticated`. */
  byBearer(token: string): Promise<Principal>;
  byAccessToken(token: string): Promise<Principal>;
}

/** Throws `unauthenticated` or `permission-denied`. `known`: null while LOGIN=off. */
export async function identify(rules: AccessRules, known: Known | null, request: RequestFacts): Promise<Principal> {
  if (rules.adminToken !== null && isBearer(request.authorization, rules.adminToken)) return ADMIN_TOKEN;
  return known === null ? identifyWithoutLogin(rules, request) : identifyKnown(rules, known, request);
}

/** LOGIN=off: ADMIN_TOKEN opens everything; without one only this machine may ask. */
export function identifyWithoutLogin(rules: AccessRules, request: RequestFacts): Principal {
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

async function identifyKnown(rules: AccessRules, known: Known, request: RequestFacts): Promise<Principal> {
  const bearer = bearerOf(request.authorization);
  if (bearer !== undefined) return known.byBearer(bearer);
  const token = cookieOf(request.cookie, "access", rules.publicUrl);
  if (token === undefined) {
    throw new AppError({ kind: "unauthenticated", message: "nobody is logged in", hint: "log in, or send a token" });
  }
  assertSameOrigin(rules, request);
  return known.byAccessToken(token);
}

export type CookieKind = "access" | "refresh" | "attempt";

export interface CookieNames {
  /** `__Host-`: browsers take it over HTTPS only (and from this machine), from this host alone. */
  readonly secure: string;
  readonly plain: string;
}

/**
 * Below a path of a host they are named after it, because two Reelkeepers may live there and each is sent the cookies of
 * both: `Path=/` is what `__Host-` asks for, and a narrower one would keep no neighbour from asking in our page's name.
 */
export function cookieNames(which: CookieKind, publicUrl: string | null): CookieNames {
  const plain = `reelkeeper-${which}${basePathOf(publicUrl).replaceAll("/", ".")}`;
  return { secure: `__Host-${plain}`, plain };
}

export function cookieOf(header: string | undefined, which: CookieKind, publicUrl: string | null): string | undefined {
  const names = cookieNames(which, publicUrl);
  for (const part of (header ?? "").split(";")) {
    const at = part.indexOf("=");
    const name = part.slice(0, at).trim();
    if (at > 0 && (name === names.secure || name === names.plain)) return part.slice(at + 1).trim();
  }
  return undefined;
}

/**
 * Cookies come with whatever a browser sends, so what changes something must come from our own page: the browser says
 * so (Fetch Metadata, Origin). One that says nothing of it is not believed (CVE-2023-45670).
 */
export function assertSameOrigin(
  { publicUrl }: Pick<AccessRules, "publicUrl">,
  { method, host, origin, secFetchSite }: RequestFacts,
): void {
  if (method === "GET" || method === "HEAD") return;
  const ourHosts = [host?.toLowerCase(), originHost(publicUrl ?? undefined)];
  const isOurs = origin !== undefined && ourHosts.includes(originHost(origin));
  if ((origin === undefined ? secFetchSite === "same-origin" : isOurs) && isSameSite(secFetchSite)) return;
  throw new AppError({ kind: "permission-denied", message: "requests from another origin may not change anything" });
}

function isSameSite(secFetchSite: string | undefined): boolean {
  return secFetchSite === undefined || secFetchSite === "same-origin" || secFetchSite === "none";
}

function originHost(origin: string | undefined): string | undefined {
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Of a request to a route of `hook`. */
export interface HookProof {
  /** A field of the body. */
  readonly field: string | undefined;
  /** A part of the URL, which holds what was made of the secret for it. */
  readonly inUrl: string | undefined;
  readonly authorization: string | undefined;
}

/** Constant time, whatever is given. Throws `unauthenticated` without saying why. */
export function assertHookSecret({ hookSecret }: AccessRules, { field, inUrl, authorization }: HookProof): void {
  if (field !== undefined && isSame(field, hookSecret)) return;
  if (inUrl !== undefined && isSame(inUrl, urlSecretOf(hookSecret))) return;
  if (isBearer(authorization, hookSecret)) return;
  throw new AppError({ kind: "unauthenticated", message: "hook refused" });
}

/** What MediaMTX calls us with where all it can be given is a URL; it does not open the hooks. */
export function urlSecretOf(hookSecret: string): string {
  return createHmac("sha256", hookSecret).update("reelkeeper mediamtx auth url").digest("base64url");
}

/** Throws `failed-precondition`: where nobody has to prove who they are, nobody but this machine may reach us. */
export function assertMayBind(
  host: string,
  rules: { readonly adminToken: string | null; readonly login: boolean },
): void {
  if (rules.login || rules.adminToken !== null || isLoopbackName(host)) return;
  throw new AppError({
    kind: "failed-precondition",
    message: `HOST="${host}" would let others in, LOGIN is off and ADMIN_TOKEN is not set`,
    hint: "set LOGIN=required, or ADMIN_TOKEN to at least 16 random characters, or HOST to 127.0.0.1",
  });
}

/**
 * Bound to loopback without a token: a page that somebody opens in a browser here must not be able to ask for us, by
 * another name that resolves to this machine (DNS rebinding) or from another origin.
 */
function assertSameMachine({ method, host, isSecure, origin, secFetchSite }: RequestFacts): void {
  if (!isLoopbackName(hostNameOf(host))) {
    throw new AppError({ kind: "permission-denied", message: "the Host header does not name this machine" });
  }
  if (method === "GET" || method === "HEAD") return;
  const isForeign = secFetchSite !== undefined && secFetchSite !== "same-origin" && secFetchSite !== "none";
  if (isForeign || (origin !== undefined && origin !== `${isSecure ? "https" : "http"}://${host ?? ""}`)) {
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
  const token = bearerOf(authorization);
  return token !== undefined && isSame(token, secret);
}

function bearerOf(authorization: string | undefined): string | undefined {
  const [scheme, token] = (authorization ?? "").split(" ");
  return scheme?.toLowerCase() === "bearer" ? token : undefined;
}

/** Digests have one length, so neither length nor content shows in the time. */
export function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
