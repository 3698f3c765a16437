/** What MediaMTX is shown where it checks tokens by itself (MEDIAMTX_AUTH=jwt). */
import { z } from "zod";

import { STREAM_TOKEN_LIFETIME_US, streamCallerOf } from "../../access/stream-tokens.js";
import { jwksSchema, madeStreamTokenSchema, newStreamTokenSchema } from "../../contract/publish-credentials.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, jsonWithUrls, type Route } from "../route.js";

const noQuery = z.strictObject({});

export function streamTokenRoutes({ catalog, streams }: HttpDeps): Route[] {
  return [
    defineRoute({
      ...{ method: "POST", path: "/api/v1/stream-tokens", access: "viewer", tag: "paths" },
      scope: ({ body: { path } }) => [{ path }],
      summary: "A token to watch one path, or play it back, at MediaMTX itself",
      description:
        "With MEDIAMTX_AUTH=jwt: as Authorization: Bearer for HLS and WebRTC, as the password or the query parameter token for RTSP. It is good for a minute, in which a player has to begin; what it began ends when whoever asked may no longer watch.",
      query: noQuery,
      body: newStreamTokenSchema,
      responses: { 201: { description: "Made", schema: madeStreamTokenSchema } },
      handler: async ({ body: { path, action }, caller }) => {
        const who = streamCallerOf(caller);
        if (streams.tokens === null) throw refuse("MediaMTX takes no tokens: MEDIAMTX_AUTH is not jwt");
        if (who === undefined) throw refuse("only who has logged in, or has an API token, can be found again");
        const nowUs = catalog.clock.nowUs();
        const expiresAtUs = nowUs + STREAM_TOKEN_LIFETIME_US;
        const token = await streams.tokens.sign(who, [{ action, path }], { nowUs, expiresAtUs });
        return jsonWithUrls({ token, expiresAt: formatRfc3339(expiresAtUs) }, 201);
      },
    }),
    defineRoute({
      ...{ method: "GET", path: "/.well-known/jwks.json", access: "public", scope: "none", tag: "hooks" },
      summary: "Public keys by which MediaMTX checks tokens for it",
      query: noQuery,
      responses: { 200: { description: "A JWK Set (RFC 7517)", schema: jwksSchema } },
      handler: () => Promise.resolve(json(streams.tokens?.publicKeys ?? { keys: [] })),
    }),
  ];
}

function refuse(message: string): AppError {
  return new AppError({ kind: "failed-precondition", message });
}
