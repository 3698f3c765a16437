/** The `exports` table, which is also the queue of what is to be made. One process works on the rows of its node. */
import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import { AppError } from "../core/errors.js";
import type { Export, ExportId, ExportRequest, ExportState } from "../core/export.js";
import type { PathName } from "../core/path-name.js";
import type { PathScopes } from "../core/principal.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { inScopes } from "./path-scope.js";
import { storable } from "./recording-row.js";
import { inWriteTransaction } from "./write-transaction.js";

/** More than these wait for nobody. */
const MOST_WAITING = 100;
const PAGE = 200;
const UNDER_WAY: readonly ExportState[] = ["queued", "running"];
const OVER: readonly ExportState[] = ["failed", "cancelled", "deleted", "expired"];

/** Throws `resource-exhausted` when too many wait. */
export function insertExport(catalog: Catalog, request: ExportRequest): Promise<Export> {
  return translating("add an export", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const [waiting] = (await trx("exports")
        .where({ node_id: catalog.nodeId })
        .whereIn("state", UNDER_WAY)
        .count({ total: "*" })) as { total: number | string }[];
      if (Number(waiting?.total ?? 0) >= MOST_WAITING) {
        throw new AppError({
          kind: "resource-exhausted",
          message: `${String(MOST_WAITING)} exports wait already`,
          hint: "wait until some are done, or cancel some",
        });
      }
      const nowUs = catalog.clock.nowUs();
      const row = {
        id: uuidv7(),
        node_id: catalog.nodeId,
        path: request.path,
        from_us: request.fromUs,
        to_us: request.toUs,
        format: request.format,
        gaps: request.gaps,
        keep_us: request.keepUs,
        state: "queued",
        written_bytes: 0,
        attempts: 0,
        next_attempt_at_us: nowUs,
        created_at_us: nowUs,
        updated_at_us: nowUs,
      };
      await trx("exports").insert(row);
      return toExport({ ...NOTHING_YET, ...row } as Row);
    }),
  );
}

export function findExport(catalog: Catalog, id: ExportId): Promise<Export | undefined> {
  return translating("find an export", async () => {
    const [row] = (await catalog.db("exports").where({ id }).limit(1)) as Row[];
    return row === undefined ? undefined : toExport(row);
  });
}

/** Of paths that are open to these scopes, the newest first. */
export function listExports(catalog: Catalog, scopes: PathScopes): Promise<Export[]> {
  return translating("list exports", async () => {
    const newestFirst = ["created_at_us", "id"].map((column) => ({ column, order: "desc" }));
    const query = inScopes(catalog.db("exports") as Knex.QueryBuilder, "path", scopes);
    return ((await query.orderBy(newestFirst).limit(PAGE)) as Row[]).map(toExport);
  });
}

/** The next one that is due, now running. */
export function claimExport(catalog: Catalog): Promise<Export | undefined> {
  return translating("claim an export", () =>
    inWriteTransaction(catalog, [], async (trx) => {
      const nowUs = catalog.clock.nowUs();
      const [row] = (await trx("exports")
        .where({ node_id: catalog.nodeId, state: "queued" })
        .andWhere("next_attempt_at_us", "<=", nowUs)
        .orderBy("next_attempt_at_us")
        .limit(1)) as Row[];
      if (row === undefined) return undefined;
      const changes = { state: "running" as const, written_bytes: 0, attempts: row.attempts + 1 };
      await trx("exports")
        .where({ id: row.id })
        .update({ ...changes, updated_at_us: nowUs });
      return toExport({ ...row, ...changes });
    }),
  );
}

/** At start, when this process is known to be the only one of its node: what ran was interrupted. */
export function requeueInterrupted(catalog: Catalog): Promise<number> {
  return translating("take interrupted exports up again", () =>
    catalog
      .db("exports")
      .where({ node_id: catalog.nodeId, state: "running" })
      .update({ state: "queued", next_attempt_at_us: catalog.clock.nowUs(), updated_at_us: catalog.clock.nowUs() }),
  );
}

