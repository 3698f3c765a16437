/** The database in the store: whole, proven, beside the writers, and never at the cost of an older one that is needed. */
import { mkdir, open, readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";

import { describe, expect, it } from "vitest";

import { fetchBackup } from "../../../src/backup/fetch-backup.js";
import { makeBackup } from "../../../src/backup/make-backup.js";
import { acquireInstanceLock } from "../../../src/catalog/instance-lock.js";
import { AppError } from "../../../src/core/errors.js";
import { createSource } from "../../support/put-source.js";
import { tempDir } from "../../support/temp-dir.js";
import { fillDisk, mountTmpfs } from "../../support/tmpfs.js";
import { countRows, recordOne, segmentFile } from "../catalog/builders.js";
import { openOn } from "../catalog/dialects.js";
import { type BackupScene, backupScene, PREFIX } from "./scene.js";

const SIGNAL = new AbortController().signal;

async function keysAfter(scene: BackupScene, days: number): Promise<string[]> {
  const keys: string[] = [];
  for (let day = 0; day < days; day += 1) keys.push(await scene.dailyBackup());
  return keys;
}

describe("a backup", () => {
  it("holds every row, is readable by its owner alone, and leaves nothing where it was made", async () => {
    const scene = await backupScene();
    const key = await scene.dailyBackup();
    expect(key).toMatch(/^recordings\/~backup\/node-1\/20261121T000000\.000000Z_[0-9a-f]{12}\.sqlite\.gz$/);
    const target = path.join(await tempDir(), "copy.sqlite");
    await fetchBackup(scene.store, { key, target }, SIGNAL);
    expect(await countRows(await openOn({ kind: "sqlite", file: target }))).toBe(50);
    for (const file of [target, path.join(scene.bucketDir, key)]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await scene.leftovers()).toEqual([]);
  });

  it("keeps no hook waiting: rows are written while the database is copied (F36)", async () => {
    // In memory: a row waits for its disk, a copy for the processor, and either may be busy.
    const scene = await backupScene({ inMemory: true });
    // Enough that the copy takes many times as long as a row.
    await scene.catalog.db.raw("create table ballast (number integer, text text)");
    await scene.catalog.db.raw(
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000) " +
        "insert into ballast select i, hex(randomblob(100)) from n",
    );
    const copy = { isDone: false };
    const backup = scene.dailyBackup().finally(() => (copy.isDone = true));
    let written = 0;
    for (; !copy.isDone; written += 1) await recordOne(scene.catalog, segmentFile(1_000 + written));
    await backup;
    // The last one may have been answered when all was over.
    expect(written).toBeGreaterThan(3);
  });

  it("removes what a crash left, and lets no other process make one meanwhile", async () => {
    const scene = await backupScene();
    await mkdir(scene.deps.workDir);
    for (const name of ["copy.sqlite", "copy.sqlite.gz"]) await writeFile(path.join(scene.deps.workDir, name), "torn");
    await scene.dailyBackup();
    expect(await scene.leftovers()).toEqual([]);
    const rival = await acquireInstanceLock(`${scene.deps.workDir}.lock`);
    await expect(scene.dailyBackup()).rejects.toMatchObject({ kind: "unavailable" });
    await rival.release();
    await scene.dailyBackup();
    expect(await scene.keys()).toHaveLength(2);
  });

  it("ends at once when the process stops, and leaves nothing behind (F15)", async () => {
    const scene = await backupScene();
    const stop = new AbortController();
    const onBytes = () => () => stop.abort();
    const stopped = makeBackup({ ...scene.deps, onBytes }, stop.signal);
    await expect(stopped).rejects.toThrow();
    expect(await scene.leftovers()).toEqual([]);
    await expect(makeBackup(scene.deps, AbortSignal.abort())).rejects.toMatchObject({ kind: "cancelled" });
  });

  it("is not begun without the space for it, and a disk that fills up meanwhile keeps nothing of it (F37)", async () => {
    const scene = await backupScene();
    const readSpace = () => Promise.resolve({ usedBytes: 0, availableBytes: 16 * 1_048_576 });
    await expect(scene.dailyBackup({ readSpace })).rejects.toMatchObject({
      kind: "resource-exhausted",
      hint: expect.stringContaining("DATA_DIR") as string,
    });
    await mountTmpfs(scene.deps.workDir, "1m");
    const otherWorkDir = path.join(scene.deps.workDir, "work");
    await fillDisk(scene.deps.workDir);
    const plenty = () => Promise.resolve({ usedBytes: 0, availableBytes: 1e12 });
    const full = scene.dailyBackup({ readSpace: plenty, workDir: otherWorkDir });
    await expect(full).rejects.toMatchObject({ name: expect.any(String) as string });
    expect(await readdir(scene.deps.workDir)).not.toContain("copy.sqlite");
    expect(await scene.keys()).toEqual([]);
  });
});

