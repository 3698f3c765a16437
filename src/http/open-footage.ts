/** Footage as far as it is open to a caller: what is hidden is answered as what is not there. */
import { assertAllowed, opensPath, seesEveryPath } from "../access/policy.js";
import type { Catalog } from "../catalog/catalog.js";
import { findExport } from "../catalog/exports.js";
import { listRecordedPaths } from "../catalog/latest-recordings.js";
import { findRecording } from "../catalog/recordings.js";
import { AppError } from "../core/errors.js";
import type { Export, ExportId } from "../core/export.js";
import type { PathName } from "../core/path-name.js";
import type { Principal, Role, TimeRange } from "../core/principal.js";
import type { Recording, RecordingId } from "../core/recording.js";

export interface Asked<Id> {
  readonly id: Id;
  readonly caller: Principal;
  readonly role: Role;
  /** Only this much of it. */
  readonly range?: TimeRange;
}

interface Deps {
  readonly catalog: Catalog;
}

/** Throws `not-found`, and `permission-denied` for a time that is not open. */
export async function findOpenRecording({ catalog }: Deps, asked: Asked<RecordingId>): Promise<Recording> {
  const { id, caller, role, range } = asked;
  const recording = await findRecording(catalog, id);
  if (recording === undefined || !opensPath(caller.scopes, recording.path)) {
    throw new AppError({ kind: "not-found", message: `no recording has the id ${id}` });
  }
  assertAllowed(caller, role, { path: recording.path, range: range ?? spanOf(recording) });
  return recording;
}

/** Where the end of a recording is not known yet, it may be at any time. */
function spanOf({ startUs, endUs, local, mediaDurationUs }: Recording): TimeRange {
  const isEndKnown = local !== "open" && mediaDurationUs !== null;
  return { fromUs: startUs, toUs: isEndKnown ? endUs : Number.MAX_SAFE_INTEGER };
}

/** Throws `not-found`, and `permission-denied` for a time that is not open. */
export async function findOpenExport({ catalog }: Deps, { id, caller, role }: Asked<ExportId>): Promise<Export> {
  const found = await findExport(catalog, id);
  if (found === undefined || !opensPath(caller.scopes, found.path)) {
    throw new AppError({ kind: "not-found", message: `no export has the id ${id}` });
  }
  assertAllowed(caller, role, { path: found.path, range: { fromUs: found.fromUs, toUs: found.toUs } });
  return found;
}

/**
 * Which paths a list of recordings is of; undefined: of all. By name for whoever sees some only, so that each is one walk
 * of the index, whatever patterns they were granted.
 */
export async function openPaths(
  catalog: Catalog,
  { scopes }: Principal,
  asked: readonly PathName[] | undefined,
): Promise<readonly PathName[] | undefined> {
  if (asked !== undefined) return asked.filter((path) => opensPath(scopes, path));
  return seesEveryPath(scopes) ? undefined : listRecordedPaths(catalog, scopes);
}
