/** From the store back into the place of the database: only what is whole, and what was there before is kept. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { fetchBackup } from "../../../src/backup/fetch-backup.js";
import { putInPlace } from "../../../src/backup/put-in-place.js";
import { createSource } from "../../support/put-source.js";
import { tempDir } from "../../support/temp-dir.js";
import { backupScene, PREFIX } from "./scene.js";

const SIGNAL = new AbortController().signal;

describe("a backup that is fetched", () => {
  it("is refused when its bytes are not those that were stored, and nothing of it stays (F24)", async () => {
    const scene = await backupScene();
    const key = await scene.dailyBackup();
    const objectFile = path.join(scene.bucketDir, key);
    const bytes = await readFile(objectFile);
    for (const at of [200, bytes.length - 6]) {
      const torn = Buffer.from(bytes);
      torn[at] = (torn[at] ?? 0) ^ 0x10;
      await writeFile(objectFile, torn);
      const directory = await tempDir();
      const fetched = fetchBackup(scene.store, { key, target: path.join(directory, "copy.sqlite") }, SIGNAL);
      await expect(fetched).rejects.toMatchObject({ name: "AppError" });
      expect(await readdir(directory)).toEqual([]);
    }
  });

  it("is refused when it holds no sound database, and never written over a file that exists", async () => {
    const scene = await backupScene();
    const key = `${PREFIX}/~backup/node-1/20201121T000000.000000Z_0123456789ab.sqlite.gz`;
    const { gzipSync } = await import("node:zlib");
    const source = await createSource(await tempDir(), gzipSync(Buffer.alloc(9_000, 7)));
    await scene.store.put(key, source, { signal: SIGNAL });
    const target = path.join(await tempDir(), "copy.sqlite");
    await expect(fetchBackup(scene.store, { key, target }, SIGNAL)).rejects.toMatchObject({ kind: "data-loss" });
    await expect(stat(target)).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(target, "precious");
    await expect(fetchBackup(scene.store, { key, target }, SIGNAL)).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(target, "utf8")).toBe("precious");
  });
});

describe("a restored database", () => {
  it("takes the place of the one before, which is kept with its log; none of that log is left beside it (F38)", async () => {
    const directory = await tempDir();
    const file = path.join(directory, "catalog.sqlite");
    for (const suffix of ["", "-wal", "-shm", ".restoring"]) await writeFile(file + suffix, `old${suffix}`);
    expect(await putInPlace(`${file}.restoring`, file, "T1")).toBe(`${file}.before-restore-T1`);
    const contents = await Promise.all(
      (await readdir(directory)).sort().map(async (name) => [name, await readFile(path.join(directory, name), "utf8")]),
    );
    expect(Object.fromEntries(contents)).toEqual({
      "catalog.sqlite": "old.restoring",
      "catalog.sqlite.before-restore-T1": "old",
      "catalog.sqlite.before-restore-T1-shm": "old-shm",
      "catalog.sqlite.before-restore-T1-wal": "old-wal",
    });
  });

  it("needs none before, and changes nothing where the one before cannot be kept", async () => {
    const file = path.join(await tempDir(), "catalog.sqlite");
    await writeFile(`${file}.restoring`, "new");
    expect(await putInPlace(`${file}.restoring`, file, "T1")).toBeNull();
    await writeFile(`${file}-wal`, "its log");
    await writeFile(`${file}.restoring`, "newer");
    await mkdir(`${file}.before-restore-T2`);
    await expect(putInPlace(`${file}.restoring`, file, "T2")).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(file, "utf8")).toBe("new");
    expect(await readFile(`${file}-wal`, "utf8")).toBe("its log");
  });
});
