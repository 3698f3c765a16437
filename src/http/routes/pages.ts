import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import { z } from "zod";

import { basePathOf } from "../../core/base-path.js";
import { sentOn } from "../base-path.js";
import type { HttpDeps } from "../http-deps.js";
import { readBuiltPage, readPageAsset } from "../built-page.js";
import { createOpenApi } from "../openapi.js";
import { defineRoute, type Reply, type Route } from "../route.js";

/**
 * The page: own files and nothing from elsewhere, no inline script and no inline style (React sets styles by script,
 * which needs no leave). Pictures and clips that need the token are fetched and shown as blobs, and so is video.
 */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** swagger-ui styles elements inline and embeds its icons. */
const DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Read by the page itself: its address says what it shows. */
const text = z.string().max(200).optional();
const shownOnPage = z.strictObject({ path: z.string().max(2_000).optional(), at: text, zoom: text, loginError: text });
const assetName = z.strictObject({ file: z.string().max(200) });

const swaggerDir = (): string => path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** The page for people, and the API's documentation; all files are named here or by the page's manifest. */
export function pageRoutes(deps: HttpDeps, others: readonly Route[], version: string): Route[] {
  const pageDir = path.join(deps.projectDir, "src", "http", "page");
  const file = (url: string, filePath: string, policy?: string): Route =>
    defineRoute({
      method: "GET",
      path: url,
      access: "public",
      scope: "none",
      tag: "pages",
      summary: `The file ${path.basename(filePath)}`,
      responses: { 200: { description: "The file", mediaType: TYPES[path.extname(filePath)] ?? "text/plain" } },
      handler: async ({ request, response }): Promise<Reply> => {
        if (sentOn(request, response)) return { kind: "sent" };
        if (policy !== undefined) response.setHeader("Content-Security-Policy", policy);
        response.setHeader("Cache-Control", "no-cache");
        const contentType = TYPES[path.extname(filePath)] ?? "text/plain";
        return { kind: "text", contentType, body: await readFile(filePath, "utf8") };
      },
    });
  const routes = [
    indexRoute(deps),
    assetRoute(deps),
    file("/icon.svg", path.join(pageDir, "icon.svg")),
    file("/api/docs", path.join(pageDir, "docs.html"), DOCS_POLICY),
    file("/api/docs/docs.js", path.join(pageDir, "docs.js")),
    file("/api/docs/swagger-ui.css", path.join(swaggerDir(), "swagger-ui.css")),
    file("/api/docs/swagger-ui-bundle.js", path.join(swaggerDir(), "swagger-ui-bundle.js")),
  ];
  const openapi: Route = defineRoute({
    method: "GET",
    path: "/api/v1/openapi.json",
    access: "public",
    scope: "none",
    tag: "pages",
    summary: "This document",
    responses: { 200: { description: "OpenAPI 3.1", mediaType: "application/json" } },
    handler: () => Promise.resolve({ kind: "text", contentType: "application/json; charset=utf-8", body: document }),
  });
  const base = basePathOf(deps.hardening.publicUrl);
  const document: string = JSON.stringify(createOpenApi([...others, ...routes, openapi], { version, base }));
  return [...routes, openapi];
}

function indexRoute({ projectDir, bucketOrigin }: HttpDeps): Route {
  // A policy holds for redirects too: archived footage comes from the bucket itself.
  const policy =
    bucketOrigin === null
      ? PAGE_POLICY
      : PAGE_POLICY.replace("connect-src 'self'", `connect-src 'self' ${bucketOrigin}`);
  return defineRoute({
    method: "GET",
    path: "/",
    access: "public",
    scope: "none",
    tag: "pages",
    summary: "The page",
    description: "It reads its own address: path (several by commas), at (RFC 3339), zoom (seconds).",
    query: shownOnPage,
    responses: { 200: { description: "The page", mediaType: "text/html; charset=utf-8" } },
    handler: async ({ response }): Promise<Reply> => {
      const body = await readBuiltPage(projectDir, "index.html");
      response.setHeader("Content-Security-Policy", policy);
      response.setHeader("Cache-Control", "no-cache");
      return { kind: "text", contentType: "text/html; charset=utf-8", body };
    },
  });
}

function assetRoute({ projectDir }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/assets/{file}",
    access: "public",
    scope: "none",
    tag: "pages",
    summary: "A file of the page, by the hash in its name",
    params: assetName,
    responses: { 200: { description: "The file; its name changes with its bytes", mediaType: "text/javascript" } },
    handler: async ({ params: { file }, response }): Promise<Reply> => {
      const bytes = await readPageAsset(projectDir, file);
      response.setHeader("Cache-Control", "public, max-age=31536000, immutable");
      response.setHeader("Content-Type", TYPES[path.extname(file)] ?? "application/octet-stream");
      response.setHeader("Content-Length", String(bytes.length));
      response.end(bytes);
      return { kind: "sent" };
    },
  });
}
