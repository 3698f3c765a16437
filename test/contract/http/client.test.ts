/** The typed client: its types are those of the routes, and it speaks to a real server. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { describe, expect, it } from "vitest";

import { createReelkeeperClient } from "../../../src/client/client.js";
import { ask } from "../../support/http-ask.js";
import { httpForTest } from "../../support/http-harness.js";
import { addRow } from "../../support/http-rows.js";

const FILE = path.resolve(import.meta.dirname, "../../../src/client/openapi.ts");
const HEAD =
  "/** Made from the routes by `UPDATE_CLIENT=1 npx vitest run --config test/vitest.config.ts test/contract/http/client.test.ts`. */\n";

describe("reelkeeper/client", () => {
  it("has the types of the routes as they are", async () => {
    const document = (await ask(await httpForTest(), "/api/v1/openapi.json")).json() as OpenAPI3;
    const types = HEAD + astToString(await openapiTS(document));
    if (process.env["UPDATE_CLIENT"] === "1") await writeFile(FILE, types);
    expect(await readFile(FILE, "utf8"), "UPDATE_CLIENT=1 writes it anew").toBe(types);
  });

  it("asks, and tells answers from problems", async () => {
    const http = await httpForTest({ adminToken: "token-of-sixteen+" });
    await addRow(http.catalog, 1);
    const baseUrl = `http://127.0.0.1:${String(http.port)}/`;
    const client = createReelkeeperClient({ baseUrl, token: "token-of-sixteen+" });
    const { data } = await client.GET("/api/v1/recordings", { params: { query: { limit: 10 } } });
    expect(data?.items.map(({ path: name }) => name)).toEqual(["cam1"]);
    const made = await client.POST("/api/v1/paths", { body: { name: "cam2", labels: ["door"] } });
    expect([made.response.status, made.data?.name]).toEqual([201, "cam2"]);
    const again = await client.POST("/api/v1/paths", { body: { name: "cam2" } });
    expect([again.data, again.error?.status]).toEqual([undefined, 409]);
    const stranger = await createReelkeeperClient({ baseUrl }).GET("/api/v1/archive");
    expect(stranger.error).toMatchObject({ status: 401, type: "urn:reelkeeper:problem:unauthenticated" });
  });

  it("is what the package exports", async () => {
    const manifest = JSON.parse(await readFile(path.resolve(FILE, "../../../package.json"), "utf8")) as {
      exports: Record<string, { types: string; default: string }>;
    };
    expect(manifest.exports["./client"]).toEqual({
      types: "./dist/client/client.d.ts",
      default: "./dist/client/client.js",
    });
  });
});
