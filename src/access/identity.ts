/** Users as they log in and are known again: by password, session and API token. What each may is decided in policy.ts. */
import { createHash, randomBytes } from "node:crypto";

import { noteAudit } from "../catalog/audit.js";
import { findLiveToken } from "../catalog/api-tokens.js";
import type { Catalog } from "../catalog/catalog.js";
import { findLiveSession, insertSession, revokeSession, rotateSession } from "../catalog/sessions.js";
import { findUser, storeOidcUser } from "../catalog/users.js";
import { AppError } from "../core/errors.js";
import { type GroupRole, roleOfGroups } from "../core/group-roles.js";
import { US_PER_SEC } from "../core/instant.js";
import type { Principal, PrincipalKind } from "../core/principal.js";
import { principalOfToken, principalOfUser, type User } from "../core/user.js";
import type { AccessTokens } from "./access-tokens.js";
import type { OidcPerson } from "./oidc.js";
import type { LoginLimit } from "./login-limit.js";
import type { Passwords } from "./passwords.js";

export interface IdentityDeps {
  readonly catalog: Catalog;
  readonly passwords: Passwords;
  readonly tokens: AccessTokens;
  readonly limit: LoginLimit;
}

export interface Client {
  readonly address: string | null;
  readonly userAgent: string | null;
}

export interface LoggedIn {
  readonly user: User;
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessTokenExpiresAtUs: number;
  /** Null: the client has the newest one already. */
  readonly refreshToken: string | null;
  readonly refreshExpiresAtUs: number;
}

/** So that they are found when they were published by mistake. */
export const API_TOKEN_PREFIX = "rk_";
/** A name that nobody has may be a password in the wrong field: it is told to nobody. */
const NOBODY = "(unknown)";
const SECRET_BYTES = 32;
/** A session that nobody uses for so long is over. */
const SESSION_US = 30 * 86_400 * US_PER_SEC;
/** From login to the next, whoever uses it: what a provider takes away must end here too. */
const SESSION_ELSEWHERE_US = 12 * 3_600 * US_PER_SEC;
const GROUPS_NOTED = 50;

export class Identity {
  readonly #deps: IdentityDeps;

  constructor(deps: IdentityDeps) {
    this.#deps = deps;
  }

  /** Throws `unauthenticated` in the same words whatever is wrong, `rate-limited` after too many tries. */
  async login(given: { readonly name: string; readonly password: string }, client: Client): Promise<LoggedIn> {
    const { catalog, passwords, limit } = this.#deps;
    limit.enter(client.address, given.name);
    const user = await findUser(catalog, { name: given.name });
    const isRight = await passwords.verify(user?.passwordHash ?? null, given.password);
    if (user === undefined || !isRight || user.disabled) {
      const name = user?.name ?? NOBODY;
      await noteAudit(catalog, {
        actor: { kind: "user", id: user?.id ?? "", name, address: client.address },
        ...{ action: "login.fail", target: `user:${name}` },
      });
      throw new AppError({ kind: "unauthenticated", message: "name or password is wrong" });
    }
    limit.forget(client.address, given.name);
    const loggedIn = await this.#begin(user, client);
    await noteAudit(catalog, {
      actor: { kind: "user", id: user.id, name: user.name, address: client.address },
      ...{ action: "login.password", target: `user:${user.name}` },
    });
    return loggedIn;
  }

  /** Throws `permission-denied` for whom nothing is open here. */
  async loginElsewhere(person: OidcPerson, groupRoles: readonly GroupRole[], client: Client): Promise<LoggedIn> {
    const { catalog } = this.#deps;
    const name = userNameOf(person.name);
    const actor = { kind: "user" as const, id: person.identity, name, address: client.address };
    const opened = roleOfGroups(groupRoles, person.groups);
    const { role, paths } = opened ?? {};
    const user =
      role === undefined || paths === undefined
        ? undefined
        : await storeOidcUser(catalog, { identity: person.identity, name, role, paths }, actor);
    if (user === undefined || user.disabled) {
      const after = { groups: person.groups.slice(0, GROUPS_NOTED) };
      await noteAudit(catalog, { actor, action: "login.fail", target: `user:${user?.name ?? name}`, after });
      throw new AppError({
        kind: "permission-denied",
        message: user === undefined ? "none of your groups opens anything here" : "this user is disabled",
        hint: "ask an admin",
      });
    }
    const loggedIn = await this.#begin(user, client);
    await noteAudit(catalog, { actor: { ...actor, id: user.id }, action: "login.oidc", target: `user:${user.name}` });
    return loggedIn;
  }

