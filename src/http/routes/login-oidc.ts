/** Logging in elsewhere: the browser goes to the login provider and comes back. Both ways end on a page, never in JSON. */
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Request } from "express";
import { z } from "zod";

import { cookieOf } from "../../access/caller.js";
import type { Identity } from "../../access/identity.js";
import type { OidcAttempt } from "../../access/oidc.js";
import { noteAudit } from "../../catalog/audit.js";
import { oidcAnswerSchema, oidcLoginQuerySchema } from "../../contract/users.js";
import { AppError, describeError, toAppError } from "../../core/errors.js";
import type { HttpDeps, LoginElsewhere } from "../http-deps.js";
import { cookiePlace, setAttemptCookie, setLoginCookies } from "../login-cookies.js";
import { clientOf } from "../request-parts.js";
import { defineRoute, type Reply, type Route } from "../route.js";

const common = { method: "GET", access: "public", scope: "none", tag: "login" } as const;
const responses = { 302: { description: "On to the provider, or to the page, with ?loginError= when it failed" } };

export function loginOidcRoutes(deps: HttpDeps): Route[] {
  return [beginRoute(deps), answerRoute(deps)];
}

function beginRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...{ ...common, responses, path: "/api/v1/login/oidc", query: oidcLoginQuerySchema },
    summary: "Send the browser to the login provider",
    description: "For a browser to open, not for scripts. `returnTo`: where on the page to go afterwards.",
    handler: ({ query, response }) =>
      orTell(deps, response, async ({ provider }) => {
        const { url, attempt } = await provider.begin();
        setAttemptCookie(response, packed({ ...attempt, returnTo: query.returnTo }), cookiePlace(deps));
        return url;
      }),
  });
}

function answerRoute(deps: HttpDeps): Route {
  return defineRoute({
    ...{ ...common, responses, path: "/api/v1/login/oidc/callback", query: oidcAnswerSchema },
    summary: "Where the login provider sends the browser back to",
    handler: ({ request, response }) =>
      orTell(deps, response, async ({ provider, groupRoles, publicUrl, identity }) => {
        const { returnTo, ...attempt } = attemptOf(deps, request);
        // Good once, whatever comes of it.
        setAttemptCookie(response, "", cookiePlace(deps));
        const query = new URLSearchParams(request.url.split("?").slice(1).join("?"));
        const person = await provider.finish(query, attempt).catch(async (error: unknown) => {
          await noteFailure(deps, request);
          throw error;
        });
        const loggedIn = await identity.loginElsewhere(person, groupRoles, clientOf(request));
        setLoginCookies(response, { loggedIn, nowUs: deps.catalog.clock.nowUs(), ...cookiePlace(deps) });
        return `${publicUrl}${returnTo}`;
      }),
  });
}

/** A person looks at this: what went wrong is told by the page, by the kind of the failure, and in full by the log. */
async function orTell(
  { login: { elsewhere, identity }, logger }: HttpDeps,
  response: ServerResponse,
  work: (parts: LoginElsewhere & { readonly identity: Identity }) => Promise<string>,
): Promise<Reply> {
  if (elsewhere === null || identity === null) {
    throw new AppError({ kind: "failed-precondition", message: "no login provider is known: OIDC_ISSUER is not set" });
  }
  try {
    return redirect(response, await work({ ...elsewhere, identity }));
  } catch (error) {
    logger.warn("a login by the provider failed", { err: describeError(error) });
    return redirect(response, `${elsewhere.publicUrl}/?loginError=${toAppError(error).kind}`);
  }
}

function redirect(response: ServerResponse, to: string): Reply {
  response.writeHead(302, { Location: to }).end();
  return { kind: "sent" };
}

const attemptSchema = z.strictObject({
  ...{ state: z.string(), nonce: z.string(), verifier: z.string() },
  returnTo: oidcLoginQuerySchema.shape.returnTo,
});

function packed(attempt: OidcAttempt & { readonly returnTo: string }): string {
  return Buffer.from(JSON.stringify(attempt)).toString("base64url");
}

/** Throws `permission-denied`: this browser did not begin the login, or too long ago. */
function attemptOf({ access }: HttpDeps, { headers }: IncomingMessage): z.infer<typeof attemptSchema> {
  const text = Buffer.from(cookieOf(headers.cookie, "attempt", access.publicUrl) ?? "", "base64url").toString();
  try {
    return attemptSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = "this browser has begun no login, or more than ten minutes ago";
    throw new AppError({ kind: "permission-denied", message, cause: error });
  }
}

/** Nobody knows yet who it was. */
function noteFailure({ catalog }: HttpDeps, request: Request): Promise<void> {
  const actor = { kind: "user" as const, id: "", name: "", address: clientOf(request).address };
  return noteAudit(catalog, { actor, action: "login.fail", target: "oidc" });
}
