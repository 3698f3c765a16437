import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isPathName, MAX_PATH_NAME_LENGTH, parsePathName, whyNotPathName } from "../../../src/core/path-name.js";

describe("path names", () => {
  it.each(["cam1", "site/gate", "a/b/c", "A-Z_0.9", ".hidden", "...", "a..b", "x".repeat(MAX_PATH_NAME_LENGTH)])(
    "accepts %j",
    (text) => {
      expect(parsePathName(text)).toBe(text);
    },
  );

  it.each([
    ["", "must not be empty"],
    ["x".repeat(MAX_PATH_NAME_LENGTH + 1), "longer"],
    ["/cam", "begin or end with a slash"],
    ["cam/", "begin or end with a slash"],
    ["a//b", "empty part"],
    ["..", ". or .."],
    ["a/../b", ". or .."],
    ["a/./b", ". or .."],
    ["cam 1", "only letters"],
    ["cam\n", "only letters"],
    ["cam\0", "only letters"],
    ["c\u00e4m", "only letters"],
    ["~^cam", "only letters"],
    ["cam%2f..", "only letters"],
    ["a\\b", "only letters"],
  ])("refuses %j and says why", (text, reason) => {
    expect(whyNotPathName(text)).toContain(reason);
    expect(() => parsePathName(text, "path")).toThrow(
      expect.objectContaining({ kind: "invalid-argument", fields: [expect.objectContaining({ field: "path" })] }),
    );
  });

  it("never leads out of a folder when it is one", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", ".", "/", "-", "\\", "\0") }), (text) => {
        if (!isPathName(text)) return;
        const resolved = new URL(`file:///root/${text}`).pathname;
        expect(resolved).toBe(`/root/${text}`);
      }),
    );
  });
});
