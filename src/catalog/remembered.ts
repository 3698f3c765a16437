/** What this machine wrote down to recognise its disk, its bucket, its clock and this database by. */
import { z } from "zod";

import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

/**
 * volumeId, storeId: markers · generation: high-water mark, also beside the recordings · latestUs: the latest instant ·
 * acceptedMissing: files that a person said may be missing, until the next scan · lastBackup: of this database, see
 * backup/last-backup · scrubKey: the object that the scrub read last · picturedTo: see
 * thumbnail-catch-up.ts.
 */
export type MemoryName =
  "volumeId" | "storeId" | "generation" | "latestUs" | "acceptedMissing" | "lastBackup" | "scrubKey" | "picturedTo";

export type Memory = Readonly<Partial<Record<MemoryName, string>>>;

const rowSchema = z.object({ name: z.string(), value: z.string() });

export function recall(catalog: Catalog): Promise<Memory> {
  return translating("recall what is known of disk and store", async () => {
    const rows = (await catalog.db("remembered").where({ node_id: catalog.nodeId })) as unknown[];
    const parsed = rows.map((raw) => rowSchema.parse(raw));
    return Object.fromEntries(parsed.map(({ name, value }) => [name, value]));
  });
}

export function remember(catalog: Catalog, memory: Memory): Promise<void> {
  return translating("remember what is known of disk and store", async () => {
    const rows = Object.entries(memory).map(([name, value]) => ({ node_id: catalog.nodeId, name, value }));
    await catalog.db("remembered").insert(rows).onConflict(["node_id", "name"]).merge(["value"]);
  });
}

export function forget(catalog: Catalog, name: MemoryName): Promise<void> {
  return translating("forget what was remembered", async () => {
    await catalog.db("remembered").where({ node_id: catalog.nodeId, name }).delete();
  });
}
