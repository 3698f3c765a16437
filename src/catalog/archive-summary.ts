/** What still has to reach the store. Reads only the backlog's own indexes, never a row that is done. */
import type { PathName } from "../core/path-name.js";
import type { RecordingId, Step } from "../core/recording.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

/**
 * A segment is in the backlog from its closing until the store has proven it. Word for word the condition of the index
 * `recordings_backlog`: SQLite uses a partial index only where it sees the words.
 */
const IN_BACKLOG = "step in ('inspect', 'archive')";
/** Of the index `recordings_failed`. */
const HAS_FAILED = "step is not null and error is not null";
const ERRORS_SHOWN = 10;
const KEPT_MS = 1_000;

export interface BacklogPart {
  readonly step: Extract<Step, "inspect" | "archive">;
  readonly segments: number;
  readonly bytes: number;
  readonly oldestStartUs: number;
}

export interface StepError {
  readonly id: RecordingId;
  readonly path: PathName;
  readonly step: Step | null;
  readonly error: string;
  readonly attempts: number;
  readonly nextAttemptAtUs: number;
  readonly updatedAtUs: number;
}

export function summarizeBacklog(catalog: Catalog): Promise<BacklogPart[]> {
  return translating("summarize the backlog", async () => {
    const rows = (await catalog
      .readDb("recordings")
      .where({ node_id: catalog.nodeId })
      .whereRaw(IN_BACKLOG)
      .groupBy("step")
      .select("step")
      .count({ segments: "*" })
      .sum({ bytes: "bytes" })
      .min({ oldest: "start_us" })) as {
      step: BacklogPart["step"];
      segments: unknown;
      bytes: unknown;
      oldest: unknown;
    }[];
    return rows.map((row) => ({
      step: row.step,
      segments: Number(row.segments),
      bytes: Number(row.bytes),
      oldestStartUs: Number(row.oldest),
    }));
  });
}

/**
 * The same for whoever asks often, as pages and monitoring do. Counting takes 15 ms per 100,000 segments, so from `many`
 * on the answer is kept for a second.
 */
export function createBacklogCount(catalog: Catalog, many = 10_000): () => Promise<readonly BacklogPart[]> {
  let kept: { readonly untilMs: number; readonly parts: readonly BacklogPart[] } | null = null;
  return async () => {
    const nowMs = catalog.clock.monotonicMs();
    if (kept !== null && nowMs < kept.untilMs) return kept.parts;
    const parts = await summarizeBacklog(catalog);
    const segments = parts.reduce((sum, part) => sum + part.segments, 0);
    kept = segments < many ? null : { untilMs: nowMs + KEPT_MS, parts };
    return parts;
  };
}

/** The latest failures of rows that are still in the queue. */
export function listStepErrors(catalog: Catalog): Promise<StepError[]> {
  return translating("list the last errors", async () => {
    const rows = (await catalog
      .readDb("recordings")
      .where({ node_id: catalog.nodeId })
      .whereRaw(HAS_FAILED)
      .orderBy("updated_at_us", "desc")
      .limit(ERRORS_SHOWN)
      .select("id", "path", "step", "error", "attempts", "next_attempt_at_us", "updated_at_us")) as ErrorRow[];
    return rows.map((row) => ({
      id: row.id,
      path: row.path,
      step: row.step,
      error: row.error,
      attempts: row.attempts,
      nextAttemptAtUs: row.next_attempt_at_us,
      updatedAtUs: row.updated_at_us,
    }));
  });
}

interface ErrorRow {
  id: RecordingId;
  path: PathName;
  step: Step | null;
  error: string;
  attempts: number;
  next_attempt_at_us: number;
  updated_at_us: number;
}
