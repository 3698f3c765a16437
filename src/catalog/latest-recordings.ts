/** The last recording of each path, by skipping from path to path through the clustered key, never by a full scan. */
import type { PathName } from "../core/path-name.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

export interface LatestRecording {
  readonly path: PathName;
  readonly startUs: number;
  readonly endUs: number;
}

export function listLatestRecordings(catalog: Catalog): Promise<LatestRecording[]> {
  return translating("list the last recording of each path", async () => {
    const latest: LatestRecording[] = [];
    for (let path: string | undefined = await nextPath(catalog, ""); path !== undefined;) {
      const rows = (await catalog
        .db("recordings")
        .where({ path })
        .orderBy("start_us", "desc")
        .limit(1)
        .select("start_us", "end_us")) as { start_us: number; end_us: number }[];
      for (const row of rows) latest.push({ path: path as PathName, startUs: row.start_us, endUs: row.end_us });
      path = await nextPath(catalog, path);
    }
    return latest;
  });
}

async function nextPath(catalog: Catalog, after: string): Promise<string | undefined> {
  const rows = (await catalog.db("recordings").where("path", ">", after).orderBy("path").limit(1).select("path")) as {
    path: string;
  }[];
  return rows[0]?.path;
}
