/** The OpenAPI 3.1 document, made from the routes and their schemas: what is not there does not exist. */
import { z } from "zod";

import { problemSchema } from "../contract/operation.js";
import type { ResponseSpec, Route } from "./route.js";

type Json = Record<string, unknown>;
/** By name: what stands under `components/schemas`. */
type Schemas = Map<string, unknown>;

interface OpenApiFacts {
  readonly version: string;
  readonly base: string;
}

const BEARER = [{ bearer: [] }];

/** `base`: the path below which we live, as `basePathOf` tells it. */
export function createOpenApi(routes: readonly Route[], { version, base }: OpenApiFacts): Json {
  const paths: Record<string, Json> = {};
  const schemas: Schemas = new Map();
  schemaOf(problemSchema, "output", schemas);
  for (const route of routes) {
    const path = route.path.replaceAll("+}", "}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Reelkeeper",
      version,
      description:
        "Times are RFC 3339, in and out; durations in fields that end in Sec are seconds, sizes are bytes. Every failure is a problem document (RFC 9457). Unknown query parameters and fields are refused by name.",
    },
    servers: [{ url: base === "" ? "/" : base }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description:
            "An API token, an access token or ADMIN_TOKEN; with LOGIN=off and no ADMIN_TOKEN this machine needs none",
        },
        hook: { type: "http", scheme: "bearer", description: "HOOK_SECRET; or as the field secret of the body" },
      },
      schemas: Object.fromEntries(schemas),
    },
  };
}

function operationOf(route: Route, schemas: Schemas): Json {
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^a-zA-Z]+(.)?/g, (_all, next?: string) => (next ?? "").toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    "x-access": route.access,
    security: route.access === "public" ? [] : route.access === "hook" ? [{ hook: [] }] : BEARER,
    parameters: [...parametersOf(route, "params"), ...parametersOf(route, "query")],
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route.body, route.form === true, schemas) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.responses).map(([status, spec]) => [status, responseOf(spec, schemas)]),
      ),
      default: {
        description: "Problem",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

/** Query and URL carry text; each parameter says what the text must stand for. */
function parametersOf(route: Route, part: "params" | "query"): Json[] {
  const schema = route[part];
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input", new Map()) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, examples, ...rest } = property;
    const isRest = part === "params" && route.path.includes(`{${name}+}`);
    const words = [description, isRest ? "The rest of the URL: slashes are written as they are." : undefined];
    const text = words.filter((word) => typeof word === "string").join(". ");
    return {
      name,
      in: part === "params" ? "path" : "query",
      required: part === "params" || required.includes(name),
      ...(text === "" ? {} : { description: text }),
      schema: Array.isArray(examples) ? { ...rest, examples: examples as unknown[] } : rest,
    };
  });
}

function bodyOf(schema: z.ZodType, isForm: boolean, schemas: Schemas): Json {
  const media = { schema: schemaOf(schema, "input", schemas) };
  return {
    required: true,
    content: { "application/json": media, ...(isForm ? { "application/x-www-form-urlencoded": media } : {}) },
  };
}

function responseOf({ description, schema, mediaType }: ResponseSpec, schemas: Schemas): Json {
  if (schema !== undefined) {
    return { description, content: { "application/json": { schema: schemaOf(schema, "output", schemas) } } };
  }
  if (mediaType === undefined) return { description };
  return { description, content: Object.fromEntries([mediaType].flat().map((type) => [type, {}])) };
}

/**
 * OpenAPI 3.1 takes JSON Schema 2020-12 as it is, but `$defs` of a part would be looked for at the document's root:
 * schemas that have a name go under `components/schemas`, and what refers to them follows.
 */
function schemaOf(schema: z.ZodType, io: "input" | "output", schemas: Schemas): Json {
  const whole = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => describeText(zodSchema, jsonSchema as Json),
  });
  for (const [name, definition] of Object.entries(whole.$defs ?? {})) {
    schemas.set(name, pointToComponents(definition));
  }
  const own = Object.entries(whole).filter(([key]) => key !== "$schema" && key !== "$defs");
  return pointToComponents(Object.fromEntries(own)) as Json;
}

/** A number in a query is text to the parser; whoever reads the document wants to know that it is a number. */
function describeText(schema: z.core.$ZodType, jsonSchema: Json): void {
  if (schema instanceof z.ZodDefault) jsonSchema["default"] = schema.def.defaultValue;
  const standsFor = z.globalRegistry.get(schema)?.["standsFor"];
  if (typeof standsFor !== "object") return;
  for (const key of ["type", "pattern", "enum", "standsFor"]) Reflect.deleteProperty(jsonSchema, key);
  Object.assign(jsonSchema, standsFor);
}

function pointToComponents(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(pointToComponents);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]: [string, unknown]) =>
      key === "$ref" && typeof value === "string"
        ? [key, value.replace("#/$defs/", "#/components/schemas/")]
        : [key, pointToComponents(value)],
    ),
  );
}
