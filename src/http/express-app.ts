/**
 * From routes to an Express application. Everything that comes in is parsed by the route's schemas before its handler
 * runs, and every failure leaves as a problem (RFC 9457).
 */
import type { IncomingMessage, ServerResponse } from "node:http";

import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from "express";

import { type AccessRules, assertHookSecret, NOBODY } from "../access/caller.js";
import { assertAllowed } from "../access/policy.js";
import type { Catalog } from "../catalog/catalog.js";
import { basePathOf } from "../core/base-path.js";
import { AppError, describeError, toAppError } from "../core/errors.js";
import { GateFull } from "../platform/gate.js";
import type { Logger } from "../platform/logger.js";
import type { Turns } from "../platform/turns.js";
import type { UrgentWork } from "../platform/urgent-work.js";
import { authenticate, type AuthenticateDeps, type Caller } from "./authenticate.js";
import { takeOff } from "./base-path.js";
import { type Hardening, harden } from "./hardening.js";
import { jsonText } from "./json-text.js";
import { HttpError, problemOf } from "./problem.js";
import { bodyParsers, paramsOf, parsePart, queryIn, refuseOddUrl } from "./request-parts.js";
import type { Reply, Route } from "./route.js";

export interface ExpressAppDeps extends Omit<AuthenticateDeps, "clock"> {
  /** MediaMTX waits for the answer, and gives up; who does not know the secret holds nobody up. */
  readonly urgent: Pick<UrgentWork, "begin">;
  /** For everybody else. */
  readonly turns: Pick<Turns, "take">;
  readonly logger: Logger;
  readonly access: AccessRules;
  readonly catalog: Pick<Catalog, "clock">;
  readonly routes: readonly Route[];
  readonly hardening: Hardening;
}

export function createExpressApp(deps: ExpressAppDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  harden(app, deps.hardening);
  app.use(takeOff(basePathOf(deps.hardening.publicUrl)));
  app.use((request, _response, next) => {
    refuseOddUrl(request.url);
    next();
  });
  for (const route of deps.routes) {
    const guard: RequestHandler = async (request, response, next) => {
      if (route.access !== "hook") await deps.turns.take();
      callers.set(response, await authenticate({ ...deps, clock: deps.catalog.clock }, route, request));
      next();
    };
    const parsers = route.body === undefined ? [] : bodyParsers(route);
    app[verbOf(route)](expressPath(route.path), guard, ...parsers, (request: Request, response: Response) =>
      answer(deps, route, { request, response }),
    );
  }
  app.use((request) => {
    throw unknownUrl(deps.routes, request);
  });
  app.use(createProblemHandler(deps.logger));
  return app;
}

/** By answer, from the guard to the handler. */
const callers = new WeakMap<ServerResponse, Caller>();

function verbOf(route: Route): "get" | "post" | "patch" | "delete" {
  return ({ GET: "get", POST: "post", PATCH: "patch", DELETE: "delete" } as const)[route.method];
}

/** `{id}` → `:id`, `{name+}` → `*name`. */
export function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\+\}/g, "*$1").replaceAll(/\{(\w+)\}/g, ":$1");
}

