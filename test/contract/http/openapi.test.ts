/** The OpenAPI document: whole, resolvable, and true of what the API answers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask } from "../../support/http-ask.js";
import { type HttpHarness, startHttp } from "../../support/http-harness.js";
import { addRow } from "../../support/http-rows.js";

type Json = Record<string, unknown>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: Json[];
  readonly parameters: {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Json;
  }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Record<string, { readonly description: string; readonly content?: Json }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly securitySchemes: Json; readonly schemas: Record<string, Json> };
}

let http: HttpHarness;
let document: Document;

beforeAll(async () => {
  http = await startHttp();
  document = (await ask(http, "/api/v1/openapi.json")).json() as Document;
});
afterAll(() => http.close());

function operations(): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
}

function operationOf(method: string, path: string): Operation {
  const operation = document.paths[path]?.[method];
  if (operation === undefined) throw new Error(`${method} ${path} is not in the document`);
  return operation;
}

/** Every value below `node`, with its key. */
function* walk(node: unknown, key = ""): Generator<readonly [string, unknown]> {
  yield [key, node];
  if (typeof node !== "object" || node === null) return;
  for (const [name, value] of Object.entries(node)) yield* walk(value, name);
}

function resolve(reference: string): unknown {
  const [root, ...parts] = reference.split("/");
  expect(root).toBe("#");
  return parts.reduce<unknown>((node, part) => (node as Json | undefined)?.[part], document);
}

describe("the OpenAPI document", () => {
  it("holds every route of the server, and nothing else", () => {
    const served = http.routes.map(({ method, path }) => `${method} ${path.replace("+}", "}")}`);
    expect(
      operations()
        .map(([key]) => key)
        .sort(),
    ).toEqual(served.sort());
    expect(document.openapi).toBe("3.1.0");
    expect(document.info).toMatchObject({ title: "Reelkeeper", version: "1.2.3" });
  });

  it("refers only to what it holds", () => {
    const references = [...walk(document)].filter(([key]) => key === "$ref").map(([, value]) => value as string);
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) expect(resolve(reference), reference).toBeTypeOf("object");
    for (const left of ["$defs", "$schema", "standsFor"]) {
      expect([...walk(document)].some(([key]) => key === left)).toBe(false);
    }
  });

  it("describes each operation: who may call it, what it takes, what it answers", () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [key, operation] of operations()) {
      expect(operation.summary.length, key).toBeGreaterThan(3);
      expect(operation.responses["default"]?.content, key).toHaveProperty(["application/problem+json"]);
      expect(
        Object.keys(operation.responses).some((status) => /^(2\d\d|302)$/.test(status)),
        key,
      ).toBe(true);
      for (const requirement of operation.security) {
        for (const name of Object.keys(requirement)) expect(document.components.securitySchemes).toHaveProperty(name);
      }
      const inUrl = [...key.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(
        described.map(({ name }) => name),
        key,
      ).toEqual(inUrl);
      expect(described.every(({ required }) => required)).toBe(true);
    }
  });

  it("asks for the token or the secret exactly where the server does", () => {
    for (const route of http.routes) {
      const { security } = operationOf(route.method.toLowerCase(), route.path.replace("+}", "}"));
      const expected = route.access === "public" ? [] : [{ [route.access === "hook" ? "hook" : "bearer"]: [] }];
      expect(security, route.path).toEqual(expected);
    }
  });

  it("gives parameters their meaning, range and default, though a URL carries text", () => {
    const { parameters } = operationOf("get", "/api/v1/recordings");
    const schemas = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
    expect(schemas["limit"]).toEqual({ type: "integer", minimum: 1, maximum: 2_000, default: 100 });
    expect(schemas["total"]).toEqual({ type: "boolean", default: false });
    expect(schemas["from"]).toMatchObject({ type: "string", format: "date-time" });
    expect(schemas["order"]).toMatchObject({ enum: ["newest", "oldest"], default: "newest" });
    expect(schemas["path"]).toMatchObject({ type: "array", items: { type: "string" } });
  });

  it("names the fields that a recording is answered with, and all of them", async () => {
    const row = await addRow(http.catalog, 1);
    const answered = (await ask(http, `/api/v1/recordings/${row.id}`)).json() as Json;
    const described = document.components.schemas["Recording"] as { properties: Json; required: string[] };
    expect(Object.keys(answered).sort()).toEqual(Object.keys(described.properties).sort());
    expect([...described.required].sort()).toEqual(Object.keys(described.properties).sort());
  });
});
