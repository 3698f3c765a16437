/** API tokens: only the SHA-256 of each is kept, so nobody who reads the database can use one. */
import { v7 as uuidv7 } from "uuid";

import { AppError } from "../core/errors.js";
import { isPathPattern } from "../core/path-pattern.js";
import type { Role } from "../core/principal.js";
import type { ApiToken } from "../core/user.js";
import { type Actor, noteIn } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { storable } from "./recording-row.js";
import { inWriteTransaction } from "./write-transaction.js";

export interface NewApiToken extends Pick<ApiToken, "userId" | "name" | "role" | "paths" | "expiresAtUs"> {
  /** SHA-256, hex. */
  readonly tokenHash: string;
}

/** The last use is for people, who need not know the second. */
const USE_NOTED_EVERY_US = 60_000_000;
const LISTED = 500;

export function insertApiToken(
  catalog: Catalog,
  { tokenHash, ...token }: NewApiToken,
  actor: Actor,
): Promise<ApiToken> {
  return translating("add a token", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const row: Row = {
        id: uuidv7(),
        user_id: token.userId,
        name: storable(token.name),
        role: token.role,
        patterns: JSON.stringify(token.paths),
        created_at_us: catalog.clock.nowUs(),
        expires_at_us: token.expiresAtUs,
        last_used_at_us: null,
        revoked_at_us: null,
      };
      await trx("api_tokens").insert({ ...row, token_hash: tokenHash });
      const made = toToken(row);
      const { id, name, role, paths } = made;
      await noteIn(trx, catalog, {
        actor,
        action: "token.create",
        target: `token:${id}`,
        after: { name, role, paths },
      });
      return made;
    }),
  );
}

/** Neither revoked nor over. */
export function findLiveToken(
  catalog: Catalog,
  by: { readonly id: string } | { readonly token_hash: string },
): Promise<ApiToken | undefined> {
  return translating("find a token", async () => {
    const nowUs = catalog.clock.nowUs();
    const [row] = (await catalog.readDb("api_tokens").where(by).whereNull("revoked_at_us").select(COLUMNS)) as Row[];
    if (row === undefined || (row.expires_at_us !== null && row.expires_at_us <= nowUs)) return undefined;
    if (nowUs - (row.last_used_at_us ?? 0) > USE_NOTED_EVERY_US) {
      await catalog.db("api_tokens").where({ id: row.id }).update({ last_used_at_us: nowUs });
    }
    return toToken(row);
  });
}

/** The latest first; of one user, or of all. */
export function listApiTokens(catalog: Catalog, userId: string | null): Promise<ApiToken[]> {
  return translating("list tokens", async () => {
    const query = catalog.db("api_tokens").orderBy("created_at_us", "desc").limit(LISTED).select(COLUMNS);
    if (userId !== null) void query.where({ user_id: userId });
    return ((await query) as Row[]).map(toToken);
  });
}

/** Throws `not-found`: also for one of another user than `userId`; null: of whomever. */
export function revokeApiToken(
  catalog: Catalog,
  { id, userId }: { readonly id: string; readonly userId: string | null },
  actor: Actor,
): Promise<void> {
  return translating("revoke a token", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const query = trx("api_tokens").where({ id });
      if (userId !== null) void query.andWhere({ user_id: userId });
      const [row] = (await query.select(COLUMNS)) as Row[];
      if (row === undefined) throw new AppError({ kind: "not-found", message: `no token has the id ${id}` });
      if (row.revoked_at_us !== null) return;
      await trx("api_tokens").where({ id }).update({ revoked_at_us: catalog.clock.nowUs() });
      await noteIn(trx, catalog, { actor, action: "token.revoke", target: `token:${id}`, before: { name: row.name } });
    }),
  );
}

const COLUMNS = [
  ...["id", "user_id", "name", "role", "patterns", "created_at_us", "expires_at_us", "last_used_at_us"],
  "revoked_at_us",
] as const;

interface Row {
  readonly id: string;
  readonly user_id: string;
  readonly name: string;
  readonly role: Role;
  readonly patterns: string;
  readonly created_at_us: number;
  readonly expires_at_us: number | null;
  readonly last_used_at_us: number | null;
  readonly revoked_at_us: number | null;
}

function toToken(row: Row): ApiToken {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    role: row.role,
    paths: (JSON.parse(row.patterns) as string[]).filter(isPathPattern),
    createdAtUs: row.created_at_us,
    expiresAtUs: row.expires_at_us,
    lastUsedAtUs: row.last_used_at_us,
    revokedAtUs: row.revoked_at_us,
  };
}
