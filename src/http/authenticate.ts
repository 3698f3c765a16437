/** From a request to who is asking: by a signed URL where the route takes one, else by what the request itself proves. */
import type { Request } from "express";

import type { RequestFacts } from "../access/caller.js";
import { NOBODY } from "../access/caller.js";
import { assertRole, assertSeesAll } from "../access/policy.js";
import type { Principals } from "../access/principals.js";
import { isSigned, type UrlSigner } from "../access/signed-url.js";
import { AppError } from "../core/errors.js";
import type { Principal } from "../core/principal.js";
import type { Clock } from "../platform/clock.js";
import { requestFactsOf } from "./request-parts.js";
import type { Link, Route } from "./route.js";

export interface AuthenticateDeps {
  /** Throws `unauthenticated` or `permission-denied`. */
  readonly identify: (facts: RequestFacts) => Promise<Principal>;
  readonly principals: Principals;
  readonly signer: UrlSigner;
  readonly clock: Pick<Clock, "nowUs">;
}

export interface Caller {
  readonly principal: Principal;
  readonly link: Link | null;
}

/** Has the role of the route; of paths only `instance` is decided here. Throws `unauthenticated`, `permission-denied`. */
export async function authenticate(deps: AuthenticateDeps, route: Route, request: Request): Promise<Caller> {
  const { access, scope } = route;
  if (access === "public" || access === "hook") return { principal: NOBODY, link: null };
  const caller =
    route.signed !== undefined && isSigned(request.url)
      ? await callerByLink(deps, request.url)
      : { principal: await deps.identify(requestFactsOf(request)), link: null };
  assertRole(caller.principal, access);
  if (scope === "instance") assertSeesAll(caller.principal);
  return caller;
}

/** It may look, and nothing else, whatever its maker may. */
async function callerByLink({ signer, principals, clock }: AuthenticateDeps, url: string): Promise<Caller> {
  const link = signer.verify(url, clock.nowUs());
  const maker = await principals.find(link.kind, link.id);
  if (maker === undefined) {
    throw new AppError({ kind: "unauthenticated", message: "whoever signed this URL may not look any more" });
  }
  const kind = maker.kind === "share" ? "share" : "link";
  return { principal: { ...maker, kind, role: "viewer", sessionId: null }, link };
}
