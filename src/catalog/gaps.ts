/** What lies between a segment and the one before it on its path, kept in the row so that lists need no neighbours. */
import type { Knex } from "knex";
import { z } from "zod";

import { gapBetween } from "../core/continuity.js";
import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId } from "../core/recording.js";
import { positionOf } from "./recording-row.js";

/**
 * Recomputes what lies before the segments that start at these instants, and before those that follow them. A segment
 * that moved needs both its old and its new start: its old neighbours meet now.
 */
export async function refreshGaps(trx: Knex, path: PathName, startsUs: readonly number[]): Promise<void> {
  for (const startUs of new Set(startsUs)) await refreshAround(trx, path, startUs);
}

async function refreshAround(trx: Knex, path: PathName, startUs: number): Promise<void> {
  const parts = [
    inOrder(trx, path, "desc").andWhere("start_us", "<", startUs).limit(1),
    inOrder(trx, path, "asc").andWhere("start_us", startUs),
    inOrder(trx, path, "asc").andWhere("start_us", ">", startUs).limit(1),
  ].map((part, index) => trx.from(part.as(`part_${String(index)}`)).select(FACTS));
  const [previous, ...others] = parts;
  const rows = (await previous?.unionAll(others)) as unknown[];
  const around = rows.map(factsFromRow).toSorted((a, b) => a.startUs - b.startUs || (a.id < b.id ? -1 : 1));
  let before = around.find((recording) => recording.startUs < startUs);
  for (const recording of around.filter(({ startUs: ownUs }) => ownUs >= startUs)) {
    await storeGap(trx, before, recording);
    before = recording;
  }
}

/** What of a row decides about the gap before it and after it. */
type GapFacts = Pick<
  Recording,
  "id" | "path" | "startUs" | "endUs" | "position" | "partial" | "gapBeforeUs" | "missingBefore"
>;

const FACTS = [
  ...["id", "path", "start_us", "end_us", "stream_id", "segment_number", "partial", "gap_before_us"],
  "missing_before",
] as const;

const factsSchema = z.object({
  id: z.string(),
  path: z.string(),
  start_us: z.coerce.number(),
  end_us: z.coerce.number(),
  stream_id: z.string().nullable(),
  segment_number: z.coerce.number().nullable(),
  partial: z.union([z.boolean(), z.number()]),
  gap_before_us: z.coerce.number().nullable(),
  missing_before: z.coerce.number(),
});

function factsFromRow(value: unknown): GapFacts {
  const row = factsSchema.parse(value);
  return {
    id: row.id as RecordingId,
    path: row.path as PathName,
    startUs: row.start_us,
    endUs: row.end_us,
    position: positionOf(row),
    partial: Boolean(row.partial),
    gapBeforeUs: row.gap_before_us,
    missingBefore: row.missing_before,
  };
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
    ])
    .select(FACTS);
}

async function storeGap(trx: Knex, previous: GapFacts | undefined, next: GapFacts): Promise<void> {
  const gap = previous === undefined ? undefined : gapBetween(previous, next);
  if (next.gapBeforeUs === (gap?.gapUs ?? null) && next.missingBefore === (gap?.missing ?? 0)) return;
  await trx("recordings")
    .where({ path: next.path, start_us: next.startUs, id: next.id })
    .update({ gap_before_us: gap?.gapUs ?? null, missing_before: gap?.missing ?? 0 });
}
