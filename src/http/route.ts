/**
 * A route says who may call it, what it takes and what it answers; Express, OpenAPI and the access tests derive from
 * that. One that names no access, or not how its paths are found, does not compile.
 */
import type { ServerResponse } from "node:http";

import type { Request } from "express";
import type { z } from "zod";

import type { Access } from "../access/caller.js";
import type { Principal, PrincipalKind, Target } from "../core/principal.js";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

interface RouteInput<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Has the role of the route, and every path and time that its scope names. */
  readonly caller: Principal;
  /** The signed URL by which it is called. */
  readonly link: Link | null;
  readonly request: Request;
  readonly response: ServerResponse;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** What a signed URL says about itself; see access/signed-url.ts. */
export interface Link {
  readonly kind: PrincipalKind;
  readonly id: string;
  readonly expiresAtUs: number;
}

type Parts<P, Q, B> = Pick<RouteInput<P, Q, B>, "params" | "query" | "body">;

/**
 * Which paths a request is about, so that whoever may not see them is refused before the handler runs:
 * a function: the URL, query or body names them · `row`: what is found by an id, for which the handler asks the policy ·
 * `list`: the handler has the database cut its answer (`inScopes`) · `instance`: the whole server, for those who see every
 * path · `none`: no path at all, such as pages and one's own account.
 */
export type Scope<P = unknown, Q = unknown, B = unknown> =
  "row" | "list" | "instance" | "none" | ((input: Parts<P, Q, B>) => readonly Target[]);

export type Reply =
  | { readonly kind: "json"; readonly status: number; readonly body: unknown; readonly givesUrls?: boolean }
  | { readonly kind: "text"; readonly contentType: string; readonly body: string }
  /** The handler has written the answer itself. */
  | { readonly kind: "sent" };

export interface ResponseSpec {
  readonly description: string;
  /** JSON; undefined: no body, or the media type says what it is. */
  readonly schema?: z.ZodType;
  readonly mediaType?: string | readonly string[];
}

export interface Route {
  readonly method: Method;
  /** OpenAPI style; `{name+}` takes the rest of the URL, slashes and all. */
  readonly path: string;
  readonly access: Access;
  readonly scope: Scope;
  /** A signed URL opens it too, and is good for minutes, or for as long as somebody watches. */
  readonly signed?: "short" | "playlist";
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** Also takes application/x-www-form-urlencoded, and at most 16 KiB. */
  readonly form?: boolean;
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  readonly handler: (input: RouteInput<unknown, unknown, unknown>) => Promise<Reply>;
}

interface TypedRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends Omit<
  Route,
  "params" | "query" | "body" | "handler" | "scope"
> {
  readonly scope: Scope<z.infer<P>, z.infer<Q>, z.infer<B>>;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly handler: (input: RouteInput<z.infer<P>, z.infer<Q>, z.infer<B>>) => Promise<Reply>;
}

/** The schemas type the handler; the server parses with them before it calls. */
export function defineRoute<
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(route: TypedRoute<P, Q, B>): Route {
  return route as unknown as Route;
}

/** With URLs that are meant to open something: what looks like a secret in them goes out as it is. */
export function jsonWithUrls(body: unknown, status = 200): Reply {
  return { kind: "json", status, body, givesUrls: true };
}

export function json(body: unknown, status = 200): Reply {
  return { kind: "json", status, body };
}
