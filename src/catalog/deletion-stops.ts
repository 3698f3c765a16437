/** Why nothing may be removed on this machine, until a person says otherwise. Survives restarts. */
import { z } from "zod";

import { type DeletionStop, DOUBTS } from "../core/deletion-doubt.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

const rowSchema = z.object({
  doubt: z.enum(DOUBTS),
  since_us: z.coerce.number(),
  message: z.string(),
  evidence: z.coerce.number().nullable(),
});

export function listDeletionStops(catalog: Catalog): Promise<DeletionStop[]> {
  return translating("list what stops deletions", async () => {
    const rows = (await catalog
      .db("deletion_stops")
      .where({ node_id: catalog.nodeId })
      .orderBy("since_us")) as unknown[];
    return rows.map((raw) => {
      const { doubt, since_us: sinceUs, message, evidence } = rowSchema.parse(raw);
      return { doubt, sinceUs, message, evidence };
    });
  });
}

/** Idempotent: one that holds already keeps its time, and tells what was seen last. */
export function insertDeletionStop(catalog: Catalog, stop: DeletionStop): Promise<void> {
  return translating("stop deletions", async () => {
    const { doubt, sinceUs, message, evidence } = stop;
    await catalog
      .db("deletion_stops")
      .insert({ node_id: catalog.nodeId, doubt, since_us: sinceUs, message, evidence })
      .onConflict(["node_id", "doubt"])
      .merge(["message", "evidence"]);
  });
}

export function deleteDeletionStop(catalog: Catalog, { doubt, sinceUs }: DeletionStop): Promise<void> {
  return translating("release a deletion stop", async () => {
    await catalog.db("deletion_stops").where({ node_id: catalog.nodeId, doubt, since_us: sinceUs }).delete();
  });
}
