/**
 * When something began and ceased that keeps a path from being recorded: it, or its recording, was switched off; the
 * machine's MediaMTX was down or its disk full. Written when it changes, so that a gap can say its cause much later.
 */
import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import type { Condition, ConditionChange } from "../core/gap-cause.js";
import type { PathName } from "../core/path-name.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";

export type PathCondition = Extract<Condition, "disabled" | "recording-off">;
export type MachineCondition = Extract<Condition, "server-down" | "disk-full">;

interface Note {
  readonly condition: PathCondition | MachineCondition;
  readonly holds: boolean;
  readonly atUs: number;
}

/** Says nothing that was said last; what was never said does not hold. */
export function noteMachineCondition(
  catalog: Catalog,
  note: Note & { readonly condition: MachineCondition },
): Promise<void> {
  return translating("note a condition of the machine", () =>
    noteChange(catalog.db, { ...note, path: null, nodeId: catalog.nodeId }),
  );
}

/** For the transaction that changes the settings of the path. */
export function notePathCondition(
  trx: Knex,
  { nodeId }: Pick<Catalog, "nodeId">,
  note: Note & { readonly condition: PathCondition; readonly path: PathName },
): Promise<void> {
  return noteChange(trx, { ...note, nodeId });
}

async function noteChange(
  db: Knex,
  { path, nodeId, condition, holds, atUs }: Note & { readonly path: PathName | null; readonly nodeId: string },
): Promise<void> {
  const [last] = (await db("recording_conditions")
    .where(path === null ? { path, node_id: nodeId, condition } : { path, condition })
    .orderBy(NEWEST_FIRST)
    .limit(1)
    .select("holds")) as { holds: boolean | number }[];
  if (Boolean(last?.holds ?? false) === holds) return;
  await db("recording_conditions").insert({ id: uuidv7(), node_id: nodeId, path, at_us: atUs, condition, holds });
}

/** When the machine's last change of this condition was, and what it was. */
export function findLastMachineCondition(
  catalog: Catalog,
  condition: MachineCondition,
): Promise<ConditionChange | undefined> {
  return translating("find the last condition of the machine", async () => {
    const [row] = (await catalog
      .db("recording_conditions")
      .where({ path: null, node_id: catalog.nodeId, condition })
      .orderBy(NEWEST_FIRST)
      .limit(1)) as ConditionRow[];
    return row === undefined ? undefined : toChange(row);
  });
}

export interface ConditionsRequest {
  readonly path: PathName;
  /** The machine that records the path. */
  readonly nodeId: string;
  readonly fromUs: number;
  readonly toUs: number;
}

/** In order of time, also from before the range: what holds in it may have begun long ago. */
export function listConditionChanges(catalog: Catalog, request: ConditionsRequest): Promise<ConditionChange[]> {
  return translating("list what kept a path from being recorded", async () => {
    const { path, nodeId, toUs } = request;
    const { readDb: db } = catalog;
    const ofPath = db("recording_conditions").where({ path }).andWhere("at_us", "<", toUs);
    const ofMachine = db("recording_conditions").where({ path: null, node_id: nodeId }).andWhere("at_us", "<", toUs);
    const [pathRows, machineRows, sourceRows] = [
      (await ofPath.orderBy(OLDEST_FIRST)) as ConditionRow[],
      (await ofMachine.orderBy(OLDEST_FIRST)) as ConditionRow[],
      await listSourceChanges(db, request),
    ];
    const changes = [...[...pathRows, ...machineRows].map(toChange), ...sourceRows];
    return changes.sort((left, right) => left.atUs - right.atUs);
  });
}

/** MediaMTX says that a source came and went (catalog/path-events.ts), at some cameras all day long. */
async function listSourceChanges(db: Knex, { path, fromUs, toUs }: ConditionsRequest): Promise<ConditionChange[]> {
  const ofPath = () => db("path_events").where({ path }).select("at_us", "kind");
  const before = (await ofPath().andWhere("at_us", "<", fromUs).orderBy(NEWEST_FIRST).limit(1)) as SourceRow[];
  const inside = (await ofPath().andWhereBetween("at_us", [fromUs, toUs]).orderBy(OLDEST_FIRST)) as SourceRow[];
  return [...before, ...inside].map(({ at_us: atUs, kind }) => ({
    atUs,
    condition: "source-offline",
    holds: kind === "not-ready",
  }));
}

interface SourceRow {
  readonly at_us: number;
  readonly kind: "ready" | "not-ready";
}

const OLDEST_FIRST = [{ column: "at_us" }, { column: "id" }];
const NEWEST_FIRST = OLDEST_FIRST.map(({ column }) => ({ column, order: "desc" }));

interface ConditionRow {
  readonly at_us: number;
  readonly condition: ConditionChange["condition"];
  readonly holds: boolean | number;
}

function toChange({ at_us: atUs, condition, holds }: ConditionRow): ConditionChange {
  return { atUs, condition, holds: Boolean(holds) };
}
