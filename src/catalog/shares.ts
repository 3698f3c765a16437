/** What was given to outsiders: a range of a path, by a link. The token itself is known to nobody but whoever has it. */
import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import type { PathScopes } from "../core/principal.js";
import { type Actor, noteIn } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { inScopes } from "./path-scope.js";
import { storable } from "./recording-row.js";
import { inWriteTransaction } from "./write-transaction.js";

export interface Share {
  readonly id: string;
  readonly path: PathName;
  /** [fromUs, toUs) */
  readonly fromUs: number;
  readonly toUs: number;
  readonly label: string;
  /** Who made it, by name; it stays when they go. */
  readonly createdBy: string;
  readonly createdAtUs: number;
  readonly expiresAtUs: number;
  readonly revokedAtUs: number | null;
  readonly opened: number;
  readonly lastOpenedAtUs: number | null;
}

export interface NewShare extends Pick<Share, "path" | "fromUs" | "toUs" | "label" | "expiresAtUs"> {
  /** SHA-256 of the token, hex. */
  readonly tokenHash: string;
}

const PAGE = 500;

export function insertShare(catalog: Catalog, { tokenHash, ...share }: NewShare, actor: Actor): Promise<Share> {
  return translating("add a share", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const row: Row = {
        id: uuidv7(),
        path: share.path,
        from_us: share.fromUs,
        to_us: share.toUs,
        label: storable(share.label),
        created_by: storable(actor.name),
        created_at_us: catalog.clock.nowUs(),
        expires_at_us: share.expiresAtUs,
        revoked_at_us: null,
        opened: 0,
        last_opened_at_us: null,
      };
      await trx("shares").insert({ ...row, token_hash: tokenHash });
      const made = toShare(row);
      await noteIn(trx, catalog, { actor, action: "share.create", target: `share:${row.id}`, after: made });
      return made;
    }),
  );
}

export function findShare(catalog: Catalog, id: string): Promise<Share | undefined> {
  return translating("find a share", () => findBy(catalog, { id }));
}

export function findShareByToken(catalog: Catalog, tokenHash: string): Promise<Share | undefined> {
  return translating("find a share", () => findBy(catalog, { token_hash: tokenHash }));
}

async function findBy(
  { readDb: db }: Catalog,
  where: { id: string } | { token_hash: string },
): Promise<Share | undefined> {
  const [row] = (await db("shares").where(where).limit(1).select(COLUMNS)) as Row[];
  return row === undefined ? undefined : toShare(row);
}

/** Neither revoked nor over. */
export function isOpenShare(share: Share | undefined, nowUs: number): share is Share {
  return share?.revokedAtUs === null && nowUs < share.expiresAtUs;
}

/** Of paths that are open to these scopes; the newest first, the latest 500. */
export function listShares(catalog: Catalog, scopes: PathScopes): Promise<Share[]> {
  return translating("list shares", async () => {
    const newestFirst = ["created_at_us", "id"].map((column) => ({ column, order: "desc" }));
    const query = inScopes(catalog.db("shares") as Knex.QueryBuilder, "path", scopes);
    return ((await query.orderBy(newestFirst).limit(PAGE).select(COLUMNS)) as Row[]).map(toShare);
  });
}

/** Once revoked it stays revoked, since then. Throws `not-found`. */
export function revokeShare(catalog: Catalog, id: string, actor: Actor): Promise<Share> {
  return translating("revoke a share", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const revoked = await trx("shares")
        .where({ id })
        .whereNull("revoked_at_us")
        .update({ revoked_at_us: catalog.clock.nowUs() });
      const [row] = (await trx("shares").where({ id }).select(COLUMNS)) as Row[];
      if (row === undefined) throw new AppError({ kind: "not-found", message: `no share has the id ${id}` });
      const share = toShare(row);
      if (revoked > 0) {
        const before = { ...share, revokedAtUs: null };
        await noteIn(trx, catalog, { actor, action: "share.revoke", target: `share:${id}`, before, after: share });
      }
      return share;
    }),
  );
}

/** Somebody opened its page. */
export function noteShareOpened(catalog: Catalog, { id, path }: Share, actor: Actor): Promise<void> {
  return translating("count the opening of a share", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      await trx("shares").where({ id }).increment("opened", 1).update({ last_opened_at_us: catalog.clock.nowUs() });
      await noteIn(trx, catalog, { actor, action: "share.open", target: `share:${id}`, after: { path } });
    }),
  );
}

const COLUMNS = [
  ...["id", "path", "from_us", "to_us", "label", "created_by", "created_at_us", "expires_at_us", "revoked_at_us"],
  ...["opened", "last_opened_at_us"],
];

interface Row {
  readonly id: string;
  readonly path: string;
  readonly from_us: number;
  readonly to_us: number;
  readonly label: string;
  readonly created_by: string;
  readonly created_at_us: number;
  readonly expires_at_us: number;
  readonly revoked_at_us: number | null;
  readonly opened: number;
  readonly last_opened_at_us: number | null;
}

function toShare(row: Row): Share {
  return {
    id: row.id,
    path: row.path as PathName,
    fromUs: row.from_us,
    toUs: row.to_us,
    label: row.label,
    createdBy: row.created_by,
    createdAtUs: row.created_at_us,
    expiresAtUs: row.expires_at_us,
    revokedAtUs: row.revoked_at_us,
    opened: row.opened,
    lastOpenedAtUs: row.last_opened_at_us,
  };
}
