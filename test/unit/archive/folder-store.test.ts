/** What is particular to the folder store; what all stores have in common is in the contract suite. */
import { constants } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { createFolderStore } from "../../../src/archive/folder-store.js";
import type { ObjectStore } from "../../../src/archive/object-store.js";
import { systemClock } from "../../../src/platform/clock.js";
import { createSource, type TestSource } from "../../support/put-source.js";
import { tempDir } from "../../support/temp-dir.js";

const never = new AbortController().signal;
const DAY_MS = 86_400_000;

interface Bench {
  readonly dir: string;
  readonly sourceDir: string;
  readonly store: ObjectStore;
  readonly put: (key: string, changes?: Partial<TestSource>) => Promise<TestSource>;
}

async function openBench(): Promise<Bench> {
  const root = await tempDir();
  const dir = path.join(root, "bucket");
  const store = createFolderStore({ dir, clock: systemClock });
  return {
    dir,
    sourceDir: root,
    store,
    put: async (key, changes = {}) => {
      const source = { ...(await createSource(root)), ...changes };
      await store.put(key, source, { signal: never });
      return source;
    },
  };
}

const temporaries = (dir: string): Promise<string[]> => readdir(path.join(dir, ".reelkeeper/tmp"));
const factsFile = (dir: string, key: string): string => path.join(dir, ".reelkeeper/facts", `${key}.json`);

describe("storing", () => {
  it("stores nothing twice: a file with a unique name shares its blocks with the object", async () => {
    const { dir, put } = await openBench();
    const source = await put("cam1/a.mp4");
    const [original, stored] = [await stat(source.filePath), await stat(path.join(dir, "cam1/a.mp4"))];
    // Where the file system clones, the inode is another, and the blocks are the same.
    expect(await temporaries(dir)).toEqual([]);
    if (stored.ino !== original.ino) expect(await canClone(dir)).toBe(true);
  });

  it("F35 never links a file whose name may come again", async () => {
    const { dir, put } = await openBench();
    const source = await put("cam1/a.mp4", { nameIsUnique: false });
    expect((await stat(path.join(dir, "cam1/a.mp4"))).ino).not.toBe((await stat(source.filePath)).ino);
  });

  it("leaves no temporary file when a put fails, and does not store bytes with another SHA-256", async () => {
    const { dir, store, sourceDir } = await openBench();
    const source = { ...(await createSource(sourceDir)), sha256: "0".repeat(64), nameIsUnique: false };
    await expect(store.put("a", source, { signal: never })).rejects.toMatchObject({ kind: "failed-precondition" });
    expect(await store.head("a", never)).toBeUndefined();
    expect(await temporaries(dir)).toEqual([]);
  });

  it("refuses a key whose parent is an object, and one that is the folder of objects", async () => {
    const { store, put, sourceDir } = await openBench();
    await put("cam1/a.mp4");
    const refused = { kind: "failed-precondition" };
    const source = await createSource(sourceDir);
    await expect(store.put("cam1", source, { signal: never })).rejects.toMatchObject(refused);
    await expect(store.put("cam1/a.mp4/b", source, { signal: never })).rejects.toMatchObject(refused);
    expect(await store.head("cam1/a.mp4/b", never)).toBeUndefined();
  });

  it("makes the folders again that a delete of the last neighbour takes away", async () => {
    const { store, put, sourceDir } = await openBench();
    for (let round = 0; round < 20; round += 1) {
      await put("cam1/2026/a.mp4");
      const source = await createSource(sourceDir);
      await Promise.all([
        store.delete("cam1/2026/a.mp4", never),
        store.put("cam1/2026/b.mp4", source, { signal: never }),
      ]);
      expect(await store.head("cam1/2026/b.mp4", never)).toMatchObject({ sha256: source.sha256 });
      await store.delete("cam1/2026/b.mp4", never);
    }
  });
});

