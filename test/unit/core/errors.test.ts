import { describe, expect, it } from "vitest";

import { AppError, describeError, errnoOf, isAppError, toAppError } from "../../../src/core/errors.js";

describe("describeError", () => {
  it("joins the messages of an error and of its causes", () => {
    const inner = new Error("connect ECONNREFUSED 127.0.0.1:9000");
    const outer = new AppError({ kind: "unavailable", message: "put object a/b", cause: inner });
    expect(describeError(outer)).toBe("put object a/b: connect ECONNREFUSED 127.0.0.1:9000");
  });

  it("says a message once that a wrapper repeats", () => {
    expect(describeError(new Error("same", { cause: new Error("same") }))).toBe("same");
  });

  it("ends for a chain that is a circle", () => {
    const error = new Error("round");
    error.cause = error;
    expect(describeError(error)).toBe("round");
  });

  it("is one line for a message of several", () => {
    expect(describeError(new Error("first\r\n   second\nthird"))).toBe("first second third");
  });

  it("names the code of an error that has no message", () => {
    const refused = Object.assign(new AggregateError([new Error("a"), new Error("b")]), { code: "ECONNREFUSED" });
    expect(describeError(new Error("get list", { cause: refused }))).toBe("get list: ECONNREFUSED");
  });

  it("describes whatever else is thrown", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect([describeError("text"), describeError({ a: 1 }), describeError(circle), describeError(10n)]).toEqual([
      "text",
      '{"a":1}',
      "object",
      "bigint",
    ]);
    expect(describeError(() => 1)).toBe("function");
  });
});

describe("toAppError", () => {
  it("keeps an AppError as it is", () => {
    const error = new AppError({ kind: "not-found", message: "recording x does not exist" });
    expect(toAppError(error)).toBe(error);
  });

  it("makes internal of what nobody translated, and keeps the cause", () => {
    const cause = new TypeError("x is not a function");
    expect(toAppError(cause)).toMatchObject({ kind: "internal", message: "x is not a function", cause });
  });
});

it("tells AppErrors by their kind", () => {
  const error = new AppError({ kind: "unavailable", message: "m", retryAfterMs: 5 });
  expect([isAppError(error), isAppError(error, "unavailable"), isAppError(error, "internal")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(isAppError(new Error("unavailable"))).toBe(false);
  expect(error).toMatchObject({ name: "AppError", retryAfterMs: 5, hint: undefined, fields: [] });
  expect("cause" in error).toBe(false);
});

it("reads the errno name of system errors only", () => {
  expect(errnoOf(Object.assign(new Error("no"), { code: "ENOENT" }))).toBe("ENOENT");
  expect(errnoOf(Object.assign(new Error("no"), { code: 7 }))).toBeUndefined();
  expect(errnoOf({ code: "ENOENT" })).toBeUndefined();
});
