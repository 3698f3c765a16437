/** The OpenAPI 3.1 document, made from the routes and their schemas: what is not there does not exist. */
import { z } from "zod";

import { problemSchema } from "../contract/operation.js";
import type { ResponseSpec, Route } from "./route.js";

type Json = Record<string, unknown>;

const BEARER = [{ bearer: [] }];

export function createOpenApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replaceAll("+}", "}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Reelkeeper",
      version,
      description:
        "Times are RFC 3339, in and out; durations in fields that end in Sec are seconds, sizes are bytes. Every failure is a problem document (RFC 9457). Unknown query parameters and fields are refused by name.",
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "ADMIN_TOKEN; not needed on loopback when none is set" },
        hook: { type: "http", scheme: "bearer", description: "HOOK_SECRET; or as the field secret of the body" },
      },
      schemas: { Problem: schemaOf(problemSchema, "output") },
    },
  };
}

function operationOf(route: Route): Json {
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[^a-zA-Z]+(.)?/g, (_all, next?: string) => (next ?? "").toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    "x-access": route.access,
    security: route.access === "public" ? [] : route.access === "hook" ? [{ hook: [] }] : BEARER,
    parameters: [...parametersOf(route.params, "path"), ...parametersOf(route.query, "query")],
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route.body, route.form === true) }),
    responses: {
      ...Object.fromEntries(Object.entries(route.responses).map(([status, spec]) => [status, responseOf(spec)])),
      default: {
        description: "Problem",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function parametersOf(schema: z.ZodType | undefined, place: "path" | "query"): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input") as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function bodyOf(schema: z.ZodType, isForm: boolean): Json {
  const media = { schema: schemaOf(schema, "input") };
  return {
    required: true,
    content: { "application/json": media, ...(isForm ? { "application/x-www-form-urlencoded": media } : {}) },
  };
}

function responseOf({ description, schema, mediaType }: ResponseSpec): Json {
  if (schema !== undefined)
    return { description, content: { "application/json": { schema: schemaOf(schema, "output") } } };
  return mediaType === undefined ? { description } : { description, content: { [mediaType]: {} } };
}

/** OpenAPI 3.1 takes JSON Schema 2020-12 as it is; schemas are written out where they stand. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const whole = z.toJSONSchema(schema, { io, unrepresentable: "any", reused: "inline" });
  return Object.fromEntries(Object.entries(whole).filter(([key]) => key !== "$schema"));
}
