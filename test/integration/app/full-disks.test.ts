/** The whole product on disks that fill up to the last byte, with a camera that records on. Nothing is restarted. */
import { existsSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import type { App } from "../../support/app.js";
import { emptyDisk, fillDisk, growFiller } from "../../support/tmpfs.js";
import { waitFor } from "../../support/wait-for.js";
import { readDiskSpace } from "../../../src/platform/disk-space.js";
import { usedPercent } from "../../../src/core/disk-level.js";
import { isRunning, s3Scene } from "./scene.js";

const PATIENTLY = { timeoutMs: 60_000, intervalMs: 200 };
const DISK_BYTES = 16 * 1_048_576;

async function proven(app: App): Promise<RecordingView[]> {
  return (await app.recordings({ path: "cam1" })).filter(({ archive }) => archive === "verified");
}

async function segmentsMade(app: App): Promise<number> {
  return (await app.createdFiles()).length;
}

describe("a full disk is survived and left without a restart, and nothing is lost, when it holds", () => {
  it("the recordings: oldest proven copies go first, unproven ones never, and the camera records on (F43)", async () => {
    const { app, addPath, startCamera } = await s3Scene({
      env: { LOCAL_RETENTION: "30d", QUIET_TIME: "2s", SCAN_INTERVAL: "5s" },
      disks: { "data/recordings": String(DISK_BYTES) },
    });
    const disk = app.recordDir;
    await addPath("kept", { recordSegmentDuration: "1h", archive: "none" });
    const unproven = await startCamera("kept");
    await waitFor("a file", async () => (await segmentsMade(app)) === 1, PATIENTLY);
    await unproven.stop();
    await addPath("cam1", { recordSegmentDuration: "2s" });
    const camera = await startCamera("cam1", { bitrate: "600k" });
    const pids = [app.pid, app.mediamtxPid()];
    await waitFor("proven segments", async () => (await proven(app)).length >= 6, PATIENTLY);
    const { usedBytes } = await readDiskSpace(disk);
    await growFiller(disk, (DISK_BYTES * 91) / 100 - usedBytes);

    await waitFor("an early release", async () => (await proven(app)).some(({ local }) => local === "released"), {
      ...PATIENTLY,
    });
    await waitFor("the disk to be below its mark", async () => usedPercent(await readDiskSpace(disk)) < 90, PATIENTLY);
    // Not more than was needed; and several go at once, so the oldest need not be the first whose row says so.
    await waitFor(
      "the oldest to be gone, and the others not",
      async () => {
        const isGone = (await app.recordings({ path: "cam1" })).map(({ local }) => local === "released");
        return isGone.lastIndexOf(true) + 1 === isGone.indexOf(false);
      },
      PATIENTLY,
    );

    // Again and again: what is released early makes room, too.
    const whileFull = (what: string, look: () => boolean | Promise<boolean>) =>
      waitFor(
        what,
        async () => {
          await fillDisk(disk);
          return look();
        },
        PATIENTLY,
      );
    await whileFull("MediaMTX to have no room", async () => (await app.mediamtxLog()).includes("no space left"));
    await whileFull("the alarm", () => app.log().some(({ message }) => message === "disk is full"));
    await whileFull("health to tell", async () => {
      const { checks } = await app.get<{ checks: { name: string; status: string }[] }>("/api/v1/health/details");
      return checks.some(({ name, status }) => name === "record-directory" && status === "fail");
    });
    const [kept] = await app.recordings({ path: "kept" });
    expect(kept).toMatchObject({ archive: "none", local: "present" });
    expect(existsSync(path.join(app.recordDir, kept?.filePath ?? ""))).toBe(true);

    await emptyDisk(disk);
    const madeBefore = await segmentsMade(app);
    await waitFor("the recording to go on", async () => (await segmentsMade(app)) >= madeBefore + 3, PATIENTLY);
    await camera.stop();
    await app.drained();
    expect([app.pid, app.mediamtxPid()]).toEqual(pids);
    expect(isRunning(app.pid)).toBe(true);
    expect((await app.audit()).violations).toEqual([]);
  });

  it("the database: recordings go on untouched, and are known as soon as there is room (F37)", async () => {
    const { app, addPath, startCamera, directory } = await s3Scene({
      env: { DATABASE_URL: "sqlite:{scene}/database/catalog.sqlite", SCAN_INTERVAL: "3s", QUIET_TIME: "2s" },
      disks: { database: "2m" },
    });
    const disk = path.join(directory, "database");
    await addPath("cam1", { recordSegmentDuration: "1s" });
    const camera = await startCamera("cam1");
    await waitFor("proven segments", async () => (await proven(app)).length >= 2, PATIENTLY);
    const pid = app.pid;
    await fillDisk(disk);
    await waitFor("the full disk to be felt", () => app.output().includes("database disk is full"), PATIENTLY);
    const madeBefore = await segmentsMade(app);
    await waitFor("the recording to go on", async () => (await segmentsMade(app)) >= madeBefore + 4, PATIENTLY);
    expect((await app.request("GET", "/health")).status).toBe(200);
    expect(await app.recordings()).not.toEqual([]);

    await emptyDisk(disk);
    await camera.stop();
    await app.drained();
    expect(app.pid).toBe(pid);
    expect(isRunning(pid)).toBe(true);
    expect((await app.audit()).violations).toEqual([]);
  });
});
