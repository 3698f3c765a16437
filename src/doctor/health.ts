/**
 * What works and what does not, worst first, each with what to do. Only looks; repairs nothing.
 */
import { access, constants } from "node:fs/promises";

import { type DeletionStop, HINT_OF } from "../core/deletion-doubt.js";
import { diskLevel, type DiskSpace, usedPercent, type Watermarks } from "../core/disk-level.js";
import { describeError } from "../core/errors.js";
import { formatRfc3339 } from "../core/instant.js";
import { readDiskSpace } from "../platform/disk-space.js";

export interface HealthCheck {
  readonly name: string;
  /** fail: footage is at risk or nobody can watch · warn: will pass or is worth a look · ok */
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  readonly hint: string | null;
}

interface BackupReport {
  readonly last: { readonly key: string; readonly takenAtUs: number; readonly bytes: number } | null;
  readonly error: string | null;
  readonly isOverdue: boolean;
}

export interface HealthSources {
  readonly recordDir: string;
  /** Besides that of the recordings. */
  readonly otherDisks: readonly { readonly name: string; readonly directory: string }[];
  readonly diskMarks: Watermarks;
  /** Of a recordings disk above its high mark; null when it is not. */
  readonly diskRelief: () => { readonly helps: boolean; readonly message: string; readonly hint: string } | null;
  readonly pingDatabase: () => Promise<void>;
  readonly scan: () => { readonly error: string | null; readonly doubted: number; readonly finished: boolean };
  readonly store: () => { readonly description: string; readonly lastError: string | null };
  readonly mediamtx: () => {
    readonly version: string;
    readonly error: string | null;
    readonly configError: string | null;
    readonly pending: boolean;
    readonly drift: readonly { readonly where: string; readonly setting: string }[];
  };
  readonly deletionStops: () => readonly DeletionStop[];
  /** Of the database. */
  readonly backup: () => BackupReport | "of-operator" | "off";
  /** Null: switched off. */
  readonly scrub: () => { readonly damaged: number; readonly error: string | null } | null;
  /** Null: none since the start. */
  readonly secondsSinceHook: () => number | null;
  readonly secondsSinceSegment: () => number | null;
}

/** Hook and indexing of one segment lie closer together than this. */
const HOOK_TOLERANCE_SEC = 60;
const ORDER = { fail: 0, warn: 1, ok: 2 } as const;

export async function checkHealth(sources: HealthSources): Promise<HealthCheck[]> {
  const [database, recordDir, disks] = await Promise.all([
    checkDatabase(sources),
    checkRecordDir(sources),
    checkOtherDisks(sources),
  ]);
  const checks = [
    database,
    recordDir,
    disks,
    checkStore(sources),
    checkMediaMtx(sources),
    checkConfiguration(sources),
    checkScan(sources),
    checkHooks(sources),
    ...checkDeletions(sources),
    checkBackup(sources),
    checkScrub(sources),
  ];
  return checks.sort((left, right) => ORDER[left.status] - ORDER[right.status]);
}

async function checkDatabase(sources: HealthSources): Promise<HealthCheck> {
  try {
    await sources.pingDatabase();
    return ok("database", "answers");
  } catch (error) {
    return fail("database", describeError(error), "segments stay on disk and are indexed when it answers again");
  }
}

/** MediaMTX stops recording silently when the disk is full. */
async function checkRecordDir({ recordDir, diskMarks, diskRelief }: HealthSources): Promise<HealthCheck> {
  try {
    await access(recordDir, constants.R_OK | constants.W_OK | constants.X_OK);
    const space = await readDiskSpace(recordDir);
    const level = diskLevel(space, diskMarks);
    const message = `${inWords(space)} in ${recordDir}`;
    const relief = level === "high" || level === "full" ? diskRelief() : null;
    if (relief !== null) {
      const what = `${message}; ${relief.message}`;
      const isAlarm = !relief.helps || level === "full";
      return isAlarm ? fail("record-directory", what, relief.hint) : warn("record-directory", what, relief.hint);
    }
    if (level === "full") return fail("record-directory", message, MAKE_ROOM);
    return level === "ok" ? ok("record-directory", message) : warn("record-directory", message, MAKE_ROOM);
  } catch (error) {
    return fail("record-directory", describeError(error), "is the disk mounted, and may this user write to it?");
  }
}

const MAKE_ROOM = "free space on the disk, or shorten LOCAL_RETENTION";

async function checkOtherDisks({ otherDisks, diskMarks }: HealthSources): Promise<HealthCheck> {
  let worst = "ok" as "ok" | "warn" | "fail";
  const parts: string[] = [];
  for (const { name, directory } of otherDisks) {
    try {
      const space = await readDiskSpace(directory);
      const level = diskLevel(space, diskMarks);
      parts.push(`${name} ${inWords(space)}`);
      if (level === "full") worst = "fail";
      else if (level !== "ok" && worst === "ok") worst = "warn";
    } catch (error) {
      parts.push(`${name} cannot be told (${describeError(error)})`);
      if (worst === "ok") worst = "warn";
    }
  }
  const hint = "free space there; recordings stay where they are, and work goes on by itself";
  return { name: "disks", status: worst, message: parts.join(", "), hint: worst === "ok" ? null : hint };
}

