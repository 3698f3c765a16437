/**
 * What the matrix test asks of each route, and who may: kept by hand, beside the routes and not made from what they say
 * of themselves. All of it is about `site-a/cam`.
 */
import { randomUUID } from "node:crypto";

import { insertExport, updateExport } from "../../src/catalog/exports.js";
import { insertShare } from "../../src/catalog/shares.js";
import type { Role } from "../../src/core/principal.js";
import { parsePathName } from "../../src/core/path-name.js";
import { formatRfc3339 } from "../../src/core/instant.js";
import { addFixtures } from "./http-footage.js";
import type { HttpHarness } from "./http-harness.js";
import { addRow, at } from "./http-rows.js";
import { addThumbnail, jpegOf } from "./http-thumbnails.js";

export const PATH = parsePathName("site-a/cam");
const ABSENT = parsePathName("site-a/absent");
export const OTHER = parsePathName("site-b/cam");

/** What is there of a path; of an absent one ids that nobody has. */
export interface Things {
  readonly path: string;
  readonly from: string;
  readonly to: string;
  readonly recording: string;
  readonly exported: string;
  readonly shared: string;
  /** Of a row that may be deleted. */
  readonly fresh: () => Promise<string>;
}

interface Asked {
  readonly target: string;
  readonly body?: unknown;
}

/** `public`: everybody · `hook`, `cookie`: nobody here, all of whom lack its secret. */
export interface Row {
  readonly needs: Role | "public" | "hook" | "cookie";
  /** `path`: hidden from who has no grant · `list`: the path is left out of it · `instance`: refused to who has not all. */
  readonly about: "path" | "list" | "instance" | "none";
  /** Its signed URL opens it too. */
  readonly isSigned?: boolean;
  readonly ask: (things: Things) => Asked | Promise<Asked>;
}

const query = (route: string, of: Readonly<Record<string, string>>): Asked => ({
  target: `${route}?${new URLSearchParams(of).toString()}`,
});
const plain = (target: string, body?: unknown) => (): Asked => ({ target, ...(body === undefined ? {} : { body }) });
const everybody = (target: string): Row => ({ needs: "public", about: "none", ask: plain(target) });
const hook = (target: string): Row => ({ needs: "hook", about: "none", ask: plain(target, {}) });
const instance = (target: string, needs: Role = "viewer", body?: unknown): Row => ({
  ...{ needs, about: "instance", ask: plain(target, body) },
});
/** About users, not about paths; ids are nobody's. */
const own = (target: string, body?: unknown, needs: Role = "viewer"): Row => ({
  ...{ needs, about: "none", ask: plain(target, body) },
});
const NOBODYS_ID = "00000000-0000-4000-8000-000000000001";
const ranged = (route: string) => ({
  ...({ needs: "viewer", about: "path" } as const),
  ask: ({ path, from, to }: Things) => query(route, { path, from, to }),
});

