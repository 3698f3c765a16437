/** What a request holds, taken apart and parsed by the schemas of its route. */
import express, { type Request, type RequestHandler } from "express";

import type { RequestFacts } from "../access/caller.js";
import type { Client } from "../access/identity.js";
import { SIGNATURE_PARAMETERS } from "../access/signed-url.js";
import { AppError } from "../core/errors.js";
import { HttpError, invalidRequest } from "./problem.js";
import type { Route } from "./route.js";

const JSON_LIMIT_BYTES = 256 * 1_024;
const FORM_LIMIT_BYTES = 16 * 1_024;

export function bodyParsers(route: Route): RequestHandler[] {
  const types = route.form === true ? ["application/json", "application/x-www-form-urlencoded"] : ["application/json"];
  const limit = route.form === true ? FORM_LIMIT_BYTES : JSON_LIMIT_BYTES;
  const check: RequestHandler = (request, _response, next) => {
    if (request.is(types) === false) {
      throw new HttpError(415, {
        kind: "invalid-argument",
        message: `content type "${(request.headers["content-type"] ?? "none").slice(0, 80)}" is not accepted, expected ${types.join(" or ")}`,
      });
    }
    next();
  };
  const parsers = [check, express.json({ limit, strict: true })];
  return route.form === true
    ? [...parsers, express.urlencoded({ limit, extended: false, parameterLimit: 32 })]
    : parsers;
}

/** Undefined for a part that the route does not take. Throws `invalid-argument` that names each wrong field. */
export function parsePart(route: Route, part: "params" | "query" | "body", given: unknown): unknown {
  const schema = route[part];
  if (schema === undefined) {
    const unexpected = part === "query" ? Object.keys(given as object) : [];
    if (unexpected.length === 0) return undefined;
    throw new AppError({
      kind: "invalid-argument",
      message: `query parameter "${unexpected[0]?.slice(0, 80) ?? ""}" is not known here`,
      fields: unexpected.map((field) => ({ field, message: "is not known here" })),
    });
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalidRequest(part === "params" ? "URL" : part, parsed.error, given);
}

export function paramsOf(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, Array.isArray(value) ? value.join("/") : value]),
  );
}

const OF_SIGNATURES = new Set<string>(SIGNATURE_PARAMETERS);

/** Repeated parameters become arrays; names are data, so the object has no prototype to disturb. */
export function queryIn(url: string, { isSigned }: { readonly isSigned: boolean }): Record<string, string | string[]> {
  const query = Object.create(null) as Record<string, string | string[]>;
  const start = url.indexOf("?");
  // A value may hold further question marks as they are.
  for (const [name, value] of new URLSearchParams(start < 0 ? "" : url.slice(start + 1))) {
    if (isSigned && OF_SIGNATURES.has(name)) continue;
    const known = query[name];
    query[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return query;
}

/** Where a login came from, for its user to recognise. */
export function clientOf({ ip, headers }: Pick<Request, "ip" | "headers">): Client {
  return { address: ip ?? null, userAgent: headers["user-agent"] ?? null };
}

export function requestFactsOf(request: Request): RequestFacts {
  const { host, origin, authorization, cookie } = request.headers;
  const secFetchSite = request.headers["sec-fetch-site"] as string | string[] | undefined;
  return {
    method: request.method,
    host,
    isSecure: request.secure,
    origin,
    authorization,
    cookie,
    secFetchSite: Array.isArray(secFetchSite) ? secFetchSite[0] : secFetchSite,
  };
}

/** Encoded separators and NULs have no use in our URLs and many in attacks. */
export function refuseOddUrl(url: string): void {
  const path = url.split("?", 1)[0] ?? "";
  if (!/%2f|%5c|%00|\\/i.test(path) && !path.split("/").includes("..")) return;
  throw new AppError({ kind: "invalid-argument", message: "the URL holds an encoded slash, backslash or NUL, or .." });
}
