/**
 * Which parts of rows are secrets, and the box that they lie in. Whoever seals holds one lock with all others who do, and
 * follows the key that `sealing.proof` names: so a rotation in another process misses nothing, and a key that it drops
 * seals nothing any more.
 */
import type { Knex } from "knex";

import type { SecretBox } from "../platform/secret-box.js";
import { dialectOf } from "./dialect.js";

export interface Sealing {
  readonly box: SecretBox;
  /** Of a path: is this value of this setting nothing for other eyes? */
  readonly isSecret: (setting: string, value: unknown) => boolean;
  /** As others may see it. */
  readonly mask: (setting: string, value: unknown) => unknown;
}

/** Any number that nobody else locks. */
const SEALING_LOCK = 7_205_759_404;
export const PROOF_CONTEXT = "the key of this database";

/** In a write transaction, before anything is sealed: one after the other, so that each sees what those before it wrote. */
export async function lockSealing(trx: Knex.Transaction, { sealing }: { readonly sealing: Sealing }): Promise<void> {
  if (dialectOf(trx) === "postgres") await trx.raw("select pg_advisory_xact_lock(?)", [SEALING_LOCK]);
  const proof = await readProof(trx);
  if (proof !== undefined) sealing.box.follow(proof);
}

/** Sealed by the newest key of all; undefined in a database that no start has opened yet. */
export async function readProof(db: Knex): Promise<string | undefined> {
  const [row] = (await db("sealing").select("proof")) as { readonly proof: string }[];
  return row?.proof;
}
