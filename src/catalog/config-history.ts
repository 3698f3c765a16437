/**
 * What mediamtx.yml was meant to be, version by version. A version is written in the transaction that changes the rows of
 * `paths`, from those rows as they are inside it: of two admins who edit at once each finds the other's change in the
 * later version, and neither a version without its rows nor rows without their version survive a crash.
 */
import type { Knex } from "knex";
import { z } from "zod";

import { AppError } from "../core/errors.js";
import { faultPoint } from "../platform/fault-point.js";
import { type Actor, noteIn } from "./audit.js";
import type { Catalog } from "./catalog.js";
import { translating } from "./database.js";
import { storable } from "./recording-row.js";

type ConfigReason = "edit" | "rollback" | "adopt" | "import" | "start";

export interface SealedConfig {
  readonly sealed: string;
  /** Of the YAML, hex. */
  readonly sha256: string;
}

export interface ConfigVersion extends SealedConfig {
  readonly version: number;
  readonly atUs: number;
  readonly author: string;
  readonly reason: ConfigReason;
  /** One line for people, without secrets. */
  readonly summary: string;
}

/** `Row`: of the table of paths. */
export interface ConfigChange<Row> {
  readonly actor: Actor;
  readonly reason: ConfigReason;
  readonly summary: string;
  /** Of the audit log. */
  readonly action: string;
  /** Renders these rows; must not ask the catalog, which is waiting for it. */
  readonly seal: (paths: readonly Row[]) => Promise<SealedConfig>;
}

const MOST_CONFIG_VERSIONS = 500;
/** What a version is sealed for. */
export const VERSION_CONTEXT = "a version of the configuration";

const rowSchema = z
  .object({
    version: z.coerce.number(),
    at_us: z.coerce.number(),
    actor_name: z.string(),
    reason: z.enum(["edit", "rollback", "adopt", "import", "start"]),
    summary: z.string(),
    sha256: z.string(),
    sealed: z.string(),
  })
  .transform(({ at_us: atUs, actor_name: author, ...row }): ConfigVersion => ({ ...row, atUs, author }));

/** `paths`: all, as they are in this transaction, after `lockSealing`. */
export async function noteConfigChange<Row>(
  trx: Knex.Transaction,
  catalog: Catalog,
  of: ConfigChange<Row> & {
    readonly paths: readonly Row[];
    readonly target: string;
    readonly before?: unknown;
    readonly after?: unknown;
  },
): Promise<number> {
  const { actor, reason, action, target, before, after } = of;
  await faultPoint("edit.in-rows");
  const { sealed, sha256 } = await of.seal(of.paths);
  const summary = storable(of.summary);
  const [added] = (await trx("config_versions")
    .insert({
      ...{ at_us: catalog.clock.nowUs(), actor_id: storable(actor.id), actor_name: storable(actor.name) },
      ...{ reason, summary, sha256, sealed },
    })
    .returning("version")) as { readonly version: number | string }[];
  const version = Number(added?.version);
  const oldest = trx("config_versions")
    .select("version")
    .orderBy("version", "desc")
    .limit(1)
    .offset(MOST_CONFIG_VERSIONS);
  await trx("config_versions").where("version", "<=", oldest).delete();
  await noteIn(trx, catalog, { actor, action, target, before, after: after ?? { version, summary } });
  await faultPoint("edit.in-version");
  return version;
}

/** The newest first; `before`: those older than this one. */
export function listConfigVersions(
  catalog: Catalog,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<ConfigVersion[]> {
  return translating("list the versions of the configuration", async () => {
    const query = catalog.db("config_versions").orderBy("version", "desc").limit(limit);
    const rows = (await (before === undefined ? query : query.where("version", "<", before))) as unknown[];
    return rows.map((row) => rowSchema.parse(row));
  });
}

/** Throws `not-found`. */
export async function getConfigVersion(catalog: Catalog, version: number): Promise<ConfigVersion> {
  const [found] = await listConfigVersions(catalog, { before: version + 1, limit: 1 });
  if (found?.version === version) return found;
  throw new AppError({
    kind: "not-found",
    message: `there is no version ${String(version)} of the configuration`,
    hint: `the last ${String(MOST_CONFIG_VERSIONS)} are kept`,
  });
}
