/** Which proven local copies may go before their time, when the disk is nearly full. */
import type { RecordingId } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

export interface ReleasableCopy {
  readonly id: RecordingId;
  readonly bytes: number;
}

const PAGE = 200;

/**
 * Proven and waiting for their time, oldest first, without those named. NOTE: a hold ("do not expire" mark), once there
 * is one, excludes its recordings here and in the release step.
 */
export function listReleasable(catalog: Catalog, except: ReadonlySet<RecordingId>): Promise<ReleasableCopy[]> {
  return translating("list what may be released early", async () => {
    const rows = (await catalog
      .db("recordings")
      .where({ node_id: catalog.nodeId, step: "release", local: "present", archive: "verified" })
      .whereNull("lease_owner")
      .whereNotIn("path", catalog.db("paths").where({ archive: "none" }).select("name"))
      .orderBy(["start_us", "id"])
      .limit(PAGE + except.size)
      .select("id", "bytes")) as { id: RecordingId; bytes: number | string }[];
    return rows.filter(({ id }) => !except.has(id)).map(({ id, bytes }) => ({ id, bytes: Number(bytes) }));
  });
}

/** The release step does the rest: it asks the store again, looks at the file again, and may refuse. */
export function releaseNow(catalog: Catalog, ids: readonly RecordingId[]): Promise<number> {
  return translating("release early", () =>
    catalog
      .db("recordings")
      .whereIn("id", ids)
      .where({ step: "release", local: "present", archive: "verified" })
      .whereNull("lease_owner")
      .update({ next_attempt_at_us: catalog.clock.nowUs() }),
  );
}

/** Of these recordings: how much is still on disk. */
export function bytesOnDisk(catalog: Catalog, ids: readonly RecordingId[]): Promise<number> {
  return translating("sum what is about to be released", async () => {
    if (ids.length === 0) return 0;
    const rows = (await catalog
      .db("recordings")
      .whereIn("id", ids)
      .whereIn("local", ["present", "trashed"])
      .sum({ bytes: "bytes" })) as { bytes: unknown }[];
    return Number(rows[0]?.bytes ?? 0);
  });
}
