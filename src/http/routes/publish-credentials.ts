/** With what cameras may publish, by path. */
import { randomBytes, randomUUID } from "node:crypto";

import { z } from "zod";

import { hashOfRandom } from "../../access/checked-passwords.js";
import {
  listPublishCredentials,
  type PublishCredential,
  removePublishCredential,
  setPublishCredential,
} from "../../catalog/publish-credentials.js";
import {
  madePublishCredentialSchema,
  newPublishCredentialSchema,
  publishCredentialListSchema,
} from "../../contract/publish-credentials.js";
import { pathName } from "../../contract/scalars.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import { actorOf } from "../actor.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, jsonWithUrls, type Route } from "../route.js";

const PATH = "/api/v1/publish-credentials";
/** As many bits as no faster hash than SHA-256 helps to guess. */
const PASSWORD_BYTES = 24;

export function publishCredentialRoutes(deps: HttpDeps): Route[] {
  const { catalog, login, streams, publishUrls } = deps;
  const common = { access: "admin", tag: "paths", path: PATH } as const;
  return [
    defineRoute({
      ...{ ...common, method: "GET", scope: "list" },
      summary: "Which paths may be published to, by whom; passwords are not kept",
      query: z.strictObject({}),
      responses: { 200: { description: "Credentials", schema: publishCredentialListSchema } },
      handler: async ({ caller }) =>
        json({ items: (await listPublishCredentials(catalog, caller.scopes)).map(viewOf) }),
    }),
    defineRoute({
      ...{ ...common, method: "POST" },
      scope: ({ body: { path } }) => [{ path }],
      summary: "Set or rotate with what a path may be published to",
      description:
        "The one before counts no longer, and whoever publishes by it is cut off at once. It counts where MediaMTX asks us (MEDIAMTX_AUTH), and may be set before that is switched on.",
      query: z.strictObject({}),
      body: newPublishCredentialSchema,
      responses: { 201: { description: "Set", schema: madePublishCredentialSchema } },
      handler: async ({ body: { path, user, password: given }, caller, request }) => {
        const id = randomUUID();
        const made = given === undefined ? await makePassword(deps, { id, path }) : null;
        if (made === null && streams.mode === "jwt") throw onlyTokens();
        const passwordHash = made === null ? await login.passwords.hash(given ?? "") : hashOfRandom(made);
        const facts = { path, id, user, passwordHash };
        const credential = await setPublishCredential(catalog, facts, actorOf(caller, request));
        streams.changed();
        const urls = publishUrls().map((url) => url.replace("PATH", path));
        return jsonWithUrls({ ...viewOf(credential), password: made, urls }, 201);
      },
    }),
    defineRoute({
      ...{ ...common, method: "DELETE" },
      scope: ({ query: { path } }) => [{ path }],
      summary: "Let nobody publish to a path; whoever does is cut off at once",
      query: z.strictObject({ path: pathName }),
      responses: { 200: { description: "Removed", schema: z.object({ removed: z.string() }) } },
      handler: async ({ query: { path }, caller, request }) => {
        await removePublishCredential(catalog, path, actorOf(caller, request));
        streams.changed();
        return json({ removed: path });
      },
    }),
  ];
}

/** Random, or a token where MediaMTX takes nothing else for a password. */
function makePassword(
  { streams: { mode, tokens }, catalog }: HttpDeps,
  { id, path }: Pick<PublishCredential, "id" | "path">,
): Promise<string> {
  if (mode !== "jwt" || tokens === null) return Promise.resolve(randomBytes(PASSWORD_BYTES).toString("base64url"));
  const time = { nowUs: catalog.clock.nowUs(), expiresAtUs: null };
  return tokens.sign({ kind: "publisher", credentialId: id }, [{ action: "publish", path }], time);
}

function onlyTokens(): AppError {
  const message = "with MEDIAMTX_AUTH=jwt only a password that is made here opens MediaMTX; leave it out";
  return new AppError({ kind: "failed-precondition", message, fields: [{ field: "password", message }] });
}

function viewOf({ path, user, setAtUs }: PublishCredential) {
  return { path, user, setAt: formatRfc3339(setAtUs) };
}