export type ExportPatch = Partial<
  Pick<
    Export,
    | "state"
    | "writtenBytes"
    | "estimatedBytes"
    | "error"
    | "objectKey"
    | "bytes"
    | "sha256"
    | "startUs"
    | "endUs"
    | "expiresAtUs"
  > & { readonly nextAttemptAtUs: number }
>;

const COLUMNS = {
  state: "state",
  writtenBytes: "written_bytes",
  estimatedBytes: "estimated_bytes",
  error: "error",
  objectKey: "object_key",
  bytes: "bytes",
  sha256: "sha256",
  startUs: "start_us",
  endUs: "end_us",
  expiresAtUs: "expires_at_us",
  nextAttemptAtUs: "next_attempt_at_us",
} as const satisfies Record<keyof ExportPatch, string>;

/** Only while it is in one of these states; false: it is not any more. */
export function updateExport(
  catalog: Catalog,
  { id, states }: { readonly id: ExportId; readonly states: readonly ExportState[] },
  patch: ExportPatch,
): Promise<boolean> {
  return translating("change an export", async () => {
    const columns = Object.entries(patch).map(([fact, value]) => [
      COLUMNS[fact as keyof ExportPatch],
      typeof value === "string" ? storable(value) : value,
    ]);
    const changed = await catalog
      .db("exports")
      .where({ id })
      .whereIn("state", states)
      .update({ ...(Object.fromEntries(columns) as object), updated_at_us: catalog.clock.nowUs() });
    return changed > 0;
  });
}

/** Those whose result is to be removed: its time is over, or nobody wants it any more. */
export function listResultsToRemove(catalog: Catalog): Promise<Export[]> {
  return translating("list results of exports to remove", async () => {
    const rows = (await catalog
      .db("exports")
      .where({ node_id: catalog.nodeId })
      .whereNotNull("object_key")
      .andWhere((over) => {
        void over.whereIn("state", OVER).orWhere((expired) => {
          void expired.where({ state: "done" }).andWhere("expires_at_us", "<=", catalog.clock.nowUs());
        });
      })
      .limit(PAGE)) as Row[];
    return rows.map(toExport);
  });
}

/** When the next one is due; null when none waits. */
export function nextExportDueAtUs(catalog: Catalog): Promise<number | null> {
  return translating("look for the next export", async () => {
    const [row] = (await catalog
      .db("exports")
      .where({ node_id: catalog.nodeId, state: "queued" })
      .orderBy("next_attempt_at_us")
      .limit(1)
      .select("next_attempt_at_us")) as { next_attempt_at_us: number }[];
    return row?.next_attempt_at_us ?? null;
  });
}

/** As the table's own constraints let it be. */
interface Row {
  readonly id: string;
  readonly path: string;
  readonly from_us: number;
  readonly to_us: number;
  readonly format: Export["format"];
  readonly gaps: Export["gaps"];
  readonly keep_us: number;
  readonly state: ExportState;
  readonly written_bytes: number;
  readonly estimated_bytes: number | null;
  readonly attempts: number;
  readonly error: string | null;
  readonly object_key: string | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly start_us: number | null;
  readonly end_us: number | null;
  readonly expires_at_us: number | null;
  readonly created_at_us: number;
}

const NOTHING_YET = {
  estimated_bytes: null,
  error: null,
  object_key: null,
  bytes: null,
  sha256: null,
  start_us: null,
  end_us: null,
  expires_at_us: null,
};

function toExport(row: Row): Export {
  return {
    id: row.id as ExportId,
    path: row.path as PathName,
    fromUs: row.from_us,
    toUs: row.to_us,
    format: row.format,
    gaps: row.gaps,
    keepUs: row.keep_us,
    state: row.state,
    writtenBytes: row.written_bytes,
    estimatedBytes: row.estimated_bytes,
    attempts: row.attempts,
    error: row.error,
    objectKey: row.object_key,
    bytes: row.bytes,
    sha256: row.sha256,
    startUs: row.start_us,
    endUs: row.end_us,
    expiresAtUs: row.expires_at_us,
    createdAtUs: row.created_at_us,
  };
}
