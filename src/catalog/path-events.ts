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

const NEWEST_FIRST: { column: string; order: string }[] = [
  { column: "at_us", order: "desc" },
  // The ids of one process grow, also within a clock tick.
  { column: "id", order: "desc" },
];

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

interface EventsRange {
  readonly path: PathName;
  /** [fromUs, toUs) */
  readonly fromUs: number;
  readonly toUs: number;
  readonly limit: number;
}

/** In order of time; of more than the limit the latest. */
export function listPathEvents(catalog: Catalog, { path, fromUs, toUs, limit }: EventsRange): Promise<PathEvent[]> {
  return translating("list the events of a path", async () => {
    const rows = (await catalog
      .readDb("path_events")
      .where({ path })
      .andWhere("at_us", ">=", fromUs)
      .andWhere("at_us", "<", toUs)
      .orderBy(NEWEST_FIRST)
      .limit(limit)) as unknown[];
    return rows.map(toEvent).reverse();
  });
}

/** The last event of a path; undefined when there was none. */
export function findLastPathEvent(catalog: Catalog, path: PathName): Promise<PathEvent | undefined> {
  return translating("find the last event of a path", async () => {
    const rows = (await catalog.readDb("path_events").where({ path }).orderBy(NEWEST_FIRST).limit(1)) as unknown[];
    return rows[0] === undefined ? undefined : toEvent(rows[0]);
  });
}

function toEvent(found: unknown): PathEvent {
  const row = rowSchema.parse(found);
  return {
    path: row.path as PathName,
    kind: row.kind,
    atUs: row.at_us,
    sourceType: row.source_type,
    sourceId: row.source_id,
  };
}
