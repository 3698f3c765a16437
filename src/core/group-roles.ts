/**
 * What the groups of a login provider open: `GROUP=ROLE[:PATTERN,PATTERN…]; GROUP=ROLE…`. The first entry that fits is
 * the one that counts, so that no mixture of two opens more than either.
 */
import { isPathPattern, type PathPattern, whyNotPathPattern } from "./path-pattern.js";
import { type Role, ROLES } from "./principal.js";

export interface GroupRole {
  /** As the provider writes it; `*`: whoever it lets in. */
  readonly group: string;
  readonly role: Role;
  /** None for an admin, who sees every path. */
  readonly paths: readonly PathPattern[];
}

const EVERYBODY = "*";

/** Throws a RangeError that says which entry is wrong, and how. */
export function parseGroupRoles(text: string): readonly GroupRole[] {
  const entries = text.split(";").map((entry) => entry.trim());
  return entries.filter((entry) => entry !== "").map(parseEntry);
}

function parseEntry(entry: string): GroupRole {
  // A group of Keycloak may hold a colon or a slash, hardly ever a = at its end.
  const [, group = "", roleText = "", pathsText] = /^(.+?)\s*=\s*([a-z]+)\s*(?::(.*))?$/.exec(entry) ?? [];
  const role = ROLES.find((each) => each === roleText);
  if (role === undefined) throw new RangeError(`"${entry}" is not GROUP=${ROLES.join("|")}`);
  const patterns = (pathsText ?? "").split(",").map((pattern) => pattern.trim());
  if (role === "admin") {
    if (pathsText === undefined) return { group, role, paths: [] };
    throw new RangeError(`"${entry}" names paths, but an admin sees every path`);
  }
  if (pathsText === undefined)
    throw new RangeError(`"${entry}" names no paths, expected ${role}:* or ${role}:site-a/*`);
  return { group, role, paths: patterns.map((pattern) => asPattern(pattern, entry)) };
}

function asPattern(text: string, entry: string): PathPattern {
  if (isPathPattern(text)) return text;
  throw new RangeError(`"${entry}": "${text}" ${whyNotPathPattern(text) ?? ""}`);
}

/** Undefined: nothing is open to them. */
export function roleOfGroups(groupRoles: readonly GroupRole[], groups: readonly string[]): GroupRole | undefined {
  return groupRoles.find(({ group }) => group === EVERYBODY || groups.includes(group));
}
