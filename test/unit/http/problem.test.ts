import { describe, expect, it } from "vitest";
import { z } from "zod";

import { AppError, type ErrorKind } from "../../../src/core/errors.js";
import { jsonText } from "../../../src/http/json-text.js";
import { HttpError, invalidRequest, problemOf } from "../../../src/http/problem.js";

describe("a problem", () => {
  it.each<[ErrorKind, number]>([
    ["invalid-argument", 400],
    ["unauthenticated", 401],
    ["permission-denied", 403],
    ["not-found", 404],
    ["already-exists", 409],
    ["failed-precondition", 409],
    ["unavailable", 503],
    ["resource-exhausted", 507],
    ["data-loss", 500],
    ["cancelled", 503],
    ["internal", 500],
  ])("of the kind %s has the status %d", (kind, status) => {
    const problem = problemOf(new AppError({ kind, message: "what happened", hint: "what to do" }));
    expect(problem).toMatchObject({ type: `urn:reelkeeper:problem:${kind}`, status, hint: "what to do" });
    expect(problem.detail).toBe(kind === "internal" ? "see the log" : "what happened");
  });

  it("keeps a status of HTTP's own", () => {
    expect(problemOf(new HttpError(405, { kind: "invalid-argument", message: "no" })).status).toBe(405);
  });

  it("tells nothing of what nobody expected", () => {
    for (const thrown of [new Error("SELECT secret"), new TypeError("x is undefined"), "text", undefined, { a: 1 }]) {
      expect(problemOf(thrown)).toEqual({
        type: "urn:reelkeeper:problem:internal",
        title: "Internal error",
        status: 500,
        detail: "see the log",
      });
    }
  });

  it("shows no password of a URL in detail, hint or fields", () => {
    const url = "rtsp://admin:p4ss@cam/1?token=abc";
    const fields = [{ field: "source", message: `got ${url}` }];
    const problem = problemOf(new AppError({ kind: "invalid-argument", message: url, hint: `see ${url}`, fields }));
    expect(JSON.stringify(problem)).not.toMatch(/p4ss|abc/);
  });
});

describe("a refused request", () => {
  const schema = z.strictObject({
    count: z.number().optional(),
    source: z.string().max(5).optional(),
    password: z.string().max(1).optional(),
    list: z.array(z.enum(["a", "b"])).optional(),
  });
  const refuse = (given: unknown, part = "body") => {
    const { error } = schema.safeParse(given);
    return error === undefined ? [] : invalidRequest(part, error, given).fields;
  };

  it("names each wrong field with the value, and what would be right", () => {
    expect(refuse({ count: "7", list: ["a", "c"] })).toEqual([
      { field: "count", message: 'Invalid input: expected number, received string, got "7"' },
      { field: "list.1", message: 'Invalid option: expected one of "a"|"b", got "c"' },
    ]);
  });

  it("names each unknown field, however it is called", () => {
    const given = JSON.parse('{"__proto__": 1, "toString": 2}') as unknown;
    expect(refuse(given).map(({ field }) => field)).toEqual(["__proto__", "toString"]);
    expect(refuse({ ["x".repeat(500)]: 1 })[0]?.field).toHaveLength(80);
  });

  it("names the part itself when that is of the wrong shape", () => {
    expect(refuse([])).toEqual([{ field: "body", message: "Invalid input: expected object, received array" }]);
    expect(refuse("text", "query")[0]?.field).toBe("query");
  });

  it("shows only the beginning of a long value, and of a URL only its scheme", () => {
    const message = (given: unknown): string => refuse(given)[0]?.message ?? "";
    expect(message({ count: "x".repeat(500) })).toMatch(/got "x{60}…"$/);
    expect(message({ count: "https://user:p4ss@host" })).toMatch(/got "https:…"$/);
    expect(message({ source: "admin:p4ss@host" })).toMatch(/got "admin:…"$/);
    expect(message({ password: "p4ss" })).not.toContain("p4ss");
  });
});

describe("JSON that leaves", () => {
  it("has no password or token of a URL at any depth, and is otherwise as it was", () => {
    const error = "open rtsp://u:p4ss@h/1?token=t0k&a=1: refused";
    expect(JSON.parse(jsonText({ a: [{ error, n: 1, at: "x?y&z" }], b: null }))).toEqual({
      a: [{ error: "open rtsp://u:***@h/1?token=***&a=1: refused", n: 1, at: "x?y&z" }],
      b: null,
    });
  });
});
