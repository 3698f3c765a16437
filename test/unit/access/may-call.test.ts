import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type Access,
  type AccessRules,
  assertHookSecret,
  identifyWithoutLogin,
  type RequestFacts,
  urlSecretOf,
} from "../../../src/access/caller.js";
import { assertAllowed } from "../../../src/access/policy.js";
import { type ErrorKind, toAppError } from "../../../src/core/errors.js";

const TOKEN = "token-of-sixteen+";
const OPEN: AccessRules = { publicUrl: null, adminToken: null, hookSecret: "hook-secret-sixteen" };
const LOCKED: AccessRules = { ...OPEN, adminToken: TOKEN };
const GUARDED: readonly Access[] = ["viewer", "operator", "admin"];

function facts(changes: Partial<RequestFacts> = {}): RequestFacts {
  const none = { origin: undefined, secFetchSite: undefined, authorization: undefined, cookie: undefined };
  return { method: "GET", host: "127.0.0.1:8080", isSecure: false, ...none, ...changes };
}

function kindOf(work: () => void): ErrorKind | "in" {
  try {
    work();
    return "in";
  } catch (error) {
    return toAppError(error).kind;
  }
}

const call = (rules: AccessRules, access: Access, changes: Partial<RequestFacts> = {}) =>
  kindOf(() => {
    if (access !== "public" && access !== "hook") assertAllowed(identifyWithoutLogin(rules, facts(changes)), access);
  });

describe("without a token", () => {
  it.each(["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:8080"])(
    "a request for %s comes from this machine",
    (host) => {
      for (const access of GUARDED) expect(call(OPEN, access, { host })).toBe("in");
    },
  );

  it.each([
    undefined,
    "",
    "localhost.evil.example",
    "evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "evil.example:127.0.0.1",
    "localhost:80:80",
    "localhost:",
    "localhost/",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
    "[::1",
    "::2",
    " localhost",
    "localhost\n",
  ])("a request for %j does not (DNS rebinding)", (host) => {
    for (const access of GUARDED) expect(call(OPEN, access, { host })).toBe("permission-denied");
  });

  it("what changes something must not come from another origin, and reading may", () => {
    const foreign: Partial<RequestFacts>[] = [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: "" },
      { origin: "https://127.0.0.1:8080" },
      { origin: "http://127.0.0.1:8081" },
      { origin: "http://127.0.0.1:8080.evil.example" },
      { secFetchSite: "cross-site" },
      { secFetchSite: "same-site" },
      { secFetchSite: "" },
      { origin: "http://127.0.0.1:8080", secFetchSite: "cross-site" },
    ];
    for (const changes of foreign) {
      for (const method of ["POST", "PATCH", "DELETE", "PUT", "get", ""]) {
        expect(call(OPEN, "admin", { ...changes, method })).toBe("permission-denied");
      }
      for (const method of ["GET", "HEAD"]) expect(call(OPEN, "viewer", { ...changes, method })).toBe("in");
    }
    const own = { origin: "http://127.0.0.1:8080", secFetchSite: "same-origin", method: "POST" };
    expect(call(OPEN, "admin", own)).toBe("in");
    expect(call(OPEN, "admin", { secFetchSite: "none", method: "DELETE" })).toBe("in");
  });
});

describe("with a token", () => {
  it("only its bearer gets in, from wherever", () => {
    for (const access of GUARDED) {
      expect(call(LOCKED, access)).toBe("unauthenticated");
      for (const scheme of ["Bearer", "bearer", "BEARER"]) {
        const bearer = {
          authorization: `${scheme} ${TOKEN}`,
          host: "cameras.example",
          origin: "https://x",
          method: "POST",
        };
        expect(call(LOCKED, access, bearer)).toBe("in");
      }
    }
  });

  it("nothing else gets in, whatever it looks like", () => {
    const other = fc.oneof(
      fc.string(),
      fc.string().map((text) => `Bearer ${text}`),
      fc.constantFrom(
        "Bearer",
        "Bearer ",
        `Bearer  ${TOKEN}`,
        `Basic ${TOKEN}`,
        TOKEN,
        `Bearer ${TOKEN},`,
        "Bearer null",
      ),
    );
    fc.assert(
      fc.property(
        other.filter((text) => text.toLowerCase() !== `bearer ${TOKEN}`),
        (authorization) => {
          // Words after the token are not looked at.
          fc.pre(!/^bearer \S+ /i.test(authorization) || !authorization.includes(TOKEN));
          expect(call(LOCKED, "admin", { authorization })).toBe("unauthenticated");
        },
      ),
    );
  });

  it("what is public, or a hook's, is not asked for it", () => {
    for (const access of ["public", "hook"] as const) expect(call(LOCKED, access, { host: "x" })).toBe("in");
  });
});

describe("a hook", () => {
  const hook = (given: string | undefined, authorization?: string) =>
    kindOf(() => assertHookSecret(LOCKED, { field: given, inUrl: undefined, authorization }));

  it("is heard by what was made of the secret for a URL, which is no secret of hooks", () => {
    const inUrl = urlSecretOf(LOCKED.hookSecret);
    expect(kindOf(() => assertHookSecret(LOCKED, { field: undefined, inUrl, authorization: undefined }))).toBe("in");
    expect(hook(inUrl)).toBe("unauthenticated");
    expect(hook(undefined, `Bearer ${inUrl}`)).toBe("unauthenticated");
    const field = { field: undefined, inUrl: LOCKED.hookSecret, authorization: undefined };
    expect(kindOf(() => assertHookSecret(LOCKED, field))).toBe("unauthenticated");
  });

  it("is heard with the secret as field or as Bearer", () => {
    expect(hook(LOCKED.hookSecret)).toBe("in");
    expect(hook(undefined, `Bearer ${LOCKED.hookSecret}`)).toBe("in");
    expect(hook("wrong", `Bearer ${LOCKED.hookSecret}`)).toBe("in");
  });

  it("is refused otherwise, in the same words", () => {
    const words = new Set<string>();
    for (const [given, authorization] of [
      [undefined, undefined],
      ["", undefined],
      [`${LOCKED.hookSecret} `, undefined],
      [TOKEN, `Bearer ${TOKEN}`],
      [undefined, LOCKED.hookSecret],
      ["a".repeat(100_000), undefined],
    ] as const) {
      expect(hook(given, authorization)).toBe("unauthenticated");
      try {
        assertHookSecret(LOCKED, { field: given, inUrl: given, authorization });
      } catch (error) {
        words.add(toAppError(error).message);
      }
    }
    expect(words.size).toBe(1);
  });
});
