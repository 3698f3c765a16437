/**
 * The rows as a queue. A worker claims due rows under a lease, runs one step outside any transaction, and commits the
 * outcome in one. The lease is new for each claim and is the fencing token: whoever lost it cannot commit (F54), nor who
 * worked on a file that was found changed meanwhile, nor who would overrule a request to delete, not even when the same
 * process has claimed the row again. A row never leaves the queue by failing; it only comes back later.
 */
import { randomUUID } from "node:crypto";

import type { Knex } from "knex";

import { fullJitterMs } from "../core/back-off.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import type { Recording, Step } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { dialectOf } from "./dialect.js";
import { inGroupedWrite } from "./grouped-writes.js";
import { columnsOf, recordingFromRow, type RecordingPatch, storable } from "./recording-row.js";
import { insertRemoval, type Removal } from "./removals.js";
import { inWriteTransaction } from "./write-transaction.js";

export interface Claim {
  readonly steps: readonly Step[];
  readonly limit: number;
  readonly leaseMs: number;
  /** A name that no other claim has or had; default: a new one. */
  readonly leaseOwner?: string;
  /** Told when the next row is due instead; null: none waits. */
  readonly onNothingDue?: (nextDueAtUs: number | null) => void;
}

export interface Outcome {
  /** What the step found out or changed. `step` says what is due next, null for nothing. */
  readonly patch: RecordingPatch;
  /** Encoded fragment index, kept beside the row. */
  readonly fragmentIndex?: Uint8Array;
  /** It waits for its periodic pictures from now on. */
  readonly thumbnailsDue?: boolean;
}

export interface Progress {
  readonly patch: RecordingPatch;
  /** Written in the same transaction as the state that announces it. */
  readonly removal?: Removal;
}

export interface Failure {
  readonly error: string;
  /** The far side asked us to wait this long. */
  readonly retryAfterMs?: number | undefined;
}

/** Highest first. Event clips go before everyday segments. */
const PRIORITIES = [10, 0] as const;

/**
 * Due rows, highest priority first, now leased to this claim. When it throws, the claim may have been committed all the
 * same (F40): `releaseClaim` gives back what nobody would work on. Where nothing is due it is one read.
 */
export function claimDue(catalog: Catalog, claim: Claim): Promise<Recording[]> {
  return translating("claim due recordings", async () => {
    const nowUs = catalog.clock.nowUs();
    const lanesNow = await lookAtLanes(catalog, claim.steps);
    const due = lanesNow.filter(({ dueAtUs }) => dueAtUs <= nowUs);
    if (due.length > 0) return claimIn(catalog, due, claim);
    claim.onNothingDue?.(earliest(lanesNow));
    return [];
  });
}

function claimIn(catalog: Catalog, lanesDue: readonly Lane[], claim: Claim): Promise<Recording[]> {
  return inWriteTransaction(catalog, [], async (trx) => {
    const nowUs = catalog.clock.nowUs();
    const due: unknown[] = [];
    for (const lane of lanesDue) {
      if (due.length >= claim.limit) break;
      const query = inLane(catalog, trx, lane)
        .andWhere("next_attempt_at_us", "<=", nowUs)
        .orderBy("next_attempt_at_us")
        .limit(claim.limit - due.length);
      if (dialectOf(catalog.db) === "postgres") void query.forUpdate().skipLocked();
      due.push(...((await query) as unknown[]));
    }
    if (due.length === 0) return [];
    const leaseOwner = claim.leaseOwner ?? randomUUID();
    const recordings = due.map((row) => ({ ...recordingFromRow(row), leaseOwner }));
    await trx("recordings")
      .whereIn("id", idsOf(recordings))
      .update({ lease_owner: leaseOwner, lease_until_us: nowUs + claim.leaseMs * 1_000 });
    await faultPoint("queue.in-claim");
    return recordings;
  });
}

