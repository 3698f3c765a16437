/** Users and what they may. Whoever changes one is told of in the audit log, in the same transaction. */
import { createHash } from "node:crypto";

import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import { AppError } from "../core/errors.js";
import type { PathPattern } from "../core/path-pattern.js";
import type { Role } from "../core/principal.js";
import type { User } from "../core/user.js";
import { type Actor, noteIn } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { dialectOf } from "./dialect.js";
import { inWriteTransaction } from "./write-transaction.js";

export type NewUser = Pick<User, "name" | "role" | "paths" | "passwordHash">;
export type UserPatch = Partial<Pick<User, "role" | "paths" | "disabled" | "passwordHash">>;

export function listUsers(catalog: Catalog): Promise<User[]> {
  return translating("list users", () => usersWhere(catalog.db, {}));
}

export function findUser(catalog: Catalog, by: { readonly id: string } | { readonly name: string }) {
  return translating("find a user", async () => (await usersWhere(catalog.readDb, by))[0]);
}

export function hasUsers(catalog: Catalog): Promise<boolean> {
  return translating("look for users", async () => (await catalog.db("users").limit(1).select("id")).length > 0);
}

/** Throws `already-exists`. */
export function insertUser(catalog: Catalog, user: NewUser, actor: Actor): Promise<User> {
  return translating("add a user", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const { name, role, paths, passwordHash } = user;
      const id = uuidv7();
      const nowUs = catalog.clock.nowUs();
      const added = (await trx("users")
        .insert({
          ...{ id, name, role, password_hash: passwordHash, disabled: 0 },
          ...{ created_at_us: nowUs, updated_at_us: nowUs },
        })
        .onConflict("name")
        .ignore()
        .returning("id")) as unknown[];
      if (added.length === 0) {
        throw new AppError({ kind: "already-exists", message: `a user named "${name}" exists` });
      }
      await storeGrants(trx, id, paths);
      const made = await userIn(trx, id);
      await noteIn(trx, catalog, { actor, action: "user.create", target: `user:${name}`, after: told(made) });
      return made;
    }),
  );
}

/**
 * A new password, fewer rights or a ban end the user's sessions, but for `keepSession`. Throws `not-found`, and
 * `failed-precondition` when no admin would be left.
 */
export function updateUser(
  catalog: Catalog,
  {
    id,
    patch,
    keepSession = null,
  }: { readonly id: string; readonly patch: UserPatch; readonly keepSession?: string | null },
  actor: Actor,
): Promise<User> {
  return translating("change a user", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      await lockUsers(trx);
      const before = await userIn(trx, id);
      const { paths, ...own } = patch;
      await trx("users")
        .where({ id })
        .update({ ...columnsOf(own), updated_at_us: catalog.clock.nowUs() });
      if (paths !== undefined) await storeGrants(trx, id, paths);
      await assertAdminIsLeft(trx);
      if (patch.passwordHash !== undefined || patch.disabled === true) {
        await endSessions(trx, catalog, { userId: id, keepSession });
      }
      const after = await userIn(trx, id);
      const note = {
        before: told(before),
        after: { ...told(after), passwordChanged: patch.passwordHash !== undefined },
      };
      await noteIn(trx, catalog, { actor, action: "user.update", target: `user:${after.name}`, ...note });
      return after;
    }),
  );
}

/** Who logs in elsewhere, and what that opens today. */
export interface OidcUser extends Pick<User, "role" | "paths"> {
  /** Issuer and subject. */
  readonly identity: string;
  /** For a new user; another's name is never taken. */
  readonly name: string;
}

/**
 * The user of this identity, made at the first login and kept to what their groups open ever after. Throws
 * `failed-precondition` when no admin would be left.
 */
export function storeOidcUser(catalog: Catalog, person: OidcUser, actor: Actor): Promise<User> {
  return translating("store a user who logs in elsewhere", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const [before] = await usersWhere(trx, { oidc_identity: person.identity });
      const { role, paths } = person;
      const nowUs = catalog.clock.nowUs();
      if (before === undefined) {
        const id = uuidv7();
        const name = await freeName(trx, person);
        await trx("users").insert({
          ...{ id, name, role, oidc_identity: person.identity, disabled: 0 },
          ...{ created_at_us: nowUs, updated_at_us: nowUs },
        });
        await storeGrants(trx, id, paths);
        const made = await userIn(trx, id);
        await noteIn(trx, catalog, { actor, action: "user.create", target: `user:${name}`, after: told(made) });
        return made;
      }
      const isSame = before.role === role && [...new Set(paths)].sort().join() === [...before.paths].sort().join();
      if (isSame) return before;
      await trx("users").where({ id: before.id }).update({ role, updated_at_us: nowUs });
      await storeGrants(trx, before.id, paths);
      await assertAdminIsLeft(trx);
      const after = await userIn(trx, before.id);
      const note = { before: told(before), after: told(after) };
      await noteIn(trx, catalog, { actor, action: "user.update", target: `user:${after.name}`, ...note });
      return after;
    }),
  );
}

