/** Users, for admins; sessions and API tokens, for oneself and for admins; the audit log. */
import { z } from "zod";

import { newApiToken } from "../../access/identity.js";
import { opensPath } from "../../access/policy.js";
import { listAudit, noteAudit } from "../../catalog/audit.js";
import { insertApiToken, listApiTokens, revokeApiToken } from "../../catalog/api-tokens.js";
import { findLiveSession, listSessions, revokeSession } from "../../catalog/sessions.js";
import { deleteUser, findUser, insertUser, listUsers, updateUser } from "../../catalog/users.js";
import { uuid } from "../../contract/scalars.js";
import {
  apiTokenListSchema,
  auditListSchema,
  auditQuerySchema,
  madeApiTokenSchema,
  newApiTokenSchema,
  newUserSchema,
  sessionListSchema,
  userListSchema,
  userPatchSchema,
  userSchema,
} from "../../contract/users.js";
import { AppError } from "../../core/errors.js";
import { formatRfc3339 } from "../../core/instant.js";
import type { PathName } from "../../core/path-name.js";
import { EVERY_PATH, type PathPattern } from "../../core/path-pattern.js";
import { hasRole, type PathScopes, type Principal } from "../../core/principal.js";
import type { ApiToken, Session, User } from "../../core/user.js";
import { actorOf } from "../actor.js";
import type { HttpDeps } from "../http-deps.js";
import { defineRoute, json, type Route } from "../route.js";

const noQuery = z.strictObject({});
const byId = z.strictObject({ id: uuid });
const gone = { 200: { description: "Done", schema: z.object({}) } };

export function userRoutes(deps: HttpDeps): Route[] {
  return [...ofUsers(deps), ...ofSessions(deps), ...ofTokens(deps), auditRoute(deps)];
}

function ofUsers(deps: HttpDeps): Route[] {
  const { catalog, login, streams } = deps;
  const common = { access: "admin", scope: "none", tag: "users", query: noQuery } as const;
  return [
    defineRoute({
      ...{ ...common, method: "GET", path: "/api/v1/users" },
      summary: "All users",
      responses: { 200: { description: "Users", schema: userListSchema } },
      handler: async () => json({ items: (await listUsers(catalog)).map(userView) }),
    }),
    defineRoute({
      ...{ ...common, method: "POST", path: "/api/v1/users" },
      summary: "Add a user",
      body: newUserSchema,
      responses: { 201: { description: "Added", schema: userSchema } },
      handler: async ({ body: { password, ...user }, caller, request }) => {
        const passwordHash = await login.passwords.hash(password);
        return json(userView(await insertUser(catalog, { ...user, passwordHash }, actorOf(caller, request))), 201);
      },
    }),
    defineRoute({
      ...{ ...common, method: "GET", path: "/api/v1/users/{id}" },
      summary: "One user",
      params: byId,
      responses: { 200: { description: "The user", schema: userSchema } },
      handler: async ({ params: { id } }) => json(userView(await userOf(deps, id))),
    }),
    defineRoute({
      ...{ ...common, method: "PATCH", path: "/api/v1/users/{id}" },
      summary: "Change a user; a new password or a ban ends all sessions of theirs, at once",
      params: byId,
      body: userPatchSchema,
      responses: { 200: { description: "As it is now", schema: userSchema } },
      handler: async ({ params: { id }, body, caller, request }) => {
        const { password, ...rest } = definedOf(body);
        const patch = {
          ...rest,
          ...(password === undefined ? {} : { passwordHash: await login.passwords.hash(password) }),
        };
        const change = { id, patch, keepSession: caller.sessionId };
        const user = await updateUser(catalog, change, actorOf(caller, request));
        streams.changed();
        return json(userView(user));
      },
    }),
    defineRoute({
      ...{ ...common, method: "DELETE", path: "/api/v1/users/{id}" },
      summary: "Remove a user, with their sessions and tokens",
      params: byId,
      responses: gone,
      handler: async ({ params: { id }, caller, request }) => {
        await deleteUser(catalog, id, actorOf(caller, request));
        streams.changed();
        return json({});
      },
    }),
  ];
}