/** Commits an outcome and gives the row back. Throws `cancelled` when the lease went to somebody else meanwhile. */
export function commitStep(catalog: Catalog, recording: Recording, outcome: Outcome): Promise<void> {
  const { startUs, endUs, position, local } = outcome.patch;
  const movesTimeline =
    startUs !== undefined || endUs !== undefined || position !== undefined || local === "quarantined";
  return translating("commit a step", () =>
    inGroupedWrite(catalog, movesTimeline ? [recording.path] : [], async (trx, shared) => {
      const nowUs = catalog.clock.nowUs();
      await updateLeased(trx, recording, {
        attempts: 0,
        error: null,
        next_attempt_at_us: nowUs,
        ...columnsOf(outcome.patch),
        ...NO_LEASE,
        updated_at_us: nowUs,
      });
      await faultPoint("queue.in-commit");
      const { id, path } = recording;
      const { fragmentIndex, thumbnailsDue } = outcome;
      if (fragmentIndex !== undefined) shared.fragmentIndexes.push({ id, fragmentIndex });
      if (thumbnailsDue === true) shared.thumbnailsDue.push({ id, nodeId: catalog.nodeId, dueAtUs: nowUs });
      if (movesTimeline) shared.moved.push(recording, { path, startUs: startUs ?? recording.startUs });
    }),
  );
}

/** Commits an intermediate fact, with the removal that it announces, and keeps the lease. */
export function noteProgress(catalog: Catalog, recording: Recording, progress: Progress): Promise<void> {
  return translating("note progress", () =>
    inGroupedWrite(catalog, [], async (trx) => {
      const columns = { ...columnsOf(progress.patch), updated_at_us: catalog.clock.nowUs() };
      await updateLeased(trx, recording, columns);
      await faultPoint("queue.in-progress");
      if (progress.removal !== undefined) await insertRemoval(trx, catalog.clock, progress.removal);
    }),
  );
}

/**
 * Puts the row back with its error and a full-jitter delay (1 s to 15 min), or later when the far side asked so. Throws
 * `cancelled` when the lease went to somebody else meanwhile.
 */
export function postponeStep(catalog: Catalog, recording: Recording, failure: Failure): Promise<void> {
  return translating("postpone a step", async () => {
    const delayMs = Math.max(fullJitterMs(recording.attempts), failure.retryAfterMs ?? 0);
    const nowUs = catalog.clock.nowUs();
    await updateLeased(catalog.db, recording, {
      attempts: recording.attempts + 1,
      next_attempt_at_us: nowUs + Math.round(delayMs * 1_000),
      error: storable(failure.error.slice(0, 1_000)),
      ...NO_LEASE,
      updated_at_us: nowUs,
    });
  });
}

/**
 * Of each of these paths a later segment has begun, at this instant: what was open before it is closed or left behind,
 * and is looked at `inMs` from now. Reads only their open rows. How many these are.
 */
export function hastenSettling(
  catalog: Catalog,
  begunUs: ReadonlyMap<PathName, number>,
  inMs: number,
): Promise<number> {
  return translating("hasten open recordings", async () => {
    const open = (await catalog
      .db("recordings")
      .where({ node_id: catalog.nodeId, step: "settle" })
      .whereIn("path", [...begunUs.keys()])
      .select("id", "path", "start_us")) as { id: string; path: PathName; start_us: number }[];
    const earlier = open.filter(({ path, start_us: startUs }) => startUs < (begunUs.get(path) ?? -Infinity));
    if (earlier.length === 0) return 0;
    return catalog
      .db("recordings")
      .whereIn(
        "id",
        earlier.map(({ id }) => id),
      )
      .where({ step: "settle" })
      .update({ next_attempt_at_us: catalog.clock.nowUs() + inMs * 1_000 });
  });
}

/** Gives a row back untouched, for instance on shutdown. Nothing happens when its lease went to somebody else. */
export function giveBack(catalog: Catalog, { id, leaseOwner }: Recording): Promise<void> {
  return translating("give a row back", async () => {
    await catalog.db("recordings").where({ id, lease_owner: leaseOwner }).update(NO_LEASE);
  });
}

