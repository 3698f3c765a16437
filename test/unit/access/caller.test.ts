import { describe, expect, it } from "vitest";

import { assertMayBind, isLoopbackName } from "../../../src/access/caller.js";
import { isAppError } from "../../../src/core/errors.js";

const LOOPBACK = ["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "::1", "[::1]"];
const ELSEWHERE = [
  "",
  "0.0.0.0",
  "::",
  "[::]",
  "10.0.0.7",
  "cameras.example",
  "localhost.example",
  "127.0.0.1.example",
  "x127.0.0.1",
  "127.0.0.1\n0.0.0.0",
  "1270.0.0.1",
  "127.0.0",
  "::ffff:10.0.0.7",
];

function refusalOf(host: string, token: string | null): unknown {
  try {
    assertMayBind(host, { adminToken: token, login: false });
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("where the server may listen", () => {
  it.each(LOOPBACK)("is %s without a token", (host) => {
    expect(isLoopbackName(host)).toBe(true);
    expect(refusalOf(host, null)).toBeUndefined();
  });

  it.each(ELSEWHERE)("is %j only with a token", (host) => {
    expect(isLoopbackName(host)).toBe(false);
    expect(isAppError(refusalOf(host, null), "failed-precondition")).toBe(true);
    expect(refusalOf(host, "a-token-of-sixteen")).toBeUndefined();
  });
});
