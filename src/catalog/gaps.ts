/** What lies between a segment and the one before it on its path, kept in the row so that lists need no neighbours. */
import type { Knex } from "knex";
import { z } from "zod";

import { gapBetween } from "../core/continuity.js";
import type { PathName } from "../core/path-name.js";
import type { Recording, RecordingId } from "../core/recording.js";
import { type RawRows, rowsOf } from "./dialect.js";
import { positionOf } from "./recording-row.js";
import { type Place, type Stretch, stretchesOf } from "./stretches.js";

/** Three parts of a compound select each, of which SQLite takes 500. */
const STRETCHES_AT_ONCE = 100;

/**
 * Recomputes what lies before the segments that start at these places, and before those that follow them. A segment
 * that moved needs both its old and its new start: its old neighbours meet now.
 */
export async function refreshGaps(trx: Knex, places: readonly Place[]): Promise<void> {
  const stretches = stretchesOf(places);
  for (let first = 0; first < stretches.length; first += STRETCHES_AT_ONCE) {
    await refreshAround(trx, stretches.slice(first, first + STRETCHES_AT_ONCE));
  }
}

async function refreshAround(trx: Knex, stretches: readonly Stretch[]): Promise<void> {
  const rows = await segmentsAround(trx, stretches);
  const changes = new Map<RecordingId, Change>();
  for (const [number, { firstUs }] of stretches.entries()) {
    const around = rows
      .filter(({ stretch }) => stretch === number)
      .toSorted((a, b) => a.startUs - b.startUs || (a.id < b.id ? -1 : 1));
    for (const [index, recording] of around.entries()) {
      if (recording.startUs < firstUs) continue;
      const change = changeOf(around[index - 1], recording);
      if (change !== undefined) changes.set(recording.id, change);
    }
  }
  if (changes.size > 0) await storeGaps(trx, [...changes.values()]);
}

/** What of a row decides about the gap before it and after it. */
interface GapFacts extends Pick<
  Recording,
  "id" | "path" | "startUs" | "endUs" | "position" | "partial" | "gapBeforeUs" | "missingBefore"
> {
  /** Index of the stretch that it was read for. */
  readonly stretch: number;
}

const FACTS = "id, path, start_us, end_us, stream_id, segment_number, partial, gap_before_us, missing_before" as const;

const factsSchema = z.object({
  stretch: z.coerce.number(),
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
    stretch: row.stretch,
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
const COUNTED = `local <> 'quarantined' and not (local = 'missing' and archive = 'none' and file_identity is null)`;

/** The one before each stretch, all of it, and the one after it. */
async function segmentsAround(trx: Knex, stretches: readonly Stretch[]): Promise<GapFacts[]> {
  const bindings: (string | number)[] = [];
  const parts = stretches.flatMap(({ path, firstUs, lastUs }, number) => {
    const select = `select ${String(number)} as stretch, ${FACTS} from recordings where path = ? and ${COUNTED}`;
    bindings.push(path, firstUs, path, firstUs, lastUs, path, lastUs);
    return [
      `select * from (${select} and start_us < ? order by start_us desc, id desc limit 1) as before_${String(number)}`,
      `${select} and start_us between ? and ?`,
      `select * from (${select} and start_us > ? order by start_us, id limit 1) as after_${String(number)}`,
    ];
  });
  const answer = (await trx.raw(parts.join("\nunion all\n"), bindings)) as RawRows<unknown>;
  return rowsOf(answer).map(factsFromRow);
}

interface Change {
  readonly id: RecordingId;
  readonly path: PathName;
  readonly startUs: number;
  readonly gapUs: number | null;
  readonly missing: number;
}

function changeOf(previous: GapFacts | undefined, next: GapFacts): Change | undefined {
  const gap = previous === undefined ? undefined : gapBetween(previous, next);
  const [gapUs, missing] = [gap?.gapUs ?? null, gap?.missing ?? 0];
  if (next.gapBeforeUs === gapUs && next.missingBefore === missing) return undefined;
  const { id, path, startUs } = next;
  return { id, path, startUs, gapUs, missing };
}

async function storeGaps(trx: Knex, changes: readonly Change[]): Promise<void> {
  const values = changes.map(
    () => "(cast(? as text), cast(? as bigint), cast(? as text), cast(? as bigint), cast(? as bigint))",
  );
  await trx.raw(
    `with gaps (path, start_us, id, gap_us, missing) as (values ${values.join(", ")})
     update recordings set gap_before_us = gaps.gap_us, missing_before = gaps.missing
     from gaps where recordings.path = gaps.path and recordings.start_us = gaps.start_us and recordings.id = gaps.id`,
    changes.flatMap(({ path, startUs, id, gapUs, missing }) => [path, startUs, id, gapUs, missing]) as string[],
  );
}
