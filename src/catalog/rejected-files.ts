/** Files below the record directory that are no segments of MediaMTX: seen and told, never followed, never touched. */
import { z } from "zod";

import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

export interface RejectedFile {
  /** Relative; bytes that are no UTF-8 stand as \xNN. */
  readonly filePath: string;
  readonly reason: string;
  readonly bytes: number;
}

export interface SeenRejectedFile extends RejectedFile {
  readonly firstSeenAtUs: number;
  readonly lastSeenAtUs: number;
}

const rowSchema = z.object({
  file_path: z.string(),
  reason: z.string(),
  bytes: z.coerce.number(),
  first_seen_at_us: z.coerce.number(),
  last_seen_at_us: z.coerce.number(),
});

/** Idempotent. Returns whether the file was new or its reason changed, so that it is told once. */
export function recordRejectedFile(catalog: Catalog, file: RejectedFile): Promise<boolean> {
  return translating("record a rejected file", async () => {
    const nowUs = catalog.clock.nowUs();
    const known = await catalog
      .db("rejected_files")
      .where({ node_id: catalog.nodeId, file_path: file.filePath, reason: file.reason })
      .update({ bytes: file.bytes, last_seen_at_us: nowUs });
    if (known > 0) return false;
    await catalog
      .db("rejected_files")
      .insert({
        node_id: catalog.nodeId,
        file_path: file.filePath,
        reason: file.reason,
        bytes: file.bytes,
        first_seen_at_us: nowUs,
        last_seen_at_us: nowUs,
      })
      .onConflict(["node_id", "file_path"])
      .merge();
    return true;
  });
}

/** After a whole scan: what it has not seen is no longer there. */
export function forgetRejectedFiles(catalog: Catalog, lastSeenBeforeUs: number): Promise<number> {
  return translating("forget rejected files", () =>
    catalog
      .db("rejected_files")
      .where({ node_id: catalog.nodeId })
      .andWhere("last_seen_at_us", "<", lastSeenBeforeUs)
      .delete(),
  );
}

export function listRejectedFiles(catalog: Catalog, limit: number): Promise<SeenRejectedFile[]> {
  return translating("list rejected files", async () => {
    const rows = (await catalog
      .db("rejected_files")
      .where({ node_id: catalog.nodeId })
      .orderBy("file_path")
      .limit(limit)) as unknown[];
    return rows.map((raw) => {
      const row = rowSchema.parse(raw);
      return {
        filePath: row.file_path,
        reason: row.reason,
        bytes: row.bytes,
        firstSeenAtUs: row.first_seen_at_us,
        lastSeenAtUs: row.last_seen_at_us,
      };
    });
  });
}
