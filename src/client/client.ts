/**
 * `import { createReelkeeperClient } from "reelkeeper/client"`: the API with its types, for scripts and other programs.
 * The types are made from the routes: openapi.ts, see test/contract/http/client.test.ts.
 */
import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./openapi.js";

export type ReelkeeperClient = Client<paths>;

/** Shapes by name, as in `Schemas["Recording"]`. */
export type Schemas = components["schemas"];

export interface ClientOptions {
  /** Such as `https://cameras.example.org`, with the path of PUBLIC_URL. */
  readonly baseUrl: string;
  /** An API token (`POST /api/v1/tokens`), an access token, or ADMIN_TOKEN; undefined: without, on this machine. */
  readonly token?: string;
  /** In place of the global one. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/**
 * `GET`, `POST`, `PATCH` and `DELETE` by path: each gives `{ data }`, or `{ error }` with a problem document (RFC 9457), and
 * the `response`. Throws only where there was no answer.
 */
export function createReelkeeperClient({ baseUrl, token, fetch }: ClientOptions): ReelkeeperClient {
  return createClient<paths>({
    baseUrl: baseUrl.replace(/\/+$/, ""),
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
    ...(fetch === undefined ? {} : { fetch }),
  });
}