/** `exactOptionalPropertyTypes`: what was not given is not there. */
function definedOf(body: z.infer<typeof userPatchSchema>) {
  const { role, paths, disabled, password } = body;
  return {
    ...(role === undefined ? {} : { role }),
    ...(paths === undefined ? {} : { paths }),
    ...(disabled === undefined ? {} : { disabled }),
    ...(password === undefined ? {} : { password }),
  };
}

async function userOf({ catalog }: HttpDeps, id: string): Promise<User> {
  const user = await findUser(catalog, { id });
  if (user === undefined) throw new AppError({ kind: "not-found", message: `no user has the id ${id}` });
  return user;
}

function ofSessions({ catalog, streams }: HttpDeps): Route[] {
  const common = { access: "viewer", scope: "none", tag: "users" } as const;
  return [
    defineRoute({
      ...{ ...common, method: "GET", path: "/api/v1/sessions" },
      summary: "Live sessions: one's own; for an admin those of a user, or all",
      query: z.strictObject({ user: uuid.optional() }),
      responses: { 200: { description: "Sessions", schema: sessionListSchema } },
      handler: async ({ query: { user }, caller }) => {
        const sessions = await listSessions(catalog, whose(caller, user ?? null));
        return json({ items: sessions.map((session) => sessionView(session, caller)) });
      },
    }),
    defineRoute({
      ...{ ...common, method: "DELETE", path: "/api/v1/sessions/{id}" },
      summary: "End a session, at once",
      params: byId,
      query: noQuery,
      responses: gone,
      handler: async ({ params: { id }, caller, request }) => {
        const session = await findLiveSession(catalog, id);
        if (session === undefined || (caller.role !== "admin" && session.userId !== caller.id)) {
          throw new AppError({ kind: "not-found", message: `no session has the id ${id}` });
        }
        await revokeSession(catalog, id);
        streams.changed();
        const actor = actorOf(caller, request);
        await noteAudit(catalog, {
          actor,
          action: "session.revoke",
          target: `session:${id}`,
          before: { user: session.userId },
        });
        return json({});
      },
    }),
  ];
}

/** An admin asks for whom they like; everyone else for themselves. A caller who is no user has none. */
function whose(caller: Principal, asked: string | null): string | null {
  return caller.role === "admin" ? asked : caller.id;
}

function ofTokens({ catalog, streams }: HttpDeps): Route[] {
  const common = { access: "viewer", scope: "none", tag: "users" } as const;
  return [
    defineRoute({
      ...{ ...common, method: "GET", path: "/api/v1/tokens" },
      summary: "API tokens: one's own; for an admin those of a user, or all",
      query: z.strictObject({ user: uuid.optional() }),
      responses: { 200: { description: "Tokens", schema: apiTokenListSchema } },
      handler: async ({ query: { user }, caller }) =>
        json({ items: (await listApiTokens(catalog, whose(caller, user ?? null))).map(tokenView) }),
    }),
    defineRoute({
      ...{ ...common, method: "POST", path: "/api/v1/tokens" },
      summary: "Make an API token for oneself",
      description: "It may what its owner may at the time of its use, and not more than it was made for.",
      query: noQuery,
      body: newApiTokenSchema,
      responses: { 201: { description: "Made", schema: madeApiTokenSchema } },
      handler: async ({ body: { name, role, paths, expiresAt }, caller, request }) => {
        assertMayGive(caller, role, paths);
        if (expiresAt !== null && expiresAt <= catalog.clock.nowUs()) throw alreadyOver();
        const { token, tokenHash } = newApiToken();
        const facts = { userId: caller.id, name, role, paths, expiresAtUs: expiresAt, tokenHash };
        return json({ ...tokenView(await insertApiToken(catalog, facts, actorOf(caller, request))), token }, 201);
      },
    }),
    defineRoute({
      ...{ ...common, method: "DELETE", path: "/api/v1/tokens/{id}" },
      summary: "Revoke an API token, at once",
      params: byId,
      query: noQuery,
      responses: gone,
      handler: async ({ params: { id }, caller, request }) => {
        await revokeApiToken(catalog, { id, userId: whose(caller, null) }, actorOf(caller, request));
        streams.changed();
        return json({});
      },
    }),
  ];
}

