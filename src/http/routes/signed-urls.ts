/** URLs for players that can send no cookie and no header. */
import { z } from "zod";

import { assertAllowed } from "../../access/policy.js";
import { signedUrlSchema, signUrlSchema } from "../../contract/shares.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import type { Principal } from "../../core/principal.js";
import { parsePart, queryIn } from "../request-parts.js";
import { defineRoute, jsonWithUrls, type Route } from "../route.js";
import { signPlaylist, signShort, type SigningDeps } from "../signing.js";

/** `others`: those that may be signed are among them. */
export function signedUrlRoutes(deps: SigningDeps, others: readonly Route[]): Route[] {
  const signable = others.filter(({ signed }) => signed !== undefined);
  return [
    defineRoute({
      method: "POST",
      path: "/api/v1/signed-urls",
      access: "viewer",
      scope: "row",
      tag: "playback",
      summary: "Sign a URL of media, for a player that can send no token",
      description:
        "GET and HEAD, that path and that query alone: for 1 h a playlist and what it names, for 5 min anything else. " +
        "Refused as soon as its maker may not look any more. A playlist that is asked for by one names signed URLs.",
      query: z.strictObject({}),
      body: signUrlSchema,
      responses: { 201: { description: "Signed", schema: signedUrlSchema } },
      handler: ({ body: { url }, caller }) => {
        const route = routeOf(signable, url);
        assertOpen(route, url, caller);
        const sign = route.signed === "playlist" ? signPlaylist : signShort;
        const { url: made, expiresAtUs } = sign(deps, url, caller);
        return Promise.resolve(jsonWithUrls({ url: made, expiresAt: formatRfc3339(expiresAtUs) }, 201));
      },
    }),
  ];
}

/** Throws `invalid-argument`. */
function routeOf(signable: readonly Route[], url: string): Route {
  const pathname = url.split("?", 1)[0] ?? "";
  const found = signable.find(({ path }) => new RegExp(`^${patternOf(path)}$`).test(pathname));
  if (found !== undefined) return found;
  const message = `expected the URL of one of ${signable.map(({ path }) => path).join(", ")}, without scheme and host`;
  throw new AppError({ kind: "invalid-argument", message: `url: ${message}`, fields: [{ field: "url", message }] });
}

/** Ids are the only parameters of what may be signed. */
function patternOf(path: string): string {
  return path.replaceAll(".", "\\.").replace("{id}", "[0-9a-fA-F-]{36}");
}

/** What a query names; what an id names is asked when the URL is used. Throws as `assertAllowed`. */
function assertOpen(route: Route, url: string, caller: Principal): void {
  const { access, scope } = route;
  if (typeof scope !== "function" || access === "public" || access === "hook") return;
  const query = parsePart(route, "query", queryIn(url, { isSigned: true }));
  for (const target of scope({ params: {}, query, body: undefined })) assertAllowed(caller, access, target);
}
