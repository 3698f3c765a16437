import { z } from "zod";

import { mediaMtxAuthSchema } from "../../contract/mediamtx-auth.js";
import { describeError } from "../../core/errors.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, type Route } from "../route.js";

/** What MediaMTX asks before each publish, read, playback and call of its own API (its `authMethod: http`). */
export function mediaMtxAuthRoutes(deps: HttpDeps): Route[] {
  return [
    defineRoute({
      method: "POST",
      path: "/mediamtx/auth/{secret}",
      access: "hook",
      scope: "none",
      tag: "hooks",
      summary: "MediaMTX asks whether somebody may do something",
      description:
        "With MEDIAMTX_AUTH=http; its URL with the secret stands in mediamtx.yml. The answer has no body: nothing says why somebody is refused. A player of RTSP comes without a password first, is refused and then asked for one.",
      params: z.strictObject({ secret: z.string().max(200) }),
      body: mediaMtxAuthSchema,
      responses: { 204: { description: "They may" }, 401: { description: "They may not" } },
      handler: async ({ body, response }) => {
        response.statusCode = (await isAdmitted(deps, body)) ? 204 : 401;
        response.end();
        return { kind: "sent" };
      },
    }),
  ];
}

async function isAdmitted(
  { streams, logger }: HttpDeps,
  request: z.infer<typeof mediaMtxAuthSchema>,
): Promise<boolean> {
  const { action, path, protocol, ip } = request;
  try {
    return await streams.admit(request);
  } catch (error) {
    logger.warn("mediamtx asked who may, and it cannot be told", {
      ...{ action, path, protocol, address: ip, err: describeError(error) },
    });
    return false;
  }
}
