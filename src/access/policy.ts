/**
 * The one rule: may this principal do what needs this role, to this path, for this time. Everything that decides asks
 * here; SQL that lists asks the same with `inScopes` (catalog/path-scope.ts). What nobody allowed is refused.
 */
import { EVERY_PATH, matchesPattern } from "../core/path-pattern.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import { hasRole, type PathScopes, type Principal, type Role, type Target } from "../core/principal.js";

/** `hidden`: whoever may not see a path is told that there is none, so that names cannot be found out. */
export type Decision = "allowed" | "role" | "range" | "hidden";

export function decide(principal: Principal, needed: Role, target: Target = {}): Decision {
  if (target.path !== undefined && !opensPath(principal.scopes, target.path)) return "hidden";
  if (!hasRole(principal, needed)) return "role";
  if (principal.range === null) return "allowed";
  const { range } = target;
  const isWithin = range !== undefined && range.fromUs >= principal.range.fromUs && range.toUs <= principal.range.toUs;
  return isWithin ? "allowed" : "range";
}

/** Throws `permission-denied`, or `not-found` for a path that they may not know of. */
export function assertAllowed(principal: Principal, needed: Role, target: Target = {}): void {
  const decision = decide(principal, needed, target);
  if (decision === "allowed") return;
  if (decision === "hidden") {
    throw new AppError({
      kind: "not-found",
      message: `there is no path "${target.path ?? ""}", or it is not open to you`,
    });
  }
  assertRole(principal, needed);
  throw new AppError({ kind: "permission-denied", message: "this link opens another time" });
}

/** Throws `permission-denied` for whoever sees some paths only, or only some of the time. */
export function assertSeesAll(principal: Principal): void {
  if (principal.range === null && seesEveryPath(principal.scopes)) return;
  throw new AppError({
    kind: "permission-denied",
    message: "this tells of every path, and not all of them are open to you",
  });
}

/** Throws `permission-denied`. */
export function assertRole(principal: Principal, needed: Role): void {
  if (hasRole(principal, needed)) return;
  throw new AppError({
    kind: "permission-denied",
    message: `this needs the role ${needed}, you have ${principal.role}`,
  });
}

export function seesEveryPath(scopes: PathScopes): boolean {
  return scopes.every((patterns) => patterns.includes(EVERY_PATH));
}

export function opensPath(scopes: PathScopes, path: PathName): boolean {
  return scopes.every((patterns) => patterns.some((pattern) => matchesPattern(pattern, path)));
}
