/** The `paths` table: the truth about which paths there are and how they record. */
import type { Knex } from "knex";

import { AppError, errnoOf } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import type { PathScopes } from "../core/principal.js";
import { type AuditNote, noteIn } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { type ConfigChange, listConfigVersions, noteConfigChange } from "./config-history.js";
import { translating } from "./database.js";
import { columnsOf, type PathFacts, pathFromRow, type PathRow, saysTheSame } from "./path-row.js";
import { inScopes } from "./path-scope.js";
import { notePathCondition } from "./recording-conditions.js";
import { lockSealing } from "./sealing.js";
import { inWriteTransaction } from "./write-transaction.js";

/** Those that are open to these scopes, all without; in order of their names. */
export function listPaths(catalog: Catalog, scopes: PathScopes = []): Promise<PathRow[]> {
  return translating("list the paths", async () => {
    const query = inScopes(catalog.db("paths") as Knex.QueryBuilder, "name", scopes);
    const rows = (await query.orderBy("name")) as unknown[];
    return rows.map((row) => pathFromRow(catalog.sealing, row));
  });
}

export function findPath(catalog: Catalog, name: PathName): Promise<PathRow | undefined> {
  return translating("find a path", async () => {
    const rows = (await catalog.db("paths").where({ name }).limit(1)) as unknown[];
    return rows[0] === undefined ? undefined : pathFromRow(catalog.sealing, rows[0]);
  });
}

/** Throws `already-exists`. */
export function insertPath(catalog: Catalog, facts: PathFacts, change?: ConfigChange<PathRow>): Promise<PathRow> {
  return translating("add a path", async () => {
    const nowUs = catalog.clock.nowUs();
    try {
      await inWriteTransaction(catalog, [facts.name], async (trx) => {
        await lockSealing(trx, catalog);
        await trx("paths").insert({
          ...columnsOf(catalog.sealing, facts),
          ...{ created_at_us: nowUs, updated_at_us: nowUs },
        });
        await noteConditions(trx, catalog, facts);
        await noteChange(trx, catalog, { change, target: facts.name, after: facts });
      });
    } catch (error) {
      const isDuplicate = errnoOf(error) === "SQLITE_CONSTRAINT" || errnoOf(error) === "23505";
      if (!isDuplicate) throw error;
      throw new AppError({ kind: "already-exists", message: `a path named "${facts.name}" exists`, cause: error });
    }
    return { ...facts, group: facts.group ?? null, createdAtUs: nowUs, updatedAtUs: nowUs };
  });
}

/**
 * Throws `not-found`. With `before`: only while the row still says exactly that, false when it does not, so that two who
 * read, merge and write at the same time lose nothing of one another.
 */
export function updatePath(
  catalog: Catalog,
  facts: PathFacts,
  { before, change }: { readonly before?: PathFacts; readonly change?: ConfigChange<PathRow> } = {},
): Promise<boolean> {
  return translating("change a path", async () => {
    const isChanged = await inWriteTransaction(catalog, [facts.name], async (trx) => {
      await lockSealing(trx, catalog);
      const now = await findPath({ ...catalog, db: trx }, facts.name);
      if (now === undefined || (before !== undefined && !saysTheSame(now, before))) return false;
      await storeRow(trx, catalog, facts);
      await noteConditions(trx, catalog, facts);
      await noteChange(trx, catalog, { change, target: facts.name, before, after: facts });
      return true;
    });
    if (!isChanged && before === undefined) throw unknownPath(facts.name);
    return isChanged;
  });
}

/** Throws `not-found`. Recordings of the path stay. */
export function deletePath(catalog: Catalog, name: PathName, change?: ConfigChange<PathRow>): Promise<void> {
  return translating("delete a path", async () => {
    await inWriteTransaction(catalog, [name], async (trx) => {
      const before = await findPath({ ...catalog, db: trx }, name);
      const deleted = await trx("paths").where({ name }).delete();
      if (deleted === 0) throw unknownPath(name);
      // Who publishes to it all the same is recorded as MediaMTX's defaults say.
      await noteConditions(trx, catalog, { name, enabled: true, settings: {} });
      await noteChange(trx, catalog, { change, target: name, before });
    });
  });
}

/** Makes the table hold these paths and no others, in one transaction. The number of the version that this is. */
export function replacePaths(
  catalog: Catalog,
  wanted: readonly PathFacts[],
  change: ConfigChange<PathRow>,
): Promise<number> {
  return translating("put paths back", async () => {
    const known = await listPaths(catalog);
    const names = [...known, ...wanted].map(({ name }) => name);
    return inWriteTransaction(catalog, names, async (trx) => {
      await lockSealing(trx, catalog);
      const inside = { ...catalog, db: trx };
      const now = new Map((await listPaths(inside)).map((row) => [row.name, row]));
      for (const facts of wanted) await putRow(trx, catalog, { facts, known: now.get(facts.name) });
      const kept = new Set(wanted.map(({ name }) => name));
      for (const name of now.keys()) {
        if (kept.has(name)) continue;
        await trx("paths").where({ name }).delete();
        await noteConditions(trx, catalog, { name, enabled: true, settings: {} });
      }
      return noteConfigChange(trx, catalog, { ...change, target: "config", paths: await listPaths(inside) });
    });
  });
}