describe("old backups", () => {
  it("go when a newer one is proven, but for the newest seven; what is not ours stays", async () => {
    const scene = await backupScene();
    const source = await createSource(await tempDir());
    const strangers = ["~backup/node-1/notes.txt", "~backup/node-1/20201121T000000Z.sqlite.gz", "cam1/a.mp4"];
    const others = "~backup/node-2/20201121T000000.000000Z_0123456789ab.sqlite.gz";
    for (const name of [...strangers, others]) {
      await scene.store.put(`${PREFIX}/${name}`, source, { signal: SIGNAL });
    }
    const keys = await keysAfter(scene, 9);
    expect(await scene.keys()).toEqual([...keys.slice(-7), `${PREFIX}/${others}`]);
    for (const name of strangers) expect(await scene.store.head(`${PREFIX}/${name}`, SIGNAL)).toBeDefined();
  });

  it("stay while deletions are stopped: a new database drives out none that it may need (F39)", async () => {
    const scene = await backupScene();
    await keysAfter(scene, 7);
    const stopped = new AppError({ kind: "failed-precondition", message: "deletions are stopped: it is older" });
    await scene.dailyBackup({ assertMayRemove: () => Promise.reject(stopped) });
    expect(await scene.keys()).toHaveLength(8);
    expect(scene.log.at(-1)).toContain("stay while deletions are stopped");
    await scene.dailyBackup();
    expect(await scene.keys()).toHaveLength(7);
  });

  it("stay when the store returns other bytes than it took, and those go at once (F24)", async () => {
    const scene = await backupScene();
    const keys = await keysAfter(scene, 7);
    const store = {
      ...scene.store,
      get: async () => Promise.resolve(Readable.from([Buffer.from("something else")])),
    };
    await expect(scene.dailyBackup({ store })).rejects.toMatchObject({ kind: "data-loss" });
    expect(await scene.keys()).toEqual(keys);
  });

  it("stay when the store says yes and has nothing (F25)", async () => {
    const scene = await backupScene();
    const keys = await keysAfter(scene, 7);
    const store = { ...scene.store, put: () => Promise.resolve() };
    await expect(scene.dailyBackup({ store })).rejects.toMatchObject({ kind: "unavailable" });
    expect(await scene.keys()).toEqual(keys);
  });

  it("stay when the database is damaged, and it is said so (F38)", async () => {
    const scene = await backupScene();
    const keys = await keysAfter(scene, 7);
    await scene.catalog.db.raw("pragma wal_checkpoint(truncate)");
    const { size } = await stat(scene.deps.databaseFile);
    const handle = await open(scene.deps.databaseFile, "r+");
    await handle.write(Buffer.alloc(size - 8_192, 0xa5), 0, size - 8_192, 8_192);
    await handle.close();
    await expect(scene.dailyBackup()).rejects.toMatchObject({ kind: "data-loss" });
    expect(await scene.keys()).toEqual(keys);
    expect(await scene.leftovers()).toEqual([]);
  });
});
