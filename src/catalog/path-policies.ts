/** What a changed policy of a path means for rows that wait already. */
import type { PathName } from "../core/path-name.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

/** Proven local copies go `retentionMs` after their proof. */
export function rescheduleReleases(catalog: Catalog, path: PathName, retentionMs: number): Promise<number> {
  return translating("reschedule releases", () =>
    catalog
      .db("recordings")
      .where({ path, step: "release" })
      .update({ next_attempt_at_us: catalog.db.raw("verified_at_us + ?", [Math.round(retentionMs * 1_000)]) }),
  );
}

/** The path is archived from now on: so are the recordings that are here already. */
export function queueUnarchived(catalog: Catalog, path: PathName): Promise<number> {
  return translating("queue recordings for the archive", () =>
    catalog
      .db("recordings")
      .where({ path, local: "present" })
      .whereIn("archive", ["none", "uploading"])
      .whereNull("step")
      .update({ step: "inspect", attempts: 0, next_attempt_at_us: catalog.clock.nowUs() }),
  );
}
