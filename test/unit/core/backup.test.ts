import { describe, expect, it } from "vitest";

import {
  type Backup,
  backupKey,
  backupsToRemove,
  chooseBackup,
  isBackupDue,
  isBackupOverdue,
  parseBackup,
} from "../../../src/core/backup.js";
import { isHousekeepingKey } from "../../../src/core/object-key.js";

const DAY_US = 86_400_000_000;
const NOW_US = Date.UTC(2026, 10, 27, 6, 45, 12) * 1_000 + 123_456;
const SHA256 = "0123456789ab".padEnd(64, "0");

function backup(day: number, nodeId = "node-1"): Backup {
  const takenAtUs = NOW_US + day * DAY_US;
  return { key: backupKey("rec", { nodeId, takenAtUs, sha256: SHA256 }), nodeId, takenAtUs, bytes: 9 };
}

describe("the name of a backup", () => {
  it("holds machine and instant, and says both again", () => {
    const { key } = backup(0);
    expect(key).toBe("rec/~backup/node-1/20261127T064512.123456Z_0123456789ab.sqlite.gz");
    expect(parseBackup("rec", { key, bytes: 9 })).toEqual(backup(0));
    expect(isHousekeepingKey("rec", key)).toBe(true);
  });

  it.each([
    "rec/cam1/2026/11/27/20261127T064512.123456Z_0123456789ab-1.mp4",
    "rec/~backup/20261127T064512.123456Z_0123456789ab.sqlite.gz",
    "rec/~backup/node-1/20261127T064512.123456Z_0123456789ab.sqlite",
    "rec/~backup/node-1/20261327T064512.123456Z_0123456789ab.sqlite.gz",
    "rec/~backup/node-1/x/20261127T064512.123456Z_0123456789ab.sqlite.gz",
    "rec/~backup/node-1/20261127T064512.123456Z_0123456789ab.sqlite.gz.old",
    "other/~backup/node-1/20261127T064512.123456Z_0123456789ab.sqlite.gz",
  ])("is not %s", (key) => {
    expect(parseBackup("rec", { key, bytes: 9 })).toBeUndefined();
  });
});

describe("a backup is due", () => {
  it("when there is none, after the interval, and when the last one lies in the future", () => {
    const interval = DAY_US / 1_000;
    expect(isBackupDue(null, NOW_US, interval)).toBe(true);
    expect(isBackupDue(backup(-1), NOW_US - 1, interval)).toBe(false);
    expect(isBackupDue(backup(-1), NOW_US, interval)).toBe(true);
    expect(isBackupDue(backup(0), NOW_US - 1_000_000, interval)).toBe(false);
    expect(isBackupDue(backup(1), NOW_US, interval)).toBe(true);
  });

  it("and overdue after two days, or two longer intervals", () => {
    const dayMs = DAY_US / 1_000;
    expect(isBackupOverdue(NOW_US - 2 * DAY_US, NOW_US, dayMs / 24)).toBe(false);
    expect(isBackupOverdue(NOW_US - 2 * DAY_US - 1, NOW_US, dayMs / 24)).toBe(true);
    expect(isBackupOverdue(NOW_US - 13 * DAY_US, NOW_US, 7 * dayMs)).toBe(false);
    expect(isBackupOverdue(NOW_US - 15 * DAY_US, NOW_US, 7 * dayMs)).toBe(true);
  });
});

describe("which backups go", () => {
  it("are those of the same machine beyond the newest seven", () => {
    const days = Array.from({ length: 9 }, (_, day) => backup(day));
    const others = Array.from({ length: 9 }, (_, day) => backup(day, "node-2"));
    expect(backupsToRemove([...others, ...days.toReversed()], backup(8))).toEqual([backup(1), backup(0)]);
    expect(backupsToRemove(days.slice(2), backup(8))).toEqual([]);
  });

  it("is never the one that was just proven, however wrong the clock was", () => {
    const fromTheFuture = Array.from({ length: 8 }, (_, day) => backup(100 + day));
    expect(backupsToRemove([...fromTheFuture, backup(0)], backup(0))).toEqual([backup(100)]);
  });
});

describe("which backup is meant", () => {
  it("is the latest of this machine, or the one that is named", () => {
    const backups = [backup(0), backup(2), backup(1), backup(9, "node-2")];
    expect(chooseBackup(backups, "node-1", "latest")).toEqual(backup(2));
    expect(chooseBackup(backups, "node-1", backup(0).key)).toEqual(backup(0));
  });

  it("is never another machine's: its rows speak of other files", () => {
    const ofAnother = [backup(9, "node-2")];
    for (const at of ["latest", backup(9, "node-2").key]) {
      expect(() => chooseBackup(ofAnother, "node-1", at)).toThrow(/another machine.*node-2/);
    }
  });

  it("is said to be missing when there is none", () => {
    expect(() => chooseBackup([], "node-1", "latest")).toThrow(/no backup in the store/);
    expect(() => chooseBackup([backup(0)], "node-1", "rec/~backup/x")).toThrow(/no backup rec/);
  });
});