/** Whoever else has that name here is another person, however alike they are called elsewhere. */
async function freeName(trx: Knex.Transaction, { name, identity }: OidcUser): Promise<string> {
  const taken = (await trx("users").where({ name }).select("id")) as unknown[];
  if (taken.length === 0) return name;
  return `${name}-${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`;
}

/** With sessions and tokens. Throws `not-found`, and `failed-precondition` when no admin would be left. */
export function deleteUser(catalog: Catalog, id: string, actor: Actor): Promise<void> {
  return translating("remove a user", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      await lockUsers(trx);
      const before = await userIn(trx, id);
      await trx("users").where({ id }).delete();
      await assertAdminIsLeft(trx);
      await noteIn(trx, catalog, { actor, action: "user.delete", target: `user:${before.name}`, before: told(before) });
    }),
  );
}

/** Any number that nobody else locks. */
const USERS_LOCK = 7_205_759_405;

/** Two admins who remove each other at the same time: the second finds that none would be left. */
async function lockUsers(trx: Knex.Transaction): Promise<void> {
  if (dialectOf(trx) === "postgres") await trx.raw("select pg_advisory_xact_lock(?)", [USERS_LOCK]);
}

async function assertAdminIsLeft(trx: Knex.Transaction): Promise<void> {
  if ((await trx("users").where({ role: "admin", disabled: 0 }).limit(1).select("id")).length > 0) return;
  throw new AppError({
    kind: "failed-precondition",
    message: "no admin would be left",
    hint: "make another user an admin first",
  });
}

async function endSessions(
  trx: Knex.Transaction,
  catalog: Catalog,
  { userId, keepSession }: { readonly userId: string; readonly keepSession: string | null },
): Promise<void> {
  const query = trx("sessions").where({ user_id: userId }).whereNull("revoked_at_us");
  if (keepSession !== null) void query.whereNot({ id: keepSession });
  await query.update({ revoked_at_us: catalog.clock.nowUs() });
}

async function storeGrants(trx: Knex.Transaction, id: string, paths: readonly PathPattern[]): Promise<void> {
  await trx("user_grants").where({ user_id: id }).delete();
  const rows = [...new Set(paths)].map((pattern) => ({ user_id: id, pattern }));
  if (rows.length > 0) await trx("user_grants").insert(rows);
}

async function userIn(trx: Knex.Transaction, id: string): Promise<User> {
  const [user] = await usersWhere(trx, { id });
  if (user === undefined) throw new AppError({ kind: "not-found", message: `no user has the id ${id}` });
  return user;
}

async function usersWhere(db: Knex, where: Readonly<Record<string, string>>): Promise<User[]> {
  const rows = (await db("users").where(where).orderBy("name")) as Row[];
  const grants = (await db("user_grants")
    .whereIn(
      "user_id",
      rows.map(({ id }) => id),
    )
    .orderBy("pattern")) as { user_id: string; pattern: PathPattern }[];
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    role: row.role,
    paths: grants.filter(({ user_id: userId }) => userId === row.id).map(({ pattern }) => pattern),
    disabled: row.disabled !== 0,
    passwordHash: row.password_hash,
    oidcIdentity: row.oidc_identity,
    createdAtUs: row.created_at_us,
    lastLoginAtUs: row.last_login_at_us,
  }));
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly disabled: number;
  readonly password_hash: string | null;
  readonly oidc_identity: string | null;
  readonly created_at_us: number;
  readonly last_login_at_us: number | null;
}

function columnsOf({ role, disabled, passwordHash }: Omit<UserPatch, "paths">): Record<string, unknown> {
  return {
    ...(role === undefined ? {} : { role }),
    ...(disabled === undefined ? {} : { disabled: disabled ? 1 : 0 }),
    ...(passwordHash === undefined ? {} : { password_hash: passwordHash }),
  };
}

function told({ name, role, paths, disabled }: User) {
  return { name, role, paths, disabled };
}
