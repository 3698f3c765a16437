import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import { z } from "zod";

import type { HttpDeps } from "../http-deps.js";
import { createOpenApi } from "../openapi.js";
import { defineRoute, type Reply, type Route } from "../route.js";

/** Own files and nothing from elsewhere; swagger-ui styles elements inline and embeds its icons. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Read by the page itself: its address says what it shows. */
const shownInList = z.strictObject({ path: z.string().max(200).optional() });

const swaggerDir = (): string => path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** The list for people, and the API's documentation; all files are named here, no folder is served. */
export function pageRoutes(deps: HttpDeps, others: readonly Route[], version: string): Route[] {
  const pageDir = path.join(deps.projectDir, "src", "http", "page");
  const file = (url: string, filePath: string, policy?: string): Route =>
    defineRoute({
      method: "GET",
      path: url,
      access: "public",
      tag: "pages",
      summary: `The file ${path.basename(filePath)}`,
      responses: { 200: { description: "The file", mediaType: TYPES[path.extname(filePath)] ?? "text/plain" } },
      handler: async ({ response }): Promise<Reply> => {
        if (policy !== undefined) response.setHeader("Content-Security-Policy", policy);
        response.setHeader("Cache-Control", "no-cache");
        const contentType = TYPES[path.extname(filePath)] ?? "text/plain";
        return { kind: "text", contentType, body: await readFile(filePath, "utf8") };
      },
    });
  const routes = [
    { ...file("/", path.join(pageDir, "index.html"), PAGE_POLICY), query: shownInList },
    file("/page.css", path.join(pageDir, "page.css")),
    file("/page.js", path.join(pageDir, "page.js")),
    file("/list.js", path.join(pageDir, "list.js")),
    file("/requests.js", path.join(pageDir, "requests.js")),
    file("/words.js", path.join(pageDir, "words.js")),
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
    tag: "pages",
    summary: "This document",
    responses: { 200: { description: "OpenAPI 3.1", mediaType: "application/json" } },
    handler: () => Promise.resolve({ kind: "text", contentType: "application/json; charset=utf-8", body: document }),
  });
  const document: string = JSON.stringify(createOpenApi([...others, ...routes, openapi], version));
  return [...routes, openapi];
}