  async #begin(user: User, client: Client): Promise<LoggedIn> {
    const { catalog } = this.#deps;
    const refreshToken = newSecret();
    const refreshExpiresAtUs = catalog.clock.nowUs() + sessionUsOf(user);
    const { id } = await insertSession(catalog, {
      ...{ userId: user.id, refreshHash: hashOf(refreshToken), expiresAtUs: refreshExpiresAtUs },
      ...client,
    });
    return { user, sessionId: id, ...(await this.#access(id)), refreshToken, refreshExpiresAtUs };
  }

  async #access(sessionId: string) {
    const { token, expiresAtUs } = await this.#deps.tokens.sign(sessionId, this.#deps.catalog.clock.nowUs());
    return { accessToken: token, accessTokenExpiresAtUs: expiresAtUs };
  }

  /** A refresh token is good once. Throws `unauthenticated`; one that was used before ends its session. */
  async refresh(refreshToken: string): Promise<LoggedIn> {
    const { catalog } = this.#deps;
    const next = newSecret();
    const expiresAtUs = catalog.clock.nowUs() + SESSION_US;
    const rotation = await rotateSession(catalog, {
      ...{ hash: hashOf(refreshToken), newHash: hashOf(next), expiresAtUs },
    });
    const session = rotation.kind === "unknown" ? undefined : rotation.session;
    const user = session === undefined ? undefined : await findUser(catalog, { id: session.userId });
    if (session === undefined || user === undefined || user.disabled || rotation.kind === "reused") {
      if (rotation.kind === "reused" && user !== undefined) await this.#noteReuse(user);
      throw new AppError({ kind: "unauthenticated", message: "the session is over", hint: "log in again" });
    }
    const refreshed = rotation.kind === "rotated" ? next : null;
    const access = await this.#access(session.id);
    return { user, sessionId: session.id, ...access, refreshToken: refreshed, refreshExpiresAtUs: session.expiresAtUs };
  }

  async #noteReuse({ id, name }: User): Promise<void> {
    await noteAudit(this.#deps.catalog, {
      actor: { kind: "user", id, name, address: null },
      ...{ action: "session.reuse", target: `user:${name}` },
    });
  }

  async logout(sessionId: string): Promise<void> {
    await revokeSession(this.#deps.catalog, sessionId);
  }

  /** An access token or an API token, as it stands behind `Bearer`. Throws `unauthenticated`. */
  async byBearer(token: string): Promise<Principal> {
    if (!token.startsWith(API_TOKEN_PREFIX)) return this.byAccessToken(token);
    const { catalog } = this.#deps;
    const known = await findLiveToken(catalog, { token_hash: hashOf(token) });
    const owner = known === undefined ? undefined : await findUser(catalog, { id: known.userId });
    if (known === undefined || owner === undefined || owner.disabled) {
      throw new AppError({ kind: "unauthenticated", message: "the token is not good (any more)" });
    }
    return principalOfToken(known, owner);
  }

  async byAccessToken(token: string): Promise<Principal> {
    const { catalog, tokens } = this.#deps;
    const sessionId = await tokens.verify(token, catalog.clock.nowUs());
    const session = await findLiveSession(catalog, sessionId);
    const user = session === undefined ? undefined : await findUser(catalog, { id: session.userId });
    if (user === undefined || user.disabled) {
      throw new AppError({ kind: "unauthenticated", message: "the session is over", hint: "log in again" });
    }
    return principalOfUser(user, sessionId);
  }

  /** As they are now, for URLs that they signed. */
  async find(kind: PrincipalKind, id: string): Promise<Principal | undefined> {
    const { catalog } = this.#deps;
    if (kind === "user") {
      const user = await findUser(catalog, { id });
      return user === undefined || user.disabled ? undefined : principalOfUser(user, null);
    }
    if (kind !== "token") return undefined;
    const token = await findLiveToken(catalog, { id });
    const owner = token === undefined ? undefined : await findUser(catalog, { id: token.userId });
    return token === undefined || owner === undefined || owner.disabled ? undefined : principalOfToken(token, owner);
  }
}

function sessionUsOf({ oidcIdentity }: User): number {
  return oidcIdentity === null ? SESSION_US : SESSION_ELSEWHERE_US;
}

/** What other places call people may hold anything. */
function userNameOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9._@-]+/g, "-");
  return plain.replace(/^[^a-z0-9]+/, "").slice(0, 50) || "user";
}

export function newApiToken(): { readonly token: string; readonly tokenHash: string } {
  const token = `${API_TOKEN_PREFIX}${newSecret()}`;
  return { token, tokenHash: hashOf(token) };
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** Of 256 random bits: nothing slower is needed. */
function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
