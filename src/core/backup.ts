/**
 * Backups of the database in the store: how they are named, when one is due, which go, which one is meant. A name holds
 * the machine, whose rows it speaks of, and the instant: `{prefix}/~backup/{node}/{instant}_{sha}.sqlite.gz`.
 */
import { AppError, isAppError } from "./errors.js";
import { parseRfc3339, US_PER_MS } from "./instant.js";
import { stampOf } from "./object-key.js";

export interface Backup {
  readonly key: string;
  readonly nodeId: string;
  readonly takenAtUs: number;
  /** As it is stored. */
  readonly bytes: number;
}

const KEPT = 7;
const OVERDUE_US = 48 * 3_600_000_000;
/** A clock that NTP steps back by a little makes no backup due. */
const CLOCK_TOLERANCE_US = 300_000_000;

const NAME = /^([0-9a-zA-Z-]{1,64})\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{6})Z_[0-9a-f]{12}\.sqlite\.gz$/;

export function backupKey(prefix: string, facts: { nodeId: string; takenAtUs: number; sha256: string }): string {
  return `${backupFolder(prefix)}${facts.nodeId}/${stampOf(facts.takenAtUs)}_${facts.sha256.slice(0, 12)}.sqlite.gz`;
}

/** With the slash at its end. */
export function backupFolder(prefix: string): string {
  return `${prefix}/~backup/`;
}

/** Undefined: not one of ours, whatever it is. */
export function parseBackup(prefix: string, object: { readonly key: string; readonly bytes: number }) {
  const folder = backupFolder(prefix);
  const match = object.key.startsWith(folder) ? NAME.exec(object.key.slice(folder.length)) : null;
  if (match === null) return undefined;
  const [, nodeId = "", year, month, day, hour, minute, second] = match;
  try {
    const takenAtUs = parseRfc3339([year, month, day].join("-") + `T${[hour, minute, second].join(":")}Z`);
    return { key: object.key, nodeId, takenAtUs, bytes: object.bytes } satisfies Backup;
  } catch (error) {
    if (isAppError(error, "invalid-argument")) return undefined;
    throw error;
  }
}

/** Also when the last one lies in the future: the clock was set back. */
export function isBackupDue(last: Pick<Backup, "takenAtUs"> | null, nowUs: number, intervalMs: number): boolean {
  if (last === null) return true;
  return nowUs - last.takenAtUs >= intervalMs * US_PER_MS || last.takenAtUs - nowUs > CLOCK_TOLERANCE_US;
}

/** Two days, or two intervals where those are longer. */
export function isBackupOverdue(sinceUs: number, nowUs: number, intervalMs: number): boolean {
  return nowUs - sinceUs > Math.max(OVERDUE_US, 2 * intervalMs * US_PER_MS);
}

/** What goes once `proven` is proven: all of its machine but the newest seven; never itself, whatever the clock said. */
export function backupsToRemove(backups: readonly Backup[], proven: Pick<Backup, "key" | "nodeId">): Backup[] {
  return newestFirst(backups.filter(({ nodeId }) => nodeId === proven.nodeId))
    .slice(KEPT)
    .filter(({ key }) => key !== proven.key);
}

/** `at`: a key, or `latest`. Throws `not-found` and `failed-precondition` with what there is instead. */
export function chooseBackup(backups: readonly Backup[], nodeId: string, at: string): Backup {
  const ofNode = backups.filter((backup) => backup.nodeId === nodeId);
  const chosen = at === "latest" ? newestFirst(ofNode)[0] : backups.find(({ key }) => key === at);
  if (chosen?.nodeId === nodeId) return chosen;
  const others = [...new Set(backups.map((backup) => backup.nodeId))].filter((other) => other !== nodeId);
  if (chosen !== undefined || (at === "latest" && others.length > 0)) {
    throw new AppError({
      kind: "failed-precondition",
      message: `the backup is of another machine: this one is ${nodeId}, there are backups of ${others.join(", ")}`,
      hint: "a database speaks of the files of its machine; to be that machine from now on, set NODE_ID to its name",
    });
  }
  throw new AppError({
    kind: "not-found",
    message: at === "latest" ? "there is no backup in the store" : `there is no backup ${at}`,
    hint: "see what there is: reelkeeper restore --list",
  });
}

function newestFirst(backups: readonly Backup[]): Backup[] {
  return [...backups].sort((left, right) => right.takenAtUs - left.takenAtUs);
}