function alreadyOver(): AppError {
  const message = "expected an instant to come, or null for a token that does not expire";
  return new AppError({
    kind: "invalid-argument",
    message: `expiresAt: ${message}`,
    fields: [{ field: "expiresAt", message }],
  });
}

/** Throws `failed-precondition`, `permission-denied` or `invalid-argument`. */
function assertMayGive(caller: Principal, role: Principal["role"], paths: readonly PathPattern[]): void {
  if (caller.kind !== "user") {
    throw new AppError({ kind: "failed-precondition", message: "only who has logged in can make tokens" });
  }
  if (!hasRole(caller, role)) {
    throw new AppError({ kind: "permission-denied", message: `a token may not be more than you are: ${caller.role}` });
  }
  const closed = paths.find((pattern) => !opensPattern(caller.scopes, pattern));
  if (closed === undefined) return;
  const message = `"${closed}" is not open to you`;
  throw new AppError({ kind: "invalid-argument", message, fields: [{ field: "paths", message }] });
}

/** A prefix is open where a path below it would be, whatever its name; every path only to who sees all. */
function opensPattern(scopes: PathScopes, pattern: PathPattern): boolean {
  if (pattern === EVERY_PATH) return scopes.every((patterns) => patterns.includes(EVERY_PATH));
  const isOwn = scopes.every((patterns) => patterns.includes(pattern));
  return isOwn || (!pattern.endsWith("/*") && opensPath(scopes, pattern as string as PathName));
}

function auditRoute({ catalog }: HttpDeps): Route {
  return defineRoute({
    method: "GET",
    path: "/api/v1/audit",
    access: "admin",
    scope: "none",
    tag: "users",
    summary: "Who did what, the newest first",
    query: auditQuerySchema,
    responses: { 200: { description: "Entries", schema: auditListSchema } },
    handler: async ({ query: { from: fromUs, to: toUs, limit, before, ...wanted } }) => {
      const filter = { ...wanted, fromUs, toUs };
      const entries = await listAudit(catalog, filter, { limit: limit + 1, before });
      const items = entries.slice(0, limit).map(({ atUs, ...entry }) => ({ ...entry, at: formatRfc3339(atUs) }));
      return json({ items, next: entries.length > limit ? (items.at(-1)?.id ?? null) : null });
    },
  });
}

function userView(user: User) {
  const { id, name, role, paths, disabled, passwordHash, createdAtUs, lastLoginAtUs } = user;
  return {
    ...{ id, name, role, paths, disabled, hasPassword: passwordHash !== null },
    createdAt: formatRfc3339(createdAtUs),
    lastLoginAt: instantOrNull(lastLoginAtUs),
  };
}

function sessionView(session: Session, caller: Principal) {
  const { id, userId, createdAtUs, lastUsedAtUs, expiresAtUs, address, userAgent } = session;
  return {
    ...{ id, userId, address, userAgent, isCurrent: id === caller.sessionId },
    createdAt: formatRfc3339(createdAtUs),
    lastUsedAt: formatRfc3339(lastUsedAtUs),
    expiresAt: formatRfc3339(expiresAtUs),
  };
}

function tokenView(token: ApiToken) {
  const { id, userId, name, role, paths, createdAtUs } = token;
  return {
    ...{ id, userId, name, role, paths, createdAt: formatRfc3339(createdAtUs) },
    expiresAt: instantOrNull(token.expiresAtUs),
    lastUsedAt: instantOrNull(token.lastUsedAtUs),
    revokedAt: instantOrNull(token.revokedAtUs),
  };
}

function instantOrNull(us: number | null): string | null {
  return us === null ? null : formatRfc3339(us);
}
