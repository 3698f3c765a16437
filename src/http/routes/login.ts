/** Logging in and out, and one's own account. */
import type { ServerResponse } from "node:http";

import type { Request } from "express";
import { z } from "zod";

import { assertSameOrigin, cookieOf, isLoopbackName } from "../../access/caller.js";
import type { Identity, LoggedIn } from "../../access/identity.js";
import { findUser, updateUser } from "../../catalog/users.js";
import {
  changePasswordSchema,
  loggedInSchema,
  loginOptionsSchema,
  loginSchema,
  meSchema,
} from "../../contract/users.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import type { Principal } from "../../core/principal.js";
import { principalOfUser } from "../../core/user.js";
import { actorOf } from "../actor.js";
import type { HttpDeps } from "../http-deps.js";
import { cookiePlace, setLoginCookies } from "../login-cookies.js";
import { clientOf, requestFactsOf } from "../request-parts.js";
import { defineRoute, json, type Reply, type Route } from "../route.js";

const noQuery = z.strictObject({});
const nothing = z.strictObject({});
const common = { scope: "none", tag: "login", query: noQuery } as const;

export function loginRoutes(deps: HttpDeps): Route[] {
  return [optionsRoute(deps), loginRoute(deps), refreshRoute(deps), logoutRoute(deps), meRoute(), passwordRoute(deps)];
}

function optionsRoute({ login }: HttpDeps): Route {
  return defineRoute({
    ...{ ...common, method: "GET", path: "/api/v1/login/options", access: "public" },
    summary: "Whether people log in here, and how",
    responses: { 200: { description: "Options", schema: loginOptionsSchema } },
    handler: () =>
      Promise.resolve(
        json({
          loginRequired: login.identity !== null,
          password: login.identity !== null,
          oidc: login.elsewhere !== null,
        }),
      ),
  });
}

function loginRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...{ ...common, method: "POST", path: "/api/v1/login", access: "public" },
    summary: "Log in by name and password",
    description:
      "Sets the cookies of the page. At most 5 tries a minute for an address and a name; then 429 with Retry-After.",
    body: loginSchema,
    responses: { 200: { description: "Logged in", schema: loggedInSchema } },
    handler: async ({ body, request, response }) => {
      assertOwnPage(deps, request);
      assertCookiesArrive(deps, request);
      return welcome(deps, response, await identityOf(deps).login(body, clientOf(request)));
    },
  });
}

function refreshRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...{ ...common, method: "POST", path: "/api/v1/login/refresh", access: "public" },
    summary: "Go on with a session: by the refresh cookie, which is renewed",
    body: nothing,
    responses: { 200: { description: "Logged in", schema: loggedInSchema } },
    handler: async ({ request, response }) => {
      assertOwnPage(deps, request);
      const token = cookieOf(request.headers.cookie, "refresh", deps.access.publicUrl);
      if (token === undefined) throw new AppError({ kind: "unauthenticated", message: "nobody is logged in" });
      try {
        return welcome(deps, response, await identityOf(deps).refresh(token));
      } catch (error) {
        if (error instanceof AppError && error.kind === "unauthenticated") forgetCookies(deps, response);
        throw error;
      }
    },
  });
}

function logoutRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...{ ...common, method: "POST", path: "/api/v1/logout", access: "viewer" },
    summary: "End this session, at once",
    body: nothing,
    responses: { 200: { description: "Logged out", schema: z.object({}) } },
    handler: async ({ caller, response }) => {
      if (caller.sessionId !== null) await deps.login.identity?.logout(caller.sessionId);
      deps.streams.changed();
      forgetCookies(deps, response);
      return json({});
    },
  });
}

function meRoute(): Route {
  return defineRoute({
    ...{ ...common, method: "GET", path: "/api/v1/me", access: "viewer" },
    summary: "Who asks, and what is open to them",
    responses: { 200: { description: "Oneself", schema: meSchema } },
    handler: ({ caller }) => Promise.resolve(json(meView(caller))),
  });
}

function passwordRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...{ ...common, method: "POST", path: "/api/v1/me/password", access: "viewer" },
    summary: "Change one's own password; all other sessions end",
    body: changePasswordSchema,
    responses: { 200: { description: "Oneself", schema: meSchema } },
    handler: async ({ body, caller, request }) => {
      const { catalog, login, streams } = deps;
      const user = caller.kind === "user" ? await findUser(catalog, { id: caller.id }) : undefined;
      if (user === undefined) {
        throw new AppError({ kind: "failed-precondition", message: "only who has logged in has a password to change" });
      }
      login.limit.enter(request.ip ?? null, user.name);
      if (!(await login.passwords.verify(user.passwordHash, body.current))) {
        const message = "is not the password";
        throw new AppError({
          kind: "invalid-argument",
          message: `current ${message}`,
          fields: [{ field: "current", message }],
        });
      }
      const patch = { passwordHash: await login.passwords.hash(body.new) };
      const change = { id: user.id, patch, keepSession: caller.sessionId };
      const changed = await updateUser(catalog, change, actorOf(caller, request));
      streams.changed();
      return json(meView(principalOfUser(changed, caller.sessionId)));
    },
  });
}

function identityOf({ login }: HttpDeps): Identity {
  if (login.identity !== null) return login.identity;
  throw new AppError({ kind: "failed-precondition", message: "nobody logs in here: LOGIN is off" });
}

/** Whoever could log a browser in as somebody else would see what it does. */
function assertOwnPage({ access }: HttpDeps, request: Request): void {
  const facts = requestFactsOf(request);
  if (facts.origin !== undefined || facts.secFetchSite !== undefined) assertSameOrigin(access, facts);
}

/** A browser would drop them without a word, and be asked to log in again. */
function assertCookiesArrive({ login }: HttpDeps, { secure, headers }: Request): void {
  const { host = "", origin = "" } = headers;
  const isTrusted = secure || isLoopbackName(host.replace(/:\d+$/, ""));
  if (!login.isSecure || isTrusted || !origin.startsWith("http://")) return;
  throw new AppError({
    kind: "failed-precondition",
    message: "over plain HTTP a browser does not keep the cookies of a login",
    hint: "put HTTPS in front of Reelkeeper, or set COOKIE_SECURE=false where you trust the network",
  });
}

function welcome(deps: HttpDeps, response: ServerResponse, loggedIn: LoggedIn): Reply {
  setLoginCookies(response, { loggedIn, nowUs: deps.catalog.clock.nowUs(), ...cookiePlace(deps) });
  return json({
    user: meView(principalOfUser(loggedIn.user, loggedIn.sessionId)),
    accessToken: loggedIn.accessToken,
    accessTokenExpiresAt: formatRfc3339(loggedIn.accessTokenExpiresAtUs),
  });
}

function forgetCookies(deps: HttpDeps, response: ServerResponse): void {
  setLoginCookies(response, { loggedIn: null, nowUs: deps.catalog.clock.nowUs(), ...cookiePlace(deps) });
}

function meView({ kind, id, name, role, scopes, sessionId }: Principal) {
  const [first, ...narrower] = scopes;
  return { kind, id, name, role, paths: first === undefined ? null : (narrower.at(-1) ?? first), sessionId };
}