async function answer(
  { access, urgent }: ExpressAppDeps,
  route: Route,
  { request, response }: { readonly request: Request; readonly response: Response },
): Promise<void> {
  if (route.access === "hook") {
    const { authorization } = request.headers;
    assertHookSecret(access, { field: secretOf(request.body), inUrl: paramsOf(request)["secret"], authorization });
    response.once("close", urgent.begin());
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const { principal: caller, link } = callers.get(response) ?? { principal: NOBODY, link: null };
  const parts = {
    params: parsePart(route, "params", paramsOf(request)),
    query: parsePart(route, "query", queryIn(request.url, { isSigned: link !== null })),
    body: parsePart(route, "body", request.body),
  };
  assertScope(route, caller, parts);
  const reply = await route.handler({
    ...parts,
    caller,
    link,
    request,
    response,
    signal: gone.signal,
  });
  send(reply, response);
}

/** Throws as `assertAllowed`, for the first path that is not open. */
function assertScope({ access, scope }: Route, caller: Caller["principal"], parts: Parameters<ScopeOf>[0]): void {
  if (typeof scope !== "function" || access === "public" || access === "hook") return;
  for (const target of scope(parts)) assertAllowed(caller, access, target);
}

type ScopeOf = Extract<Route["scope"], (...given: never[]) => unknown>;

/** Hooks carry it in the body, because arguments of a command are readable by everyone on its machine. */
function secretOf(body: unknown): string | undefined {
  const secret = typeof body === "object" && body !== null && "secret" in body ? body.secret : undefined;
  return typeof secret === "string" ? secret : undefined;
}

function send(reply: Reply, response: ServerResponse): void {
  switch (reply.kind) {
    case "sent":
      return;
    case "text":
      response.setHeader("Content-Type", reply.contentType);
      response.end(reply.body);
      return;
    case "json":
      response.statusCode = reply.status;
      response.setHeader("Content-Type", "application/json; charset=utf-8");
      response.end(reply.givesUrls === true ? JSON.stringify(reply.body) : jsonText(reply.body));
      return;
    default:
      reply satisfies never;
  }
}

/** Express knows an error handler by its four parameters. */
function createProblemHandler(logger: Logger): ErrorRequestHandler {
  // eslint-disable-next-line max-params, @typescript-eslint/no-unused-vars
  return (error: unknown, request, response, _next) => sendProblem(logger, error, { request, response });
}

function sendProblem(
  logger: Logger,
  error: unknown,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): void {
  const known = fromExpress(error);
  const problem = problemOf(known);
  const { retryAfterMs, kind } = toAppError(known);
  // The client left before there was an answer: what worked for it was told to stop.
  if (kind === "cancelled" && response.destroyed) return;
  const fields = { method: request.method, url: request.url, err: describeError(error) };
  if (error instanceof GateFull) logger.warn("request refused, too many at once", fields);
  else if (problem.status >= 500) logger.error("request failed", fields);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = problem.status;
  response.setHeader("Content-Type", "application/problem+json; charset=utf-8");
  if (kind === "unauthenticated") response.setHeader("WWW-Authenticate", "Bearer");
  if (kind === "unavailable" || kind === "rate-limited")
    response.setHeader("Retry-After", String(Math.ceil((retryAfterMs ?? 1_000) / 1_000)));
  response.end(jsonText(problem));
}

const UNREADABLE: Readonly<Record<number, string>> = {
  400: "the request cannot be read, expected well-formed JSON and URL",
  413: "the body is too large",
  415: "the charset or encoding of the body is not accepted, expected UTF-8, plain, gzip or deflate",
};

/**
 * Express's body parsers (by `type`) and its router (a URIError) throw errors with a status of their own; other
 * libraries have a `status` too, which means something else.
 */
function fromExpress(error: unknown): unknown {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return error;
  if (!("type" in error) && !(error instanceof URIError)) return error;
  const status = error.status in UNREADABLE ? error.status : 400;
  return new HttpError(status, { kind: "invalid-argument", message: UNREADABLE[status] ?? "", cause: error });
}

function unknownUrl(routes: readonly Route[], request: Request): AppError {
  const matching = routes.filter((route) => pattern(route.path).test(request.path));
  if (matching.length === 0) {
    return new AppError({
      kind: "not-found",
      message: `nothing is at ${request.path.slice(0, 200)}`,
      hint: "see /api/docs",
    });
  }
  const methods = matching.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const allowed = [...new Set(methods)].join(", ");
  request.res?.setHeader("Allow", allowed);
  return new HttpError(405, {
    kind: "invalid-argument",
    message: `${request.method} is not for ${request.path.slice(0, 200)}, expected ${allowed}`,
  });
}

function pattern(path: string): RegExp {
  const escaped = path
    .replaceAll(".", "\\.")
    .replaceAll(/\{\w+\+\}/g, ".+")
    .replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${escaped}$`);
}
