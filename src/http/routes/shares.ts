/** Share links: made, listed and revoked by operators, opened by whoever has one. */
import { createHash, randomBytes } from "node:crypto";

import { z } from "zod";

import { assertAllowed, opensPath } from "../../access/policy.js";
import {
  findShare,
  findShareByToken,
  insertShare,
  isOpenShare,
  listShares,
  noteShareOpened,
  revokeShare,
  type Share,
} from "../../catalog/shares.js";
import { uuid } from "../../contract/scalars.js";
import {
  LONGEST_SHARE_US,
  madeShareSchema,
  newShareSchema,
  shareLinksSchema,
  shareListSchema,
  shareSchema,
  shareToken,
  SHORTEST_SHARE_US,
} from "../../contract/shares.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import { actorOf } from "../actor.js";
import { sentOn } from "../base-path.js";
import { readBuiltPage } from "../built-page.js";
import type { HttpDeps } from "../http-deps.js";
import { originOf } from "../origin.js";
import { defineRoute, json, jsonWithUrls, type Reply, type Route } from "../route.js";
import { signShort, signPlaylist } from "../signing.js";

const noQuery = z.strictObject({});
const TOKEN_BYTES = 32;
/** Own files only; hls.js makes a blob of what it plays. */
const SHARE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function shareRoutes(deps: HttpDeps): Route[] {
  return [createRoute(deps), listRoute(deps), revokeRoute(deps), pageRoute(deps), linksRoute(deps)];
}

function createRoute({ catalog, hardening }: HttpDeps): Route {
  return defineRoute({
    method: "POST",
    path: "/api/v1/shares",
    access: "operator",
    scope: ({ body: { path, from: fromUs, to: toUs } }) => [{ path, range: { fromUs, toUs } }],
    tag: "shares",
    summary: "Give a range of a path to outsiders, by a link",
    description:
      "Whoever has the link sees that range of that path and nothing else, until it expires or is revoked. Pictures may " +
      "begin at the sync sample before `from`. MPEG-TS that cannot be cut is shown only where the whole file is in the range.",
    query: noQuery,
    body: newShareSchema,
    responses: { 201: { description: "Made", schema: madeShareSchema } },
    handler: async ({ body, caller, request }) => {
      const { path, from: fromUs, to: toUs, label, expiresAt: expiresAtUs } = body;
      assertLasts(expiresAtUs - catalog.clock.nowUs());
      const token = randomBytes(TOKEN_BYTES).toString("base64url");
      const share = { path, fromUs, toUs, label, expiresAtUs, tokenHash: hashOf(token) };
      const made = await insertShare(catalog, share, actorOf(caller, request));
      return jsonWithUrls({ ...shareView(made), url: `${originOf(request, hardening)}/share/${token}` }, 201);
    },
  });
}

function assertLasts(us: number): void {
  if (us >= SHORTEST_SHARE_US && us <= LONGEST_SHARE_US) return;
  const message = "expected an instant from 1 minute to 90 days from now";
  throw new AppError({
    kind: "invalid-argument",
    message: `expiresAt: ${message}`,
    fields: [{ field: "expiresAt", message }],
  });
}

function listRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/shares",
    access: "operator",
    scope: "list",
    tag: "shares",
    summary: "The latest 500 share links, newest first",
    query: noQuery,
    responses: { 200: { description: "Shares", schema: shareListSchema } },
    handler: async ({ caller }) => json({ items: (await listShares(catalog, caller.scopes)).map(shareView) }),
  });
}

function revokeRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    method: "DELETE",
    path: "/api/v1/shares/{id}",
    access: "operator",
    scope: "row",
    tag: "shares",
    summary: "Revoke a share link, at once",
    params: z.strictObject({ id: uuid }),
    query: noQuery,
    responses: { 200: { description: "As it is now", schema: shareSchema } },
    handler: async ({ params: { id }, caller, request }) => {
      const known = await findShare(catalog, id);
      if (known === undefined || !opensPath(caller.scopes, known.path)) {
        throw new AppError({ kind: "not-found", message: `no share has the id ${id}` });
      }
      assertAllowed(caller, "operator", { path: known.path, range: known });
      return json(shareView(await revokeShare(catalog, id, actorOf(caller, request))));
    },
  });
}

const token = z.strictObject({ token: z.string().max(200) });

function pageRoute(deps: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/share/{token}",
    access: "public",
    scope: "none",
    tag: "pages",
    summary: "The page of a share link",
    params: token,
    query: noQuery,
    responses: { 200: { description: "The page", mediaType: "text/html; charset=utf-8" } },
    handler: async ({ params, request, response }): Promise<Reply> => {
      if (sentOn(request, response)) return { kind: "sent" };
      const share = await openShare(deps, params.token);
      const body = await readBuiltPage(deps.projectDir, "share/index.html");
      if (request.method === "GET") await noteShareOpened(deps.catalog, share, actorOfShare(share, request));
      response.setHeader("Content-Security-Policy", SHARE_POLICY);
      response.setHeader("X-Robots-Tag", "noindex");
      return { kind: "text", contentType: "text/html; charset=utf-8", body };
    },
  });
}

function linksRoute(deps: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/share/{token}/links",
    access: "public",
    scope: "none",
    tag: "shares",
    summary: "What the page of a share link plays and downloads",
    params: token,
    query: noQuery,
    responses: { 200: { description: "Signed URLs", schema: shareLinksSchema } },
    handler: async ({ params }) => {
      const share = await openShare(deps, params.token);
      const { path, label, id, expiresAtUs } = share;
      const [from, to] = [formatRfc3339(share.fromUs), formatRfc3339(share.toUs)];
      const by = { kind: "share", id, notAfterUs: expiresAtUs } as const;
      const range = { path, from, to };
      return jsonWithUrls({
        ...{ label, from, to, expiresAt: formatRfc3339(expiresAtUs) },
        playlist: signPlaylist(deps, urlOf("playlist.m3u8", range), by).url,
        clip: signShort(deps, urlOf("clip.mp4", range), by).url,
        picture: signShort(deps, urlOf("thumbnail.jpg", { path, at: from }), by).url,
      });
    },
  });
}

function urlOf(name: string, query: Record<string, string>): string {
  return `/api/v1/${name}?${new URLSearchParams(query).toString()}`;
}

/** Throws `not-found`, in the same words for a link that never was, is over or was revoked. */
async function openShare({ catalog }: HttpDeps, given: string): Promise<Share> {
  const share = shareToken.safeParse(given).success ? await findShareByToken(catalog, hashOf(given)) : undefined;
  if (isOpenShare(share, catalog.clock.nowUs())) return share;
  throw new AppError({ kind: "not-found", message: "this link is not, or not any more, good for anything" });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function actorOfShare({ id, label }: Share, request: Parameters<typeof actorOf>[1]) {
  return actorOf({ kind: "share", id, name: label === "" ? "a share link" : label }, request);
}

function shareView(share: Share) {
  const { id, path, label, createdBy, opened, revokedAtUs, lastOpenedAtUs } = share;
  return {
    ...{ id, path, from: formatRfc3339(share.fromUs), to: formatRfc3339(share.toUs), label, createdBy },
    createdAt: formatRfc3339(share.createdAtUs),
    expiresAt: formatRfc3339(share.expiresAtUs),
    revokedAt: revokedAtUs === null ? null : formatRfc3339(revokedAtUs),
    opened,
    lastOpenedAt: lastOpenedAtUs === null ? null : formatRfc3339(lastOpenedAtUs),
  };
}