export const ROWS: Readonly<Record<string, Row>> = {
  "GET /api/v1/recordings": { needs: "viewer", about: "list", ask: plain("/api/v1/recordings?total=true") },
  "GET /api/v1/recordings/{id}": {
    ...{ needs: "viewer", about: "path" },
    ask: ({ recording }) => ({ target: `/api/v1/recordings/${recording}` }),
  },
  "GET /api/v1/recordings/{id}/file": {
    ...{ needs: "viewer", about: "path", isSigned: true },
    ask: ({ recording }) => ({ target: `/api/v1/recordings/${recording}/file` }),
  },
  "DELETE /api/v1/recordings/{id}": {
    ...{ needs: "admin", about: "path" },
    ask: async ({ fresh }) => ({ target: `/api/v1/recordings/${await fresh()}` }),
  },
  "GET /api/v1/recordings/{id}/media.mp4": {
    ...{ needs: "viewer", about: "path", isSigned: true },
    ask: ({ recording }) => ({ target: `/api/v1/recordings/${recording}/media.mp4` }),
  },
  // There is no such recording of the path: what is hidden and what is of another kind are one answer.
  "GET /api/v1/recordings/{id}/media.ts": {
    ...{ needs: "viewer", about: "path", isSigned: true },
    ask: ({ recording }) => ({ target: `/api/v1/recordings/${recording}/media.ts` }),
  },
  "GET /api/v1/recordings/{id}/transcoded.ts": {
    ...{ needs: "viewer", about: "path", isSigned: true },
    ask: ({ recording, from, to }) => query(`/api/v1/recordings/${recording}/transcoded.ts`, { from, to }),
  },
  "GET /api/v1/timeline": ranged("/api/v1/timeline"),
  "GET /api/v1/days": {
    ...{ needs: "viewer", about: "path" },
    ask: ({ path }) => query("/api/v1/days", { path, month: "2026-11" }),
  },
  "GET /api/v1/playlist.m3u8": { ...ranged("/api/v1/playlist.m3u8"), isSigned: true },
  "GET /api/v1/clip.mp4": { ...ranged("/api/v1/clip.mp4"), isSigned: true },
  "GET /api/v1/thumbnail.jpg": {
    ...{ needs: "viewer", about: "path", isSigned: true },
    ask: ({ path, from }) => query("/api/v1/thumbnail.jpg", { path, at: from }),
  },
  "GET /api/v1/sprite.vtt": { ...ranged("/api/v1/sprite.vtt"), isSigned: true },
  "GET /api/v1/sprite.jpg": { ...ranged("/api/v1/sprite.jpg"), isSigned: true },
  "POST /api/v1/signed-urls": {
    ...{ needs: "viewer", about: "path" },
    ask: (things) => ({
      target: "/api/v1/signed-urls",
      body: { url: ranged("/api/v1/clip.mp4").ask(things).target },
    }),
  },
  "GET /api/v1/exports": { needs: "viewer", about: "list", ask: plain("/api/v1/exports") },
  "POST /api/v1/exports": {
    ...{ needs: "operator", about: "path" },
    ask: ({ path, from, to }) => ({ target: "/api/v1/exports", body: { path, from, to } }),
  },
  "GET /api/v1/exports/{id}": {
    ...{ needs: "viewer", about: "path" },
    ask: ({ exported }) => ({ target: `/api/v1/exports/${exported}` }),
  },
  "GET /api/v1/exports/{id}/file": {
    ...{ needs: "viewer", about: "path", isSigned: true },
    ask: ({ exported }) => ({ target: `/api/v1/exports/${exported}/file` }),
  },
  "DELETE /api/v1/exports/{id}": {
    ...{ needs: "operator", about: "path" },
    ask: ({ exported }) => ({ target: `/api/v1/exports/${exported}` }),
  },
  "GET /playback/list": {
    ...{ needs: "viewer", about: "path" },
    ask: ({ path }) => query("/playback/list", { path }),
  },
  "GET /playback/get": {
    ...{ needs: "viewer", about: "path" },
    ask: ({ path, from }) => query("/playback/get", { path, start: from, duration: "4" }),
  },
  "GET /api/v1/shares": { needs: "operator", about: "list", ask: plain("/api/v1/shares") },
  "POST /api/v1/shares": {
    ...{ needs: "operator", about: "path" },
    ask: ({ path, from, to }) => ({
      target: "/api/v1/shares",
      body: { path, from, to, expiresAt: formatRfc3339(at(86_400)) },
    }),
  },
  "DELETE /api/v1/shares/{id}": {
    ...{ needs: "operator", about: "path" },
    ask: ({ shared }) => ({ target: `/api/v1/shares/${shared}` }),
  },
  // Whoever holds the token is not asked for anything else; of others there is nothing.
  "GET /share/{token}": everybody(`/share/${"x".repeat(43)}`),
  "GET /share/{token}/links": everybody(`/share/${"x".repeat(43)}/links`),
  "GET /api/v1/paths": { needs: "viewer", about: "list", ask: plain("/api/v1/paths") },
  "POST /api/v1/paths": {
    ...{ needs: "admin", about: "path" },
    ask: ({ path }) => ({ target: "/api/v1/paths", body: { name: path } }),
  },
  "GET /api/v1/paths/{name+}": {
    ...{ needs: "viewer", about: "path" },
    ask: ({ path }) => ({ target: `/api/v1/paths/${path}` }),
  },
  "PATCH /api/v1/paths/{name+}": {
    ...{ needs: "admin", about: "path" },
    ask: ({ path }) => ({ target: `/api/v1/paths/${path}`, body: { labels: ["a"] } }),
  },
  "DELETE /api/v1/paths/{name+}": {
    ...{ needs: "admin", about: "path" },
    ask: ({ path }) => ({ target: `/api/v1/paths/${path}` }),
  },
  "PATCH /api/v1/paths": {
    ...{ needs: "admin", about: "path" },
    ask: ({ path }) => ({ ...query("/api/v1/paths", { path }), body: { labels: ["a"] } }),
  },
  "DELETE /api/v1/paths": {
    ...{ needs: "admin", about: "path" },
    ask: ({ path }) => query("/api/v1/paths", { path }),
  },
  "GET /api/v1/publish-credentials": {
    ...{ needs: "admin", about: "list" },
    ask: plain("/api/v1/publish-credentials"),
  },
  "DELETE /api/v1/publish-credentials": {
    ...{ needs: "admin", about: "path" },
    ask: ({ path }) => query("/api/v1/publish-credentials", { path }),
  },
  // Asked after it, so that there is one to list.
  "POST /api/v1/publish-credentials": {
    ...{ needs: "admin", about: "path" },
    ask: ({ path }) => ({ target: "/api/v1/publish-credentials", body: { path } }),
  },
  "GET /api/v1/config/settings": { needs: "viewer", about: "none", ask: plain("/api/v1/config/settings") },
  "POST /api/v1/config/bulk": {
    ...{ needs: "admin", about: "instance" },
    ask: ({ path }) => ({
      target: "/api/v1/config/bulk",
      body: { names: [path], patch: { labels: ["a"] }, dryRun: true },
    }),
  },
  "GET /api/v1/config/paths": instance("/api/v1/config/paths", "admin"),
  "POST /api/v1/config/paths": instance("/api/v1/config/paths", "admin", {
    ...{ format: "csv", text: "name\n", dryRun: true },
  }),
  "GET /api/v1/config/templates": { needs: "admin", about: "none", ask: plain("/api/v1/config/templates") },
  "GET /api/v1/config": instance("/api/v1/config", "admin"),
  "POST /api/v1/config/preview": instance("/api/v1/config/preview", "admin", {
    changes: [{ action: "create", name: "site-c/cam" }],
  }),
  "GET /api/v1/config/history": instance("/api/v1/config/history", "admin"),
  "GET /api/v1/config/history/{version}": instance("/api/v1/config/history/999", "admin"),
  "POST /api/v1/config/adopt": instance("/api/v1/config/adopt", "admin", { yaml: "logLevel: info\n" }),
  "GET /api/v1/config/drift": instance("/api/v1/config/drift", "admin"),
  "POST /api/v1/config/drift/resolve": instance("/api/v1/config/drift/resolve", "admin", {}),
  "POST /api/v1/config/rollback": instance("/api/v1/config/rollback", "admin", { version: 999 }),
  "GET /api/v1/archive": instance("/api/v1/archive"),
  "GET /api/v1/rejected-files": instance("/api/v1/rejected-files"),
  "GET /api/v1/scan": instance("/api/v1/scan"),
  "POST /api/v1/scan": instance("/api/v1/scan", "operator"),
  "GET /api/v1/deletions": instance("/api/v1/deletions"),
  "POST /api/v1/deletions/resume": instance("/api/v1/deletions/resume", "admin", { doubts: [] }),
  "GET /api/v1/health/details": instance("/api/v1/health/details"),
  "GET /metrics": instance("/metrics"),
  "GET /health": everybody("/health"),
  "GET /ready": everybody("/ready"),
  "POST /hooks/segment-create": hook("/hooks/segment-create"),
  "POST /hooks/segment-complete": hook("/hooks/segment-complete"),
  "POST /hooks/ready": hook("/hooks/ready"),
  "POST /hooks/not-ready": hook("/hooks/not-ready"),
  // Whoever cannot be found again gets none: not somebody who only says who they are.
  "POST /api/v1/stream-tokens": {
    ...{ needs: "viewer", about: "path" },
    ask: ({ path }) => ({ target: "/api/v1/stream-tokens", body: { path } }),
  },
  "GET /.well-known/jwks.json": everybody("/.well-known/jwks.json"),
  "POST /mediamtx/auth/{secret}": hook("/mediamtx/auth/x"),
  "POST /api/v1/login": {
    ...{ needs: "public", about: "none" },
    ask: plain("/api/v1/login", { name: "nobody", password: "not-one" }),
  },
  "POST /api/v1/login/refresh": { needs: "cookie", about: "none", ask: plain("/api/v1/login/refresh", {}) },
  "GET /api/v1/login/options": everybody("/api/v1/login/options"),
  "GET /api/v1/login/oidc": everybody("/api/v1/login/oidc"),
  "GET /api/v1/login/oidc/callback": everybody("/api/v1/login/oidc/callback"),
  "GET /api/v1/me": own("/api/v1/me"),
  "POST /api/v1/me/password": own("/api/v1/me/password", { current: "x", new: "a-password-of-the-matrix" }),
  "POST /api/v1/logout": own("/api/v1/logout", {}),
  "GET /api/v1/sessions": own("/api/v1/sessions"),
  "DELETE /api/v1/sessions/{id}": own(`/api/v1/sessions/${NOBODYS_ID}`),
  "GET /api/v1/tokens": own("/api/v1/tokens"),
  "POST /api/v1/tokens": own("/api/v1/tokens", {}),
  "DELETE /api/v1/tokens/{id}": own(`/api/v1/tokens/${NOBODYS_ID}`),
  "GET /api/v1/users": own("/api/v1/users", undefined, "admin"),
  "POST /api/v1/users": own("/api/v1/users", {}, "admin"),
  "GET /api/v1/users/{id}": own(`/api/v1/users/${NOBODYS_ID}`, undefined, "admin"),
  "PATCH /api/v1/users/{id}": own(`/api/v1/users/${NOBODYS_ID}`, {}, "admin"),
  "DELETE /api/v1/users/{id}": own(`/api/v1/users/${NOBODYS_ID}`, undefined, "admin"),
  "GET /api/v1/audit": own("/api/v1/audit", undefined, "admin"),
  "GET /": everybody("/"),
  "GET /assets/{file}": everybody("/assets/none.js"),
  "GET /icon.svg": everybody("/icon.svg"),
  "GET /api/docs": everybody("/api/docs"),
  "GET /api/docs/docs.js": everybody("/api/docs/docs.js"),
  "GET /api/docs/swagger-ui.css": everybody("/api/docs/swagger-ui.css"),
  "GET /api/docs/swagger-ui-bundle.js": everybody("/api/docs/swagger-ui-bundle.js"),
  "GET /api/v1/openapi.json": everybody("/api/v1/openapi.json"),
};

