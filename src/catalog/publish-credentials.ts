/** With what a path may be published to. A new password is a new credential: its id tells which sessions it began. */
import type { Knex } from "knex";

import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import type { PathScopes } from "../core/principal.js";
import { type Actor, noteIn } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { inScopes } from "./path-scope.js";
import { inWriteTransaction } from "./write-transaction.js";

export interface PublishCredential {
  readonly path: PathName;
  readonly id: string;
  readonly user: string;
  readonly passwordHash: string;
  readonly setAtUs: number;
}

/** In place of the one before. */
export function setPublishCredential(
  catalog: Catalog,
  { path, id, user, passwordHash }: Omit<PublishCredential, "setAtUs">,
  actor: Actor,
): Promise<PublishCredential> {
  return translating("set a publish credential", () =>
    inWriteTransaction(catalog, [path], async (trx) => {
      const before = await findIn(trx, path);
      const made = { path, id, user, passwordHash, setAtUs: catalog.clock.nowUs() };
      await trx("publish_credentials").insert(rowOf(made)).onConflict("path").merge();
      const action = "publish-credential.set";
      await noteIn(trx, catalog, { actor, action, target: path, before: told(before), after: told(made) });
      return made;
    }),
  );
}

export function findPublishCredential(catalog: Catalog, path: PathName): Promise<PublishCredential | undefined> {
  return translating("find a publish credential", () => findIn(catalog.db, path));
}

/** By path, of those that are open to these scopes. */
export function listPublishCredentials(catalog: Catalog, scopes: PathScopes): Promise<PublishCredential[]> {
  return translating("list publish credentials", async () => {
    const query = inScopes(catalog.db("publish_credentials") as Knex.QueryBuilder, "path", scopes);
    return ((await query.orderBy("path")) as Row[]).map(fromRow);
  });
}

/** Nobody may publish to the path then. Throws `not-found`. */
export function removePublishCredential(catalog: Catalog, path: PathName, actor: Actor): Promise<void> {
  return translating("remove a publish credential", () =>
    inWriteTransaction(catalog, [path], async (trx) => {
      const before = await findIn(trx, path);
      if (before === undefined) {
        throw new AppError({ kind: "not-found", message: `nobody may publish to "${path}" as it is` });
      }
      await trx("publish_credentials").where({ path }).delete();
      await noteIn(trx, catalog, { actor, action: "publish-credential.remove", target: path, before: told(before) });
    }),
  );
}

async function findIn(db: Knex, path: PathName): Promise<PublishCredential | undefined> {
  const [row] = (await db("publish_credentials").where({ path })) as Row[];
  return row === undefined ? undefined : fromRow(row);
}

interface Row {
  readonly path: string;
  readonly id: string;
  readonly user_name: string;
  readonly password_hash: string;
  readonly set_at_us: number;
}

function rowOf({ path, id, user, passwordHash, setAtUs }: PublishCredential): Row {
  return { path, id, user_name: user, password_hash: passwordHash, set_at_us: setAtUs };
}

function fromRow(row: Row): PublishCredential {
  return {
    path: row.path as PathName,
    id: row.id,
    user: row.user_name,
    passwordHash: row.password_hash,
    setAtUs: row.set_at_us,
  };
}

function told(credential: PublishCredential | undefined) {
  return credential === undefined ? null : { user: credential.user, id: credential.id };
}
