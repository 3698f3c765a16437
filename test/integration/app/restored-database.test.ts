/** The database comes back from the store, and what it does not know is neither lost nor removed. */
import { existsSync } from "node:fs";
import { open, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { waitFor } from "../../support/wait-for.js";
import { runCommand } from "../start/command.js";
import { folderScene, s3Scene, type S3Scene } from "./scene.js";

interface Deletions {
  readonly stopped: boolean;
  readonly stops: readonly { readonly doubt: string; readonly message: string }[];
}

interface Health {
  readonly checks: readonly { readonly name: string; readonly status: string }[];
  readonly backup: { readonly lastAt: string | null; readonly key: string | null; readonly error: string | null };
}

/** One segment or more on each camera; resolves when all are proven. */
async function record({ app, startCamera }: S3Scene): Promise<void> {
  const before = (await app.createdFiles()).length;
  const cameras = await Promise.all(["cam1", "cam2"].map((name) => startCamera(name)));
  await waitFor("new files", async () => (await app.createdFiles()).length >= before + 4, { timeoutMs: 60_000 });
  await Promise.all(cameras.map((camera) => camera.stop()));
  await app.drained();
}

/** All of the path, once their local copies are gone. */
async function released({ app }: S3Scene, name: string): Promise<string[]> {
  return waitFor(`${name} to be released`, async () => {
    const recordings = await app.recordings({ path: name });
    return recordings.every(({ local }) => local === "released") && recordings.map(({ filePath }) => filePath);
  });
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".mp4"))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

describe("a database that is restored from the store", () => {
  it("of before, over a damaged and over a lost one, costs no file and no object, and learns what is newer (F38, F39)", async () => {
    const scene = await s3Scene({ env: { LOCAL_RETENTION: "1h" } });
    const { app, addPath, server } = scene;
    const command = (...args: string[]) => runCommand(app.installed, args);
    await addPath("cam1", { recordSegmentDuration: "2s", labels: ["gate"] });
    await addPath("cam2", { recordSegmentDuration: "2s", localRetention: "0s" });
    await record(scene);
    const knownToBackup = await released(scene, "cam2");
    const backedUp = await command("backup");
    expect(backedUp).toMatchObject({ code: 0, stderr: "" });
    const { key } = JSON.parse(backedUp.stdout) as { key: string };
    expect((await command("restore", "--list")).stdout).toContain(key);
    await record(scene);
    const releasedSince = (await released(scene, "cam2")).filter((name) => !knownToBackup.includes(name));
    // Their removals were written in the database that is lost now, and nowhere else.
    const lostRecords = releasedSince.map((name) => `I2 ${name}: is released, and no removal was written before`);
    expect(await command("restore")).toMatchObject({
      ...{ code: 1, stdout: "", stderr: expect.stringContaining("another Reelkeeper is running here") as string },
    });
    const known = await app.recordings();
    await app.kill("SIGKILL");
    const files = await filesBelow(app.recordDir);
    const objects = await filesBelow(server.bucketDir);

    await damage(app.databaseFile);
    const damaged = await readFile(app.databaseFile);
    const restored = await command("restore");
    expect(restored).toMatchObject({ code: 0, stderr: "" });
    const kept = /kept as (\S+)/.exec(restored.stdout)?.[1] ?? "";
    expect((await readFile(kept)).equals(damaged)).toBe(true);
    for (const suffix of ["", "-wal", "-shm"]) await rm(app.databaseFile + suffix, { force: true });
    const again = await command("restore", "--at", key);
    expect(again.stdout).toContain("There was none before");
    expect(again.stdout).toContain("resume-deletes");

    const rebuilt = await command("rebuild");
    expect(rebuilt).toMatchObject({ code: 0, stderr: "" });
    await app.start();
    const found = await app.drained();
    expect(found.map(({ filePath, archive }) => [filePath, archive])).toEqual(
      known.map(({ filePath, archive }) => [filePath, archive]),
    );
    expect(await app.get<object>("/api/v1/paths/cam1")).toMatchObject({ labels: ["gate"] });
    const { stops } = await app.get<Deletions>("/api/v1/deletions");
    expect(stops.map(({ doubt }) => doubt)).toContain("database");
    // All of them are due now, and all of them stay.
    await app.patch("/api/v1/paths/cam1", { localRetention: "0s" });
    await app.post("/api/v1/scan", {});
    await waitFor("the scan", async () => !(await app.get<{ running: boolean }>("/api/v1/scan")).running);
    expect(await filesBelow(app.recordDir)).toEqual(files);
    expect(await filesBelow(server.bucketDir)).toEqual(objects);
    expect((await app.audit(false)).violations).toEqual(lostRecords);

    expect((await command("resume-deletes")).stdout).toContain("the database was restored as of");
    await waitFor("the releases", async () => (await filesBelow(app.recordDir)).length === 0, { timeoutMs: 60_000 });
    await app.drained();
    expect(await filesBelow(server.bucketDir)).toEqual(objects);
    expect((await app.audit()).violations).toEqual(lostRecords);
    expect(existsSync(kept)).toBe(true);
  });
});

describe("a running Reelkeeper", () => {
  it("backs its database up by itself, and says when it did and what is wrong when it cannot", async () => {
    const { app } = await folderScene({ env: { BACKUP_INTERVAL: "1s" } });
    const health = () => app.get<Health>("/api/v1/health/details");
    const { backup } = await waitFor("a backup", async () => {
      const seen = await health();
      return seen.backup.key !== null && seen;
    });
    expect(backup).toMatchObject({ error: null, lastAt: expect.stringMatching(/^\d{4}-/) as string });
    const metrics = (await app.request("GET", "/metrics")).body as string;
    expect(metrics).toMatch(/^reelkeeper_backup_timestamp_seconds 1\d{9}/m);
    expect(metrics).toMatch(/^reelkeeper_backup_failed 0$/m);
    await app.restart({ BACKUP_INTERVAL: "0" });
    expect((await health()).backup).toBeNull();
  });
});

/** All but the header, as a dying disk would. */
async function damage(file: string): Promise<void> {
  const handle = await open(file, "r+");
  const { size } = await handle.stat();
  await handle.write(Buffer.alloc(size - 4_096, 0xa5), 0, size - 4_096, 4_096);
  await handle.close();
}