/** Footage with a periodic picture, an export, a share and a row in the table of paths. */
export async function addThings(http: HttpHarness): Promise<Things> {
  const [first] = await addFixtures(http, "v1.20.1/h264-aac", { changes: { path: PATH } });
  if (first === undefined) throw new Error("no fixtures");
  const range = { path: PATH, fromUs: first.startUs, toUs: first.startUs + 2_000_000 };
  const made = await insertExport(http.catalog, { ...range, format: "mp4", gaps: "keep", keepUs: 60_000_000 });
  await updateExport(http.catalog, { id: made.id, states: ["queued"] }, { state: "failed" });
  await addThumbnail(http, first, { atUs: first.startUs, jpeg: await jpegOf("red") });
  const actor = { kind: "user", id: "u", name: "anna", address: null } as const;
  const share = { ...range, label: "", expiresAtUs: at(86_400), tokenHash: randomUUID() };
  const shared = await insertShare(http.catalog, share, actor);
  await http.catalog.db("paths").insert({
    ...{ name: PATH, settings: "{}", enabled: true, archive: "all", labels: "[]", created_at_us: 1, updated_at_us: 1 },
  });
  let seconds = 100_000;
  return {
    ...{ path: PATH, from: formatRfc3339(range.fromUs), to: formatRfc3339(range.toUs) },
    ...{ recording: first.id, exported: made.id, shared: shared.id },
    fresh: async () => (await addRow(http.catalog, (seconds += 10), { path: PATH })).id,
  };
}

/** The same questions about what is not there. */
export function absentThings({ from, to }: Things): Things {
  const id = randomUUID();
  return { path: ABSENT, from, to, recording: id, exported: id, shared: id, fresh: () => Promise.resolve(id) };
}
