/** I1: where is each file that MediaMTX created? */
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";

import { type AuditFacts, type CheckResult, trashFile } from "./facts.js";
import type { RecordingRow } from "./rows.js";

type Place = "local" | "archived" | "trashed" | "quarantined" | "deleted";

/** Steps after which nothing more happens by itself until a date. */
const STEPS_AT_REST = [null, "release"];
const ON_DISK_STATES = ["open", "present", "quarantined"];

export async function checkCreatedFiles(facts: AuditFacts): Promise<CheckResult<Place | "created">> {
  const violations: string[] = [];
  // The removal is written before the rename: a death in between leaves the file under its name.
  const onDiskStates = [...ON_DISK_STATES, ...(facts.quiescent ? [] : ["trashed"])];
  const counted = { created: 0, local: 0, archived: 0, trashed: 0, quarantined: 0, deleted: 0 };
  for (const [filePath, times] of timesCreated(facts, violations)) {
    counted.created += 1;
    const rows = facts.rows.recordings.filter((row) => row.file_path === filePath);
    const isOnDisk = await isFile(path.join(facts.recordDir, filePath));
    if (rows.length > times) violations.push(`I1 ${filePath}: created ${times} times, has ${rows.length} rows`);
    if (rows.length === 0) {
      const place = placeWithoutRow(facts, { filePath, isOnDisk });
      if (place === "quarantined") counted.quarantined += 1;
      else if (place !== undefined) violations.push(place);
    }
    // MediaMTX itself overwrote all but the last file of a name (F35).
    let overwritten = times - 1;
    for (const row of rows) {
      const place = await placeOf(facts, row, isOnDisk);
      if (place in counted) counted[place as Place] += 1;
      else if (row.local === "missing" && overwritten > 0) overwritten -= 1;
      else violations.push(`I1 ${filePath}: row ${row.id} ${place}`);
    }
    if (isOnDisk && rows.length > 0 && !rows.some(({ local }) => onDiskStates.includes(local))) {
      violations.push(`I1 ${filePath}: is on disk, and its rows say ${rows.map(({ local }) => local).join(", ")}`);
    }
  }
  violations.push(...(await strangersInTrash(facts)), ...(facts.quiescent ? unrest(facts) : []));
  return { violations, counted };
}

function timesCreated(facts: AuditFacts, violations: string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const created of facts.createdFiles) {
    const relative = path.relative(facts.recordDir, path.resolve(facts.recordDir, created));
    if (relative.startsWith("..")) violations.push(`I1 ${created}: was created outside ${facts.recordDir}`);
    else times.set(relative, (times.get(relative) ?? 0) + 1);
  }
  return times;
}

interface Lonely {
  readonly filePath: string;
  readonly isOnDisk: boolean;
}

function placeWithoutRow(facts: AuditFacts, { filePath, isOnDisk }: Lonely): string | undefined {
  if (!isOnDisk) return `I1 ${filePath}: is gone, and no row knows it`;
  if (facts.rows.rejectedFiles.has(filePath)) return "quarantined";
  return facts.quiescent ? `I1 ${filePath}: is on disk, and no row knows it` : undefined;
}

/** The one place of the file, else what is wrong. */
async function placeOf(facts: AuditFacts, row: RecordingRow, isOnDisk: boolean): Promise<string> {
  const isArchived = row.archive === "verified" && row.object_key !== null && facts.objects.has(row.object_key);
  const wasRemoved = (what: string): boolean =>
    facts.rows.removals.some((removal) => removal.recording_id === row.id && removal.what === what);
  switch (row.local) {
    case "open":
    case "present":
      return isOnDisk ? "local" : `says ${row.local}, and the file is gone`;
    case "quarantined":
      return isOnDisk ? "quarantined" : "says quarantined, and the file is gone";
    case "trashed":
      // Renamed but not yet unlinked, or unlinked but not yet said so: both only after proof (I2).
      if (await isFile(path.join(facts.recordDir, trashFile(row)))) return "trashed";
      return isArchived || isOnDisk ? "trashed" : "says trashed, and neither trash nor bucket has the bytes";
    case "released":
      if (isArchived) return "archived";
      return wasRemoved("object") ? "deleted" : `says released, and the bucket has no verified object (${row.archive})`;
    case "deleted":
      return wasRemoved("local") || wasRemoved("object") ? "deleted" : "says deleted, and no removal tells of it";
    case "missing":
      return isArchived ? "archived" : "says missing, and nothing archived stands for it";
    default:
      return `has the unknown local state ${row.local}`;
  }
}

async function strangersInTrash(facts: AuditFacts): Promise<string[]> {
  const names = await readdir(path.join(facts.recordDir, ".reelkeeper/trash")).catch(() => []);
  const known = new Set(facts.rows.recordings.map((row) => path.basename(trashFile(row))));
  return names.filter((name) => !known.has(name)).map((name) => `I1 trash holds ${name}, and no row knows it`);
}

function unrest(facts: AuditFacts): string[] {
  return facts.rows.recordings
    .filter(
      (row) =>
        !STEPS_AT_REST.includes(row.step) || ["open", "trashed"].includes(row.local) || row.archive === "uploading",
    )
    .map(
      (row) => `I1 ${row.file_path}: all should be done, and the row is ${row.local}/${row.archive}/${row.step ?? ""}`,
    );
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isFile();
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
}
