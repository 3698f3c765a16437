/** When this machine last did anything that it wrote down. */
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { recall } from "./remembered.js";

/** The latest instant it remembers, or the end of what it recorded last; null when it never did anything. */
export async function findLastSignOfLife(catalog: Catalog): Promise<number | null> {
  const { latestUs } = await recall(catalog);
  return translating("find the last sign of life", async () => {
    const [row] = (await catalog
      .db("recordings")
      .where({ node_id: catalog.nodeId })
      // Holds for all: without it SQLite reads and sorts every row, and not the index by start from its end.
      .where("start_us", ">=", 0)
      .orderBy([
        { column: "start_us", order: "desc" },
        { column: "id", order: "desc" },
      ])
      .limit(1)
      .select("end_us")) as { end_us: number }[];
    const known = [latestUs === undefined ? null : Number(latestUs), row?.end_us ?? null].filter((us) => us !== null);
    return known.length === 0 ? null : Math.min(Math.max(...known), catalog.clock.nowUs());
  });
}