describe("facts", () => {
  it("hashes an object that was put there by hand", async () => {
    const { dir, store, put, sourceDir } = await openBench();
    await put("first");
    const source = await createSource(sourceDir);
    await mkdir(path.join(dir, "cam1"));
    await writeFile(path.join(dir, "cam1/a.mp4"), source.content);
    const facts = { bytes: source.bytes, md5: source.md5, sha256: source.sha256, etag: source.md5, metadata: {} };
    expect(await store.head("cam1/a.mp4", never)).toEqual({ key: "cam1/a.mp4", ...facts });
  });

  it("F24 lets the bytes speak when the object is not the one that its facts were written for", async () => {
    const { dir, store, put, sourceDir } = await openBench();
    await put("a");
    const other = await createSource(sourceDir);
    await rm(path.join(dir, "a"));
    await writeFile(path.join(dir, "a"), other.content);
    expect(await store.head("a", never)).toMatchObject({ sha256: other.sha256, md5: other.md5, metadata: {} });
  });

  it("keeps the metadata of an object that was copied to another disk", async () => {
    const { dir, store, put } = await openBench();
    const source = await put("a");
    const content = await readFile(path.join(dir, "a"));
    await rm(path.join(dir, "a"));
    await writeFile(path.join(dir, "a"), content);
    expect(await store.head("a", never)).toMatchObject({ sha256: source.sha256, metadata: source.metadata });
  });

  it.each(["", "{", "[]", '{"stamp":1}'])("hashes when the facts file holds %j", async (text) => {
    const { dir, store, put } = await openBench();
    const source = await put("a");
    await writeFile(factsFile(dir, "a"), text);
    expect(await store.head("a", never)).toMatchObject({ sha256: source.sha256, bytes: source.bytes });
  });

  it("go with their object, and the empty folders with them", async () => {
    const { dir, store, put } = await openBench();
    await put("cam1/2026/a.mp4");
    expect(JSON.parse(await readFile(factsFile(dir, "cam1/2026/a.mp4"), "utf8"))).toBeTypeOf("object");
    await store.delete("cam1/2026/a.mp4", never);
    expect(await readdir(dir)).toEqual([".reelkeeper"]);
    expect(await readdir(path.join(dir, ".reelkeeper/facts"))).toEqual([]);
  });
});

describe("after a crash", () => {
  it("F14 facts without object do not make one, and a put replaces them", async () => {
    const { dir, store, put } = await openBench();
    await put("a");
    await rm(path.join(dir, "a"));
    expect(await store.head("a", never)).toBeUndefined();
    const source = await put("a");
    expect(await store.head("a", never)).toMatchObject({ sha256: source.sha256 });
  });

  it("removes temporary files once they are old, whatever the age of the bytes in them", async () => {
    const { dir, store, put } = await openBench();
    await put("a");
    const leftover = path.join(dir, ".reelkeeper/tmp/left.tmp");
    await writeFile(leftover, "half");
    await utimes(leftover, 0, 0);
    expect(await store.abortStaleUploads(DAY_MS, never)).toBe(0);
    const inTwoDays = { ...systemClock, nowUs: () => systemClock.nowUs() + 2 * DAY_MS * 1_000 };
    expect(await createFolderStore({ dir, clock: inTwoDays }).abortStaleUploads(DAY_MS, never)).toBe(1);
    expect(await temporaries(dir)).toEqual([]);
    expect(await store.head("a", never)).toBeDefined();
  });
});

describe("links in the bucket folder (F47)", () => {
  it("are not followed, for folders nor for objects", async () => {
    const { dir, store, put, sourceDir } = await openBench();
    await put("real/a.mp4");
    const outside = path.join(sourceDir, "outside");
    await mkdir(outside);
    await writeFile(path.join(outside, "secret.mp4"), "secret");
    await symlink(outside, path.join(dir, "linked"));
    await symlink(path.join(outside, "secret.mp4"), path.join(dir, "object.mp4"));
    const refused = { kind: "failed-precondition" };
    const source = await createSource(sourceDir);
    for (const key of ["linked/secret.mp4", "object.mp4"]) {
      await expect(store.head(key, never)).rejects.toMatchObject(refused);
      await expect(store.get(key, { signal: never })).rejects.toMatchObject(refused);
      await expect(store.delete(key, never)).rejects.toMatchObject(refused);
    }
    await expect(store.put("linked/new.mp4", source, { signal: never })).rejects.toMatchObject(refused);
    expect(await readdir(outside)).toEqual(["secret.mp4"]);
    const keys: string[] = [];
    for await (const { key } of store.list("", never)) keys.push(key);
    expect(keys).toEqual(["real/a.mp4"]);
  });
});

describe("the self-test", () => {
  it("creates the folder", async () => {
    const { dir, store } = await openBench();
    await store.selfTest(never);
    expect((await stat(path.join(dir, ".reelkeeper"))).isDirectory()).toBe(true);
  });

  it("F29 fails when the folder cannot be made", async () => {
    const { sourceDir } = await openBench();
    await writeFile(path.join(sourceDir, "file"), "");
    const store = createFolderStore({ dir: path.join(sourceDir, "file/bucket"), clock: systemClock });
    await expect(store.selfTest(never)).rejects.toMatchObject({ kind: "failed-precondition" });
  });
});

async function canClone(dir: string): Promise<boolean> {
  const from = path.join(dir, ".reelkeeper/tmp/from");
  await writeFile(from, "x");
  try {
    await copyFile(from, `${from}.clone`, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  }
}
