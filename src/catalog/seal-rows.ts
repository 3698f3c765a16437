/**
 * Everything in the database that is sealed: proven to open at each start, sealed where an older release left it in
 * plain, sealed anew with another key. Each is one transaction, so that a crash leaves all of it as it was or all of it
 * done; only the file's pages are cleaned after it, which the next start does again until it was done once.
 */
import type { Knex } from "knex";

import { AppError } from "../core/errors.js";
import { faultPoint } from "../platform/fault-point.js";
import type { SecretBox } from "../platform/secret-box.js";
import { type Actor, noteIn } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { listConfigVersions, VERSION_CONTEXT } from "./config-history.js";
import { translating } from "./database.js";
import { dialectOf } from "./dialect.js";
import { pathContext, settingColumns } from "./path-row.js";
import { lockSealing, PROOF_CONTEXT, readProof } from "./sealing.js";
import { inWriteTransaction } from "./write-transaction.js";

const VERSIONS_AT_ONCE = 25;

/** Without the key that there was, something would be lost. */
export function holdsSealed({ db }: Pick<Catalog, "db">): Promise<boolean> {
  return translating("look for what is sealed", async () => {
    if ((await readProof(db)) !== undefined) return true;
    return (await db("config_versions").select("version").limit(1)).length > 0;
  });
}

/** How many paths had secrets in plain. Throws `UnreadableSecret` when the key is not the one of this database. */
export function sealRows(catalog: Catalog): Promise<number> {
  return translating("seal the secrets", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      await lockSealing(trx, catalog);
      await proveKey(trx, catalog);
      const plain = await findPlainRows(trx, catalog);
      for (const { name, settings } of plain) {
        await trx("paths")
          .where({ name })
          .update(settingColumns(catalog.sealing, name, settings));
      }
      if (plain.length > 0) await trx("sealing").update({ traces: 1 });
      await faultPoint("seal.in-rows");
      return plain.length;
    }),
  );
}

async function proveKey(trx: Knex.Transaction, catalog: Catalog): Promise<void> {
  const { box } = catalog.sealing;
  const proof = await readProof(trx);
  if (proof !== undefined) {
    box.open(proof, PROOF_CONTEXT);
    return;
  }
  const [version] = await listConfigVersions({ ...catalog, db: trx }, { limit: 1 });
  if (version !== undefined) box.open(version.sealed, VERSION_CONTEXT);
  await trx("sealing").insert({ only_row: 1, proof: box.seal("", PROOF_CONTEXT), traces: 0 });
}

async function findPlainRows(trx: Knex.Transaction, { sealing }: Catalog) {
  const rows = (await trx("paths").whereNull("secrets").select("name", "settings")) as {
    readonly name: string;
    readonly settings: string;
  }[];
  return rows
    .map(({ name, settings }) => ({ name, settings: JSON.parse(settings) as Record<string, unknown> }))
    .filter(({ settings }) => Object.entries(settings).some(([setting, value]) => sealing.isSecret(setting, value)));
}

/** What was plain once leaves the pages of the file as well. Throws while another process holds the database. */
export function eraseTraces(catalog: Catalog): Promise<void> {
  return translating("erase what was not sealed", async () => {
    const { db } = catalog;
    const [row] = (await db("sealing").select("traces")) as { readonly traces: number }[];
    if (row?.traces !== 1) return;
    await faultPoint("seal.before-erase");
    if (dialectOf(db) === "postgres") await db.raw("vacuum full paths");
    else {
      await db.raw("vacuum");
      const [log] = (await db.raw("pragma wal_checkpoint(truncate)")) as { readonly busy: number }[];
      if (log?.busy !== 0) throw new AppError({ kind: "unavailable", message: "somebody reads the database" });
    }
    await faultPoint("seal.after-erase");
    await db("sealing").update({ traces: 0 });
  });
}

export interface Resealed {
  readonly paths: number;
  readonly versions: number;
}

/** By the key of `by`, all of it: after this the other keys open nothing in this database. */
export function resealRows(catalog: Catalog, by: SecretBox, actor: Actor): Promise<Resealed> {
  return translating("seal the secrets anew", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      await lockSealing(trx, catalog);
      const sealed = anew(catalog.sealing.box, by);
      const resealed = { paths: await resealPaths(trx, sealed), versions: await resealVersions(trx, catalog, sealed) };
      await trx("sealing").update({ proof: by.seal("", PROOF_CONTEXT) });
      await noteIn(trx, catalog, { actor, action: "secrets.rotate", target: "config", after: resealed });
      await faultPoint("rotate.in-rows");
      return resealed;
    }),
  );
}

type Anew = (sealed: string, context: string) => string;

function anew(from: SecretBox, by: SecretBox): Anew {
  return (sealed, context) => by.seal(from.open(sealed, context), context);
}

async function resealPaths(trx: Knex.Transaction, sealed: Anew): Promise<number> {
  const rows = (await trx("paths").whereNotNull("secrets").select("name", "secrets")) as {
    readonly name: string;
    readonly secrets: string;
  }[];
  for (const { name, secrets } of rows) {
    await trx("paths")
      .where({ name })
      .update({ secrets: sealed(secrets, pathContext(name)) });
  }
  return rows.length;
}

async function resealVersions(trx: Knex.Transaction, catalog: Catalog, sealed: Anew): Promise<number> {
  let count = 0;
  for (let before: number | undefined; ;) {
    const page = await listConfigVersions({ ...catalog, db: trx }, { before, limit: VERSIONS_AT_ONCE });
    for (const { version, sealed: known } of page) {
      await trx("config_versions")
        .where({ version })
        .update({ sealed: sealed(known, VERSION_CONTEXT) });
    }
    count += page.length;
    before = page.at(-1)?.version;
    if (before === undefined) return count;
  }
}
