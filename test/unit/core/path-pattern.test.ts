import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EVERY_PATH, isPathPattern, matchesPattern, parsePathPattern } from "../../../src/core/path-pattern.js";
import type { PathName } from "../../../src/core/path-name.js";

const matches = (pattern: string, path: string) => matchesPattern(parsePathPattern(pattern), path as PathName);

describe("a pattern of paths", () => {
  it("is a path, a prefix with /* behind it, or * alone", () => {
    expect(matches("cam1", "cam1")).toBe(true);
    expect(matches("site-a/*", "site-a/gate/1")).toBe(true);
    expect(matches("*", "anything/at/all")).toBe(true);
  });

  it.each([
    ["cam1", "cam10"],
    ["cam1", "CAM1"],
    ["site-a/*", "site-a"],
    ["site-a/*", "site-ab/gate"],
    ["site-a/*", "site-a0"],
    ["site-a/*", "x/site-a/gate"],
  ])("%s does not open %s", (pattern, path) => {
    expect(matches(pattern, path)).toBe(false);
  });

  it.each(["", "/*", "*/x", "cam*", "**", "a/*/b", "../*", "a/../*", "~^cam", "a/b/", "a b", "%", "__proto__/**"])(
    "%j is none",
    (text) => {
      expect(isPathPattern(text)).toBe(false);
      expect(() => parsePathPattern(text, "grants.0")).toThrow(/grants\.0/);
    },
  );

  it("opens nothing but itself when it names one path", () => {
    const name = fc.stringMatching(/^[a-c/.]{1,6}$/).filter(isPathPattern);
    fc.assert(fc.property(name, name, (pattern, path) => matches(pattern, path) === (pattern === (path as string))));
    expect(matches(EVERY_PATH, "cam1")).toBe(true);
  });
});
