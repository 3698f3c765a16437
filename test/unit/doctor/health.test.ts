/** What /api/v1/health/details says of each thing that can be wrong, worst first. */
import path from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { checkHealth, type HealthCheck, type HealthSources } from "../../../src/doctor/health.js";
import { tempDir } from "../../support/temp-dir.js";

let well: HealthSources;

beforeEach(async () => {
  well = {
    recordDir: await tempDir(),
    pingDatabase: () => Promise.resolve(),
    scan: () => ({ error: null, doubted: 0, finished: true }),
    store: () => ({ description: "/bucket", lastError: null }),
    mediamtx: () => ({ version: "1.21.0", error: null, configError: null, pending: false, drift: [] }),
    otherDisks: [],
    diskMarks: { warnPercent: 101, highPercent: 101, fullPercent: 101 },
    diskRelief: () => null,
    deletionStops: () => [],
    backup: () => ({ last: null, error: null, isOverdue: false }),
    scrub: () => ({ damaged: 0, error: null }),
    secondsSinceHook: () => 3,
    secondsSinceSegment: () => 2,
  };
});

async function check(changes: Partial<HealthSources>, name: string): Promise<HealthCheck> {
  const found = (await checkHealth({ ...well, ...changes })).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no check ${name}`);
  return found;
}

const BACKUP = { key: "rec/~backup/x", takenAtUs: Date.UTC(2026, 10, 20) * 1_000, bytes: 5_000_000 };
const NEVER = { warnPercent: 101, highPercent: 101, fullPercent: 101 };
const FULL = { warnPercent: 0, highPercent: 0, fullPercent: 0 };
const MEDIAMTX = { version: "1.21.0", error: null, configError: null, pending: false, drift: [] };

describe("health", () => {
  it("is ok in every part when all is well, without hints", async () => {
    const checks = await checkHealth(well);
    expect(checks.map(({ status }) => status)).toEqual(checks.map(() => "ok"));
    expect(checks.map(({ hint }) => hint)).toEqual(checks.map(() => null));
  });

  it("leaves backups of PostgreSQL to the operator, and says so", async () => {
    expect(await check({ backup: () => "of-operator" }, "backup")).toMatchObject({
      ...{ status: "ok", message: expect.stringContaining("pg_dump") as string },
    });
  });

  it("puts the worst first", async () => {
    const checks = await checkHealth({
      ...well,
      scan: () => ({ error: null, doubted: 0, finished: false }),
      store: () => ({ description: "/bucket", lastError: "503" }),
    });
    expect(checks.map(({ status }) => status).slice(0, 3)).toEqual(["fail", "warn", "ok"]);
  });

  it.each<[string, string, "warn" | "fail", Partial<HealthSources>, string]>([
    [
      "a database that does not answer",
      "database",
      "fail",
      { pingDatabase: () => Promise.reject(new Error("locked")) },
      "locked",
    ],
    ["a disk that fills up", "record-directory", "warn", { diskMarks: { ...NEVER, warnPercent: 0 } }, "% full"],
    ["a disk that is full", "record-directory", "fail", { diskMarks: FULL }, "% full"],
    [
      "a disk that is relieved",
      "record-directory",
      "warn",
      {
        diskMarks: { ...NEVER, warnPercent: 0, highPercent: 0 },
        diskRelief: () => ({ helps: true, message: "copies go early", hint: "add space" }),
      },
      "copies go early",
    ],
    [
      "a disk that nothing relieves",
      "record-directory",
      "fail",
      {
        diskMarks: { ...NEVER, warnPercent: 0, highPercent: 0 },
        diskRelief: () => ({ helps: false, message: "nothing is left", hint: "add space" }),
      },
      "nothing is left",
    ],
    [
      "another disk that is full",
      "disks",
      "fail",
      { diskMarks: FULL, otherDisks: [{ name: "database", directory: "/" }] },
      "database",
    ],
    [
      "another disk that cannot be told",
      "disks",
      "warn",
      { otherDisks: [{ name: "bucket", directory: "/nowhere/at/all" }] },
      "bucket cannot be told",
    ],
    ["a record directory that is away", "record-directory", "fail", { recordDir: "/nowhere/at/all" }, "ENOENT"],
    ["the store's last complaint", "store", "fail", { store: () => ({ description: "b", lastError: "503" }) }, "503"],
    [
      "a MediaMTX that does not answer",
      "mediamtx",
      "fail",
      { mediamtx: () => ({ ...MEDIAMTX, error: "refused" }) },
      "refused",
    ],
    [
      "a refused configuration",
      "configuration",
      "fail",
      { mediamtx: () => ({ ...MEDIAMTX, configError: "bad key" }) },
      "bad key",
    ],
    [
      "a change that is under way",
      "configuration",
      "warn",
      { mediamtx: () => ({ ...MEDIAMTX, pending: true }) },
      "change",
    ],
    [
      "drift, by setting",
      "configuration",
      "fail",
      { mediamtx: () => ({ ...MEDIAMTX, drift: [{ where: "cam1", setting: "record" }] }) },
      "cam1 record",
    ],
    [
      "a backup that failed, with what there is",
      "backup",
      "warn",
      { backup: () => ({ last: BACKUP, error: "no space", isOverdue: false }) },
      "2026-11-20T00:00:00Z, 5.0 MB, rec/~backup/x; the last attempt failed: no space",
    ],
    [
      "archived copies that are not what was proven",
      "scrub",
      "fail",
      { scrub: () => ({ damaged: 2, error: "and a store that is away" }) },
      "2 archived copies were not what was proven",
    ],
    [
      "archived copies that cannot be read back",
      "scrub",
      "warn",
      { scrub: () => ({ damaged: 0, error: "connection refused" }) },
      "cannot be read back: connection refused",
    ],
    [
      "two days without a backup",
      "backup",
      "warn",
      { backup: () => ({ last: null, error: null, isOverdue: true }) },
      "not backed up yet",
    ],
    [
      "a stop of deletions, with its time",
      "deletions",
      "fail",
      { deletionStops: () => [{ doubt: "volume", sinceUs: 0, message: "another disk", evidence: null }] },
      "nothing is removed since 1970-01-01T00:00:00Z: another disk",
    ],
    ["a scan that failed", "scan", "fail", { scan: () => ({ error: "EIO", doubted: 0, finished: true }) }, "EIO"],
    [
      "files that vanished at once (F45)",
      "scan",
      "fail",
      { scan: () => ({ error: null, doubted: 900, finished: true }) },
      "900",
    ],
    [
      "a first scan that runs",
      "scan",
      "warn",
      { scan: () => ({ error: null, doubted: 0, finished: false }) },
      "running",
    ],
    ["segments without any hook", "hooks", "warn", { secondsSinceHook: () => null }, "no hook"],
    ["hooks that stopped coming", "hooks", "warn", { secondsSinceHook: () => 100 }, "no hook"],
  ])("tells of %s", async (_what, name, status, changes, text) => {
    const found = await check(changes, name);
    expect(found).toMatchObject({ name, status });
    expect(found.message).toContain(text);
  });

  it("does not blame hooks while nothing records", async () => {
    expect(await check({ secondsSinceHook: () => null, secondsSinceSegment: () => null }, "hooks")).toMatchObject({
      status: "ok",
    });
  });

  it("tells every failure what to do about it", async () => {
    const checks = await checkHealth({
      ...well,
      recordDir: path.join(well.recordDir, "away"),
      pingDatabase: () => Promise.reject(new Error("locked")),
      scan: () => ({ error: "EIO", doubted: 0, finished: false }),
      store: () => ({ description: "b", lastError: "503" }),
      mediamtx: () => ({ ...MEDIAMTX, error: "refused", configError: "bad key" }),
      deletionStops: () => [{ doubt: "clock", sinceUs: 0, message: "it jumped", evidence: null }],
    });
    const failed = checks.filter(({ status }) => status === "fail");
    expect(failed).toHaveLength(7);
    for (const { hint } of failed) expect(hint).not.toBeNull();
  });
});
