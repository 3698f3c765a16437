/** What lies between a segment and the one before it on its path, kept in the row so that lists need no neighbours. */
import type { Knex } from "knex";

import { gapBetween } from "../core/continuity.js";
import type { PathName } from "../core/path-name.js";
import type { Recording } from "../core/recording.js";
import { recordingFromRow } from "./recording-row.js";

/**
 * Recomputes what lies before the segments that start at these instants, and before those that follow them. A segment
 * that moved needs both its old and its new start: its old neighbours meet now.
 */
export async function refreshGaps(trx: Knex, path: PathName, startsUs: readonly number[]): Promise<void> {
  for (const startUs of new Set(startsUs)) await refreshAround(trx, path, startUs);
}

async function refreshAround(trx: Knex, path: PathName, startUs: number): Promise<void> {
  const previous = (await inOrder(trx, path, "desc").andWhere("start_us", "<", startUs).limit(1)) as unknown[];
  const here = (await inOrder(trx, path, "asc").andWhere("start_us", startUs)) as unknown[];
  const next = (await inOrder(trx, path, "asc").andWhere("start_us", ">", startUs).limit(1)) as unknown[];
  let before = previous.map(recordingFromRow)[0];
  for (const recording of [...here, ...next].map(recordingFromRow)) {
    await storeGap(trx, before, recording);
    before = recording;
  }
}

/** The segments that count: not what is no media, nor what only a hook spoke of and nobody ever saw. */
function inOrder(trx: Knex, path: PathName, direction: "asc" | "desc"): Knex.QueryBuilder {
  return trx("recordings")
    .where({ path })
    .whereNot({ local: "quarantined" })
    .whereRaw("not (local = 'missing' and archive = 'none' and file_identity is null)")
    .orderBy([
      { column: "start_us", order: direction },
      { column: "id", order: direction },
    ]);
}

async function storeGap(trx: Knex, previous: Recording | undefined, next: Recording): Promise<void> {
  const gap = previous === undefined ? undefined : gapBetween(previous, next);
  if (next.gapBeforeUs === (gap?.gapUs ?? null) && next.missingBefore === (gap?.missing ?? 0)) return;
  await trx("recordings")
    .where({ path: next.path, start_us: next.startUs, id: next.id })
    .update({ gap_before_us: gap?.gapUs ?? null, missing_before: gap?.missing ?? 0 });
}