/** Gives back all rows of a claim whose outcome nobody heard of. */
export function releaseClaim(catalog: Catalog, leaseOwner: string): Promise<void> {
  return translating("give a claim back", async () => {
    await catalog
      .db("recordings")
      .where({ node_id: catalog.nodeId, lease_owner: leaseOwner })
      .whereNotNull("step")
      .update(NO_LEASE);
  });
}

/** At start, when this process is known to be the only one of its node: leases of the one before are void. */
export function releaseStaleLeases(catalog: Catalog): Promise<number> {
  return translating("release stale leases", () =>
    catalog
      .db("recordings")
      .where({ node_id: catalog.nodeId })
      .whereNotNull("step")
      .whereNotNull("lease_owner")
      .update(NO_LEASE),
  );
}

/** When the next row of these steps is due; null when none waits. */
export function nextDueAtUs(catalog: Catalog, steps: readonly Step[]): Promise<number | null> {
  return translating("look for the next due row", async () => {
    return earliest(await lookAtLanes(catalog, steps));
  });
}

function earliest(due: readonly { readonly dueAtUs: number }[]): number | null {
  return due.length === 0 ? null : Math.min(...due.map(({ dueAtUs }) => dueAtUs));
}

const NO_LEASE = { lease_owner: null, lease_until_us: null } as const;

/** Each (step, priority) is one range of the index `recordings_due`, in order of due time. */
interface Lane {
  readonly step: Step;
  readonly priority: number;
}

/** Priority before step before due time. */
function lanes(steps: readonly Step[]): Lane[] {
  return PRIORITIES.flatMap((priority) => steps.map((step) => ({ step, priority })));
}

/** When the first free row of each lane is due, of those that have one: in one statement, because workers ask all day. */
async function lookAtLanes(catalog: Catalog, steps: readonly Step[]): Promise<(Lane & { readonly dueAtUs: number })[]> {
  const { db } = catalog;
  const all = lanes(steps);
  const firsts = all.map((lane, index) =>
    db
      .from(
        inLane(catalog, db, lane)
          .orderBy("next_attempt_at_us")
          .limit(1)
          .select(db.raw(`${String(index)} as lane`), "next_attempt_at_us")
          .as("first_of_lane"),
      )
      .select("lane", "next_attempt_at_us"),
  );
  const [first, ...others] = firsts;
  if (first === undefined) return [];
  const rows = (await first.unionAll(others)) as { lane: number; next_attempt_at_us: number }[];
  const dueAtUs = new Map(rows.map((row) => [row.lane, row.next_attempt_at_us]));
  return all.flatMap((lane, index) => {
    const at = dueAtUs.get(index);
    return at === undefined ? [] : [{ ...lane, dueAtUs: at }];
  });
}

/** The rows of a lane that nobody works on. */
function inLane(catalog: Catalog, db: Knex, { step, priority }: Lane): Knex.QueryBuilder {
  return db("recordings")
    .where("node_id", catalog.nodeId)
    .where("step", step)
    .where("priority", priority)
    .whereRaw("(lease_owner is null or lease_until_us <= ?)", [catalog.clock.nowUs()]);
}

/** Throws `cancelled` when the row is no longer ours to change. */
async function updateLeased(db: Knex, recording: Recording, columns: Record<string, unknown>): Promise<void> {
  // A row that nobody claimed is nobody's to change; null would match one that nobody holds.
  if (recording.leaseOwner === null) throw leaseLost(recording);
  const query = db("recordings").where({ id: recording.id, lease_owner: recording.leaseOwner });
  if (recording.step !== "delete") void query.andWhereRaw("(step is null or step <> 'delete')");
  if ((await query.update(columns)) === 0) throw leaseLost(recording);
}

function idsOf(recordings: readonly Recording[]): string[] {
  return recordings.map(({ id }) => id);
}

function leaseLost(recording: Recording): AppError {
  return new AppError({
    kind: "cancelled",
    message: `commit a step of recording ${recording.id}: the row was changed or taken over meanwhile`,
  });
}
