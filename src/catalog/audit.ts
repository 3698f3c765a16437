/** Who did what, to what, and what it was before: written with the change itself, never changed, never removed by us. */
import type { Knex } from "knex";

import type { Principal } from "../core/principal.js";
import { redactFields } from "../core/redact.js";
import type { Catalog } from "./catalog.js";
import { containsText } from "./contains-text.js";
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

export interface AuditFilter {
  /** Part of who, from where, action, target, or what it was before or after. */
  readonly search?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly fromUs?: number | undefined;
  readonly toUs?: number | undefined;
}

export interface AuditEntry {
  readonly id: number;
  readonly atUs: number;
  readonly actor: {
    readonly kind: string;
    readonly id: string;
    readonly name: string;
    readonly address: string | null;
  };
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * The newest first; `before`: those older than this id. Filters match whole values, an action also by its noun; a search
 * matches parts and looks at every row that is left, so that only a range or the page bounds it.
 */
export function listAudit(
  catalog: Catalog,
  filter: AuditFilter,
  page: { readonly limit: number; readonly before?: number | undefined },
): Promise<AuditEntry[]> {
  return translating("read the audit log", async () => {
    const query = catalog.db("audit") as Knex.QueryBuilder;
    if (filter.actor !== undefined) query.andWhere({ actor_name: filter.actor });
    if (filter.target !== undefined) query.andWhere({ target: filter.target });
    if (filter.action?.includes(".") === true) query.andWhere({ action: filter.action });
    else if (filter.action !== undefined) {
      query.andWhere("action", ">=", `${filter.action}.`).andWhere("action", "<", `${filter.action}/`);
    }
    if (filter.fromUs !== undefined) query.andWhere("at_us", ">=", filter.fromUs);
    if (filter.toUs !== undefined) query.andWhere("at_us", "<", filter.toUs);
    if (page.before !== undefined) query.andWhere("id", "<", page.before);
    const { search } = filter;
    if (search !== undefined) query.andWhere((any) => searchIn(any, catalog, storable(search)));
    return ((await query.orderBy("id", "desc").limit(page.limit)) as AuditRow[]).map(toEntry);
  });
}

const SEARCHED = ["actor_name", "address", "action", "target"];
const SEARCHED_JSON = ["before_json", "after_json"];

function searchIn(any: Knex.QueryBuilder, { db }: Catalog, text: string): void {
  for (const column of SEARCHED) any.orWhereRaw(containsText(db, column, text));
  // As it is written there.
  const escaped = JSON.stringify(text).slice(1, -1);
  for (const column of SEARCHED_JSON) any.orWhereRaw(containsText(db, column, escaped));
}

interface AuditRow {
  readonly id: number;
  readonly at_us: number;
  readonly actor_kind: string;
  readonly actor_id: string;
  readonly actor_name: string;
  readonly address: string | null;
  readonly action: string;
  readonly target: string;
  readonly before_json: string | null;
  readonly after_json: string | null;
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    atUs: row.at_us,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name, address: row.address },
    action: row.action,
    target: row.target,
    before: row.before_json === null ? null : JSON.parse(row.before_json),
    after: row.after_json === null ? null : JSON.parse(row.after_json),
  };
}
