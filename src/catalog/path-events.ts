/** When a path became ready and not ready, as MediaMTX's hooks told it. */
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";

import type { PathName } from "../core/path-name.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

export interface PathEvent {
  readonly path: PathName;
  readonly kind: "ready" | "not-ready";
  readonly atUs: number;
  /** MediaMTX's MTX_SOURCE_TYPE and MTX_SOURCE_ID. */
  readonly sourceType: string | null;
  readonly sourceId: string | null;
}

const rowSchema = z.object({
  path: z.string(),
  kind: z.enum(["ready", "not-ready"]),
  at_us: z.coerce.number(),
  source_type: z.string().nullable(),
  source_id: z.string().nullable(),
});

export function insertPathEvent(catalog: Catalog, event: PathEvent): Promise<void> {
  return translating("record a path event", async () => {
    await catalog.db("path_events").insert({
      id: uuidv7(),
      path: event.path,
      at_us: event.atUs,
      kind: event.kind,
      source_type: event.sourceType,
      source_id: event.sourceId,
    });
  });
}

/** The last event of a path; undefined when there was none. */
export function findLastPathEvent(catalog: Catalog, path: PathName): Promise<PathEvent | undefined> {
  return translating("find the last event of a path", async () => {
    const rows = (await catalog
      .db("path_events")
      .where({ path })
      .orderBy([
        { column: "at_us", order: "desc" },
        // The ids of one process grow, also within a clock tick.
        { column: "id", order: "desc" },
      ])
      .limit(1)) as unknown[];
    if (rows[0] === undefined) return undefined;
    const row = rowSchema.parse(rows[0]);
    return {
      path: row.path as PathName,
      kind: row.kind,
      atUs: row.at_us,
      sourceType: row.source_type,
      sourceId: row.source_id,
    };
  });
}
