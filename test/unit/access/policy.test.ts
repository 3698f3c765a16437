import { describe, expect, it } from "vitest";

import { assertAllowed, decide } from "../../../src/access/policy.js";
import { NOBODY } from "../../../src/access/caller.js";
import type { PathName } from "../../../src/core/path-name.js";
import { parsePathPattern } from "../../../src/core/path-pattern.js";
import { type Principal, ROLES } from "../../../src/core/principal.js";

const who = (changes: Partial<Principal>): Principal => ({ ...NOBODY, scopes: [], ...changes });
const patterns = (...texts: string[]) => texts.map((text) => parsePathPattern(text));
const path = (name: string) => name as PathName;

describe("the policy", () => {
  it("gives each role what the one before it may", () => {
    const table = ROLES.map((role) => ROLES.map((needed) => decide(who({ role }), needed)));
    expect(table).toEqual([
      ["allowed", "role", "role"],
      ["allowed", "allowed", "role"],
      ["allowed", "allowed", "allowed"],
    ]);
  });

  it("opens a path that every list of patterns opens", () => {
    const token = who({ scopes: [patterns("site-a/*", "cam1"), patterns("*")] });
    expect(decide(token, "viewer", { path: path("site-a/gate") })).toBe("allowed");
    expect(decide(token, "viewer", { path: path("site-b/gate") })).toBe("hidden");
    const narrow = who({ scopes: [patterns("site-a/*"), patterns("site-a/gate", "site-b/*")] });
    expect(decide(narrow, "viewer", { path: path("site-a/gate") })).toBe("allowed");
    expect(decide(narrow, "viewer", { path: path("site-a/yard") })).toBe("hidden");
    expect(decide(narrow, "viewer", { path: path("site-b/yard") })).toBe("hidden");
  });

  it("opens nothing to nobody, whose list is empty", () => {
    expect(decide(NOBODY, "viewer", { path: path("cam1") })).toBe("hidden");
  });

  it("holds a link to its time, and to requests that say which", () => {
    const link = who({ kind: "link", range: { fromUs: 100, toUs: 200 } });
    expect(decide(link, "viewer", { range: { fromUs: 100, toUs: 200 } })).toBe("allowed");
    expect(decide(link, "viewer", { range: { fromUs: 99, toUs: 200 } })).toBe("range");
    expect(decide(link, "viewer", { range: { fromUs: 100, toUs: 201 } })).toBe("range");
    expect(decide(link, "viewer", {})).toBe("range");
  });

  it("does not tell a path that is closed from one that is not there", () => {
    const viewer = who({ scopes: [patterns("cam1")] });
    expect(() => assertAllowed(viewer, "admin", { path: path("cam2") })).toThrow(/there is no path "cam2"/);
    expect(() => assertAllowed(viewer, "admin", { path: path("cam1") })).toThrow(/needs the role admin/);
  });
});
