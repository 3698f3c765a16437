/**
 * Logins. A session is known again by an opaque refresh token, of which only the hash is kept and which changes at each
 * use: when the one before comes again, two have it, and the session ends.
 */
import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import type { Session } from "../core/user.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { storable } from "./recording-row.js";
import { inWriteTransaction } from "./write-transaction.js";

export interface NewSession {
  readonly userId: string;
  /** SHA-256, hex. */
  readonly refreshHash: string;
  readonly expiresAtUs: number;
  readonly address: string | null;
  readonly userAgent: string | null;
}

export type Rotation = Readonly<
  { kind: "rotated" | "just-rotated" | "reused"; session: Session } | { kind: "unknown" }
>;

/** Two tabs that refresh at once both come with the old one. */
const GRACE_US = 20_000_000;
const LISTED = 500;

export function insertSession(catalog: Catalog, session: NewSession): Promise<Session> {
  return translating("add a session", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const nowUs = catalog.clock.nowUs();
      const row: Row = {
        id: uuidv7(),
        user_id: session.userId,
        created_at_us: nowUs,
        last_used_at_us: nowUs,
        expires_at_us: session.expiresAtUs,
        revoked_at_us: null,
        address: session.address,
        user_agent: session.userAgent === null ? null : storable(session.userAgent.slice(0, 300)),
      };
      // Nobody asks for those that are over.
      await trx("sessions").where("expires_at_us", "<", nowUs).delete();
      await trx("sessions").insert({ ...row, refresh_hash: session.refreshHash, rotated_at_us: nowUs });
      await trx("users").where({ id: session.userId }).update({ last_login_at_us: nowUs });
      return toSession(row);
    }),
  );
}

/** Neither revoked nor over. */
export function findLiveSession(catalog: Catalog, id: string): Promise<Session | undefined> {
  return translating("find a session", async () => {
    const [row] = (await catalog
      .readDb("sessions")
      .where({ id })
      .whereNull("revoked_at_us")
      .andWhere("expires_at_us", ">", catalog.clock.nowUs())
      .select(COLUMNS)) as Row[];
    return row === undefined ? undefined : toSession(row);
  });
}

/**
 * `newHash` takes the place of `hash`, unless somebody did that a moment ago, and the session lasts until `expiresAtUs`,
 * unless its user logs in elsewhere. A reused one ends its session.
 */
export function rotateSession(
  catalog: Catalog,
  { hash, newHash, expiresAtUs }: { readonly hash: string; readonly newHash: string; readonly expiresAtUs: number },
): Promise<Rotation> {
  return translating("renew a session", () =>
    inWriteTransaction(catalog, [], async (trx): Promise<Rotation> => {
      const nowUs = catalog.clock.nowUs();
      const live = (column: string) =>
        trx("sessions")
          .where({ [column]: hash })
          .whereNull("revoked_at_us")
          .andWhere("expires_at_us", ">", nowUs)
          // In PostgreSQL the second of two that come at once waits, and then finds the token of before.
          .forUpdate()
          .select(...COLUMNS, "rotated_at_us");
      const [current] = (await live("refresh_hash")) as Row[];
      if (current !== undefined) {
        const endsUs = (await isOfLoginElsewhere(trx, current)) ? current.expires_at_us : expiresAtUs;
        await trx("sessions")
          .where({ id: current.id })
          .update({
            ...{ refresh_hash: newHash, previous_refresh_hash: hash, rotated_at_us: nowUs },
            ...{ last_used_at_us: nowUs, expires_at_us: endsUs },
          });
        return { kind: "rotated", session: toSession({ ...current, expires_at_us: endsUs }) };
      }
      const [before] = (await live("previous_refresh_hash")) as (Row & { rotated_at_us: number })[];
      if (before === undefined) return { kind: "unknown" };
      if (nowUs - before.rotated_at_us < GRACE_US) return { kind: "just-rotated", session: toSession(before) };
      await trx("sessions").where({ id: before.id }).update({ revoked_at_us: nowUs });
      return { kind: "reused", session: toSession(before) };
    }),
  );
}

/** Such a session ends when it was to end: only another login tells what is open to its user by then. */
async function isOfLoginElsewhere(trx: Knex.Transaction, { user_id: id }: Row): Promise<boolean> {
  const found = (await trx("users").where({ id }).whereNotNull("oidc_identity").select("id")) as unknown[];
  return found.length > 0;
}

/** Live ones, the latest first; of one user, or of all. */
export function listSessions(catalog: Catalog, userId: string | null): Promise<Session[]> {
  return translating("list sessions", async () => {
    const query = catalog
      .db("sessions")
      .whereNull("revoked_at_us")
      .andWhere("expires_at_us", ">", catalog.clock.nowUs())
      .orderBy("last_used_at_us", "desc")
      .limit(LISTED)
      .select(COLUMNS);
    if (userId !== null) void query.andWhere({ user_id: userId });
    return ((await query) as Row[]).map(toSession);
  });
}

export function revokeSession(catalog: Catalog, id: string): Promise<void> {
  return translating("end a session", async () => {
    await catalog
      .db("sessions")
      .where({ id })
      .whereNull("revoked_at_us")
      .update({ revoked_at_us: catalog.clock.nowUs() });
  });
}

const COLUMNS = [
  ...["id", "user_id", "created_at_us", "last_used_at_us", "expires_at_us", "revoked_at_us", "address", "user_agent"],
] as const;

interface Row {
  readonly id: string;
  readonly user_id: string;
  readonly created_at_us: number;
  readonly last_used_at_us: number;
  readonly expires_at_us: number;
  readonly revoked_at_us: number | null;
  readonly address: string | null;
  readonly user_agent: string | null;
}

function toSession(row: Row): Session {
  return {
    id: row.id,
    userId: row.user_id,
    createdAtUs: row.created_at_us,
    lastUsedAtUs: row.last_used_at_us,
    expiresAtUs: row.expires_at_us,
    revokedAtUs: row.revoked_at_us,
    address: row.address,
    userAgent: row.user_agent,
  };
}
