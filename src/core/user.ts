/** Users, their sessions and their API tokens, as everything but the database and HTTP knows them. */
import type { PathPattern } from "./path-pattern.js";
import { type PathScopes, type Principal, type Role, ROLES } from "./principal.js";

export interface User {
  readonly id: string;
  /** Lowercase. */
  readonly name: string;
  readonly role: Role;
  /** What an operator or viewer may see; an admin sees all, whatever stands here. */
  readonly paths: readonly PathPattern[];
  readonly disabled: boolean;
  /** Argon2id, in its own text form; null: cannot log in by password. */
  readonly passwordHash: string | null;
  /** Issuer and subject of whoever logs in elsewhere; null: by password alone. */
  readonly oidcIdentity: string | null;
  readonly createdAtUs: number;
  readonly lastLoginAtUs: number | null;
}

/** A login, from then until it is over, revoked, or nobody uses it any more. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly createdAtUs: number;
  readonly lastUsedAtUs: number;
  readonly expiresAtUs: number;
  readonly revokedAtUs: number | null;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** For scripts: what its owner may, or less. */
export interface ApiToken {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly role: Role;
  readonly paths: readonly PathPattern[];
  readonly createdAtUs: number;
  readonly expiresAtUs: number | null;
  readonly lastUsedAtUs: number | null;
  readonly revokedAtUs: number | null;
}

export function principalOfUser(user: User, sessionId: string | null): Principal {
  return {
    kind: "user",
    id: user.id,
    name: user.name,
    role: user.role,
    scopes: scopesOf(user),
    range: null,
    sessionId,
  };
}

/** Its owner may have lost rights since it was made: neither opens more than the other. */
export function principalOfToken(token: ApiToken, owner: User): Principal {
  const role = ROLES[Math.min(ROLES.indexOf(token.role), ROLES.indexOf(owner.role))] ?? "viewer";
  return {
    kind: "token",
    id: token.id,
    name: `${owner.name}'s token ${token.name}`,
    role,
    scopes: [...scopesOf(owner), token.paths],
    range: null,
    sessionId: null,
  };
}

function scopesOf({ role, paths }: User): PathScopes {
  return role === "admin" ? [] : [paths];
}