/** What is as it shall be stays untouched. */
async function putRow(
  trx: Knex.Transaction,
  catalog: Catalog,
  { facts, known }: { readonly facts: PathFacts; readonly known: PathRow | undefined },
): Promise<void> {
  if (known !== undefined && saysTheSame(known, facts)) return;
  if (known !== undefined) await storeRow(trx, catalog, facts);
  else {
    const nowUs = catalog.clock.nowUs();
    const times = { created_at_us: nowUs, updated_at_us: nowUs };
    await trx("paths").insert({ ...columnsOf(catalog.sealing, facts), ...times });
  }
  await noteConditions(trx, catalog, facts);
}

async function storeRow(trx: Knex.Transaction, catalog: Catalog, facts: PathFacts): Promise<void> {
  const { name, ...columns } = columnsOf(catalog.sealing, facts);
  await trx("paths")
    .where({ name })
    .update({ ...columns, updated_at_us: catalog.clock.nowUs() });
}

/** A version for what the table says now, whoever changed it; nothing when it is what the newest version says. */
export function noteConfigNow(catalog: Catalog, change: ConfigChange<PathRow>): Promise<void> {
  return translating("note the configuration", async () => {
    await inWriteTransaction(catalog, [], async (trx) => {
      await lockSealing(trx, catalog);
      const inside = { ...catalog, db: trx };
      const paths = await listPaths(inside);
      const sealed = await change.seal(paths);
      const [newest] = await listConfigVersions(inside, { limit: 1 });
      if (newest?.sha256 === sealed.sha256) return;
      await noteConfigChange(trx, catalog, { ...change, seal: () => Promise.resolve(sealed), target: "config", paths });
    });
  });
}

async function noteChange(
  trx: Knex.Transaction,
  catalog: Catalog,
  {
    change,
    ...of
  }: {
    readonly change: ConfigChange<PathRow> | undefined;
    readonly target: string;
    readonly before?: PathFacts | undefined;
    readonly after?: PathFacts;
  },
): Promise<void> {
  if (change === undefined) return;
  await lockSealing(trx, catalog);
  const [before, after] = [of.before, of.after].map((facts) => (facts === undefined ? facts : masked(catalog, facts)));
  const paths = await listPaths({ ...catalog, db: trx });
  await noteConfigChange(trx, catalog, { ...change, target: of.target, before, after, paths });
}

/** For the audit log. */
function masked({ sealing }: Catalog, facts: PathFacts): PathFacts {
  const shown = Object.entries(facts.settings).map(([name, value]) => [name, sealing.mask(name, value)] as const);
  return { ...facts, settings: Object.fromEntries(shown) };
}

/** What keeps the path from being recorded, for the timeline of later. */
async function noteConditions(
  trx: Knex,
  catalog: Catalog,
  { name, enabled, settings }: Pick<PathFacts, "name" | "enabled" | "settings">,
): Promise<void> {
  const note = { path: name, atUs: catalog.clock.nowUs() };
  await notePathCondition(trx, catalog, { ...note, condition: "disabled", holds: !enabled });
  await notePathCondition(trx, catalog, { ...note, condition: "recording-off", holds: settings["record"] === false });
}

export function unknownPath(name: string): AppError {
  return new AppError({ kind: "not-found", message: `no path is named "${name}"` });
}

export interface PathWrites {
  readonly created: readonly PathFacts[];
  readonly changed: readonly { readonly before: PathRow; readonly after: PathFacts }[];
  readonly removed: readonly PathRow[];
}

/**
 * All of it with its audit notes, or nothing. Throws `unavailable` when a row is no longer what it was when the changes
 * were made from it, `already-exists` for a new path that somebody else added.
 */
export function writePaths(
  catalog: Catalog,
  writes: PathWrites,
  { notes, change }: { readonly notes: readonly AuditNote[]; readonly change: ConfigChange<PathRow> },
): Promise<void> {
  const { created, changed, removed } = writes;
  const names = [...created, ...changed.map(({ after }) => after), ...removed].map(({ name }) => name);
  return translating("change paths", () =>
    inWriteTransaction(catalog, names, async (trx) => {
      await lockSealing(trx, catalog);
      const nowUs = catalog.clock.nowUs();
      for (const facts of created) {
        const added = await trx("paths")
          .insert({ ...columnsOf(catalog.sealing, facts), created_at_us: nowUs, updated_at_us: nowUs })
          .onConflict("name")
          .ignore()
          .returning("name");
        if (added.length === 0) throw takenMeanwhile(facts.name);
        await noteConditions(trx, catalog, facts);
      }
      for (const { before, after } of changed) {
        await assertUntouched(trx, catalog, before);
        await storeRow(trx, catalog, after);
        await noteConditions(trx, catalog, after);
      }
      for (const row of removed) {
        await assertUntouched(trx, catalog, row);
        await trx("paths").where({ name: row.name }).delete();
        await noteConditions(trx, catalog, { name: row.name, enabled: true, settings: {} });
      }
      for (const note of notes) await noteIn(trx, catalog, note);
      const paths = await listPaths({ ...catalog, db: trx });
      await noteConfigChange(trx, catalog, { ...change, target: "config", paths });
    }),
  );
}

async function assertUntouched(trx: Knex.Transaction, catalog: Catalog, before: PathFacts): Promise<void> {
  const now = await findPath({ ...catalog, db: trx }, before.name);
  if (now === undefined || !saysTheSame(now, before)) throw takenMeanwhile(before.name);
}

function takenMeanwhile(name: string): AppError {
  return new AppError({
    kind: "unavailable",
    message: `change paths: somebody else has changed "${name}" meanwhile, and nothing was written`,
    hint: "try again",
  });
}
