import { describe, expect, it } from "vitest";

import { parseGroupRoles, roleOfGroups } from "../../../src/core/group-roles.js";

describe("roles of groups", () => {
  const roles = parseGroupRoles(" /admins=admin ; a:b = operator : site-a/* , gate ;x=y=viewer:*;");

  it("are read with whatever a group is called", () => {
    expect(roles).toEqual([
      { group: "/admins", role: "admin", paths: [] },
      { group: "a:b", role: "operator", paths: ["site-a/*", "gate"] },
      { group: "x=y", role: "viewer", paths: ["*"] },
    ]);
  });

  it("do not mix: the first entry that fits counts, whatever else one is in", () => {
    expect(roleOfGroups(roles, ["x=y", "a:b"])).toMatchObject({ role: "operator", paths: ["site-a/*", "gate"] });
    expect(roleOfGroups(roles, ["others"])).toBeUndefined();
    expect(roleOfGroups(roles, [])).toBeUndefined();
    expect(roleOfGroups(parseGroupRoles("a=admin;*=viewer:cam1"), ["b"])).toMatchObject({ role: "viewer" });
  });

  it.each([
    ["admins", "is not GROUP=viewer|operator|admin"],
    ["admins=root", "is not GROUP="],
    ["admins=admin:cam1", "an admin sees every path"],
    ["guards=operator", "expected operator:* or operator:site-a/*"],
    ["guards=viewer:", '""'],
    ["guards=viewer:../x", '"../x"'],
    ["=admin", "is not GROUP="],
  ])("%s is refused: %s", (text, why) => {
    expect(() => parseGroupRoles(text)).toThrow(why);
  });
});
