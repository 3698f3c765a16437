/** Who asks, as the rest of the product knows them: what they may is in here, how they proved it is not. */
import type { PathPattern } from "./path-pattern.js";
import type { PathName } from "./path-name.js";

/** Each may what the one before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/**
 * `user`: logged in · `token`: an API token, or ADMIN_TOKEN · `link`: a signed URL of ours · `share`: an outsider with a
 * share link · `machine`: whoever asks from this machine while LOGIN=off.
 */
export type PrincipalKind = "user" | "token" | "link" | "share" | "machine";

export interface Principal {
  readonly kind: PrincipalKind;
  /** Of the user, token or share; for the audit log. Never a secret. */
  readonly id: string;
  /** For people: "anna", "anna's token backup-script". */
  readonly name: string;
  readonly role: Role;
  /**
   * A path is open when every list holds a pattern that matches it; no lists: every path. A token has its owner's list
   * and its own, so that neither can open more than the other.
   */
  readonly scopes: PathScopes;
  /** Only footage of this time, half-open [fromUs, toUs); null: of any. Signed URLs and shares have one. */
  readonly range: TimeRange | null;
  /** Logged in by this session; null for all who are not. */
  readonly sessionId: string | null;
}

export type PathScopes = readonly (readonly PathPattern[])[];

export interface TimeRange {
  readonly fromUs: number;
  readonly toUs: number;
}

/** What a request is about, as far as the policy cares. */
export interface Target {
  /** Undefined: no path in particular. The answer then holds only what each of its paths allows. */
  readonly path?: PathName;
  readonly range?: TimeRange;
}

export function hasRole(principal: Pick<Principal, "role">, needed: Role): boolean {
  return ROLES.indexOf(principal.role) >= ROLES.indexOf(needed);
}
