/** Who did what, to what, and what it was before: written with the change itself, never changed, never removed by us. */
import type { Knex } from "knex";

import type { Principal } from "../core/principal.js";
import { redactFields } from "../core/redact.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { storable } from "./recording-row.js";

/** Who is told of in the log: a principal and where the request came from. */
export interface Actor extends Pick<Principal, "kind" | "id" | "name"> {
  readonly address: string | null;
}

/** What Reelkeeper does by itself, and what its commands do. */
export const REELKEEPER: Actor = { kind: "machine", id: "reelkeeper", name: "Reelkeeper", address: null };

export interface AuditNote {
  readonly actor: Actor;
  /** `noun.verb`, as in `path.update`, `user.create`, `clip.download`. */
  readonly action: string;
  /** A path, or `user:anna`, `token:ID`, `share:ID`, `config`. */
  readonly target: string;
  /** What it was; null: there was nothing. Secrets are masked by their field names, and must not be in here. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** In the transaction of the change: both are there or neither. */
export async function noteIn(trx: Knex.Transaction | Knex, catalog: Catalog, note: AuditNote): Promise<void> {
  const { actor, action, target, before, after } = note;
  await trx("audit").insert({
    at_us: catalog.clock.nowUs(),
    actor_kind: actor.kind,
    actor_id: storable(actor.id),
    actor_name: storable(actor.name),
    address: actor.address,
    action,
    target: storable(target),
    before_json: jsonOf(before),
    after_json: jsonOf(after),
  });
}

/** For what changes no row of ours: a download, a login that failed. */
export function noteAudit(catalog: Catalog, note: AuditNote): Promise<void> {
  return translating("write the audit log", () => noteIn(catalog.db, catalog, note));
}

function jsonOf(value: unknown): string | null {
  return value === undefined || value === null ? null : storable(JSON.stringify(redactFields("", value)));
}