function inWords(space: DiskSpace): string {
  return `${usedPercent(space).toFixed(0)} % full (${(space.availableBytes / 1e9).toFixed(1)} GB free)`;
}

function checkStore(sources: HealthSources): HealthCheck {
  const { description, lastError } = sources.store();
  if (lastError === null) return ok("store", description);
  return fail("store", `${description}: ${lastError}`, "nothing is lost: segments stay on disk and are tried again");
}

function checkMediaMtx(sources: HealthSources): HealthCheck {
  const { version, error } = sources.mediamtx();
  if (error === null) return ok("mediamtx", `version ${version} answers`);
  return fail("mediamtx", error, "see its log; MEDIAMTX_API_URL, user and password must fit an external server");
}

function checkConfiguration(sources: HealthSources): HealthCheck {
  const { configError, pending, drift } = sources.mediamtx();
  if (configError !== null) return fail("configuration", configError, "the last good configuration stays in force");
  if (pending) return warn("configuration", "a change is on its way to MediaMTX", null);
  if (drift.length === 0) return ok("configuration", "MediaMTX runs what the paths say");
  const settings = drift.slice(0, 5).map(({ where, setting }) => `${where} ${setting}`.trim());
  return fail(
    "configuration",
    `MediaMTX runs something else: ${settings.join(", ")}`,
    "was its file, its API or its MTX_ environment changed by someone else? Administration, Paths, Drift tells what differs, and there you decide (GET /api/v1/config/drift)",
  );
}

function checkScan(sources: HealthSources): HealthCheck {
  const { error, doubted, finished } = sources.scan();
  if (error !== null) return fail("scan", error, "the next scan tries again");
  if (doubted > 0) {
    return fail("scan", `${String(doubted)} files vanished at once`, "is the right disk mounted at RECORD_DIR?");
  }
  return finished ? ok("scan", "finished") : warn("scan", "the first scan is running", null);
}

function checkHooks(sources: HealthSources): HealthCheck {
  const segmentSec = sources.secondsSinceSegment();
  const hookSec = sources.secondsSinceHook();
  if (segmentSec === null) return ok("hooks", "no segment was recorded yet");
  if (hookSec !== null && hookSec <= segmentSec + HOOK_TOLERANCE_SEC) return ok("hooks", "arrive");
  return warn(
    "hooks",
    "segments are recorded, but no hook told of them",
    "they are found by watch and scan; to be told at once, check that MediaMTX can run the hook and reach this server",
  );
}

function checkDeletions(sources: HealthSources): HealthCheck[] {
  const stops = sources.deletionStops();
  if (stops.length === 0) return [ok("deletions", "nothing stands against them")];
  return stops.map(({ doubt, sinceUs, message }) =>
    fail("deletions", `nothing is removed since ${formatRfc3339(sinceUs)}: ${message}`, HINT_OF[doubt]),
  );
}

function checkBackup(sources: HealthSources): HealthCheck {
  const report = sources.backup();
  if (report === "of-operator") return ok("backup", "the database is PostgreSQL: its backups are yours (pg_dump)");
  if (report === "off") return ok("backup", "switched off by BACKUP_INTERVAL");
  const { last, error, isOverdue } = report;
  const message =
    last === null
      ? "the database was not backed up yet"
      : `of ${formatRfc3339(last.takenAtUs)}, ${(last.bytes / 1e6).toFixed(1)} MB, ${last.key}`;
  if (error !== null) return warn("backup", `${message}; the last attempt failed: ${error}`, BACKUP_HINT);
  return isOverdue ? warn("backup", message, BACKUP_HINT) : ok("backup", message);
}

function checkScrub(sources: HealthSources): HealthCheck {
  const report = sources.scrub();
  if (report === null) return ok("scrub", "switched off by SCRUB_DAYS");
  const { damaged, error } = report;
  if (damaged > 0) {
    const message = `${String(damaged)} archived copies were not what was proven, since the start`;
    return fail("scrub", message, "see the log for which; reelkeeper verify --full reads all others now");
  }
  if (error !== null)
    return warn("scrub", `archived copies cannot be read back: ${error}`, "it is tried again by itself");
  return ok("scrub", "archived copies are what was proven, as far as they were read back");
}

const BACKUP_HINT = "it is tried again by itself; to see what is wrong, run: reelkeeper backup";

function ok(name: string, message: string): HealthCheck {
  return { name, status: "ok", message, hint: null };
}

function warn(name: string, message: string, hint: string | null): HealthCheck {
  return { name, status: "warn", message, hint };
}

function fail(name: string, message: string, hint: string): HealthCheck {
  return { name, status: "fail", message, hint };
}
