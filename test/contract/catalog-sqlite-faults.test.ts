/** What SQLite's file can suffer: another process's lock, a full disk, damage. Nothing is lost, and it is said in words. */
import { execFile } from "node:child_process";
import { mkdir, open, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import sqlite3 from "sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";

import { type Catalog, closeCatalog, openCatalog } from "../../src/catalog/catalog.js";
import type { DatabaseTarget } from "../../src/catalog/database.js";
import { insertPathEvent } from "../../src/catalog/path-events.js";
import { claimDue } from "../../src/catalog/recording-queue.js";
import { listRecordings } from "../../src/catalog/recording-lists.js";
import { recordFoundFiles } from "../../src/catalog/found-files.js";
import { findRecording } from "../../src/catalog/recordings.js";
import { inTransaction } from "../../src/catalog/transaction.js";
import { createFakeClock } from "../support/fake-clock.js";
import { SEALING } from "../support/sealing.js";
import { tempDir } from "../support/temp-dir.js";
import { CAM1, countRows, recordOne, segmentFile } from "./catalog/builders.js";
import { openOn } from "./catalog/dialects.js";
import { PATIENCE } from "../support/patience.js";

const run = promisify(execFile);
const HOOK_DEADLINE_MS = 5_000 * PATIENCE;

describe("a lock that another process holds (F36)", () => {
  it("is answered as unavailable within five seconds, for every one of many callers, and costs no row", async () => {
    const target = await newTarget();
    const catalog = await openOn(target);
    await recordOne(catalog, segmentFile(0));
    const rival = await connect(target.file);
    await execute(rival, "begin exclusive");
    const startedMs = performance.now();
    const writes = await Promise.allSettled([
      ...[1, 2, 3, 4, 5].map((number) => recordOne(catalog, segmentFile(number))),
      claimDue(catalog, { steps: ["inspect"], limit: 1, leaseMs: 1_000 }),
      insertPathEvent(catalog, { path: CAM1, kind: "ready", atUs: 1, sourceType: null, sourceId: null }),
    ]);
    expect(performance.now() - startedMs).toBeLessThan(HOOK_DEADLINE_MS);
    expect(
      writes.map((write) => (write.status === "rejected" ? (write.reason as { kind: string }).kind : "done")),
    ).toEqual(writes.map(() => "unavailable"));
    await execute(rival, "commit");
    await recordFoundFiles(
      catalog,
      [1, 2, 3, 4, 5].map((number) => segmentFile(number)),
    );
    expect(await countRows(catalog)).toBe(6);
  });

  it("does not keep readers waiting", async () => {
    const target = await newTarget();
    const catalog = await openOn(target);
    await recordOne(catalog, segmentFile(0));
    const rival = await connect(target.file);
    await execute(rival, "begin exclusive");
    expect((await listRecordings(catalog, {}, { order: "newest", limit: 1 })).items).toHaveLength(1);
    await execute(rival, "commit");
  });

  it("of our own transaction does not keep viewers waiting, who see what is committed and cannot write", async () => {
    const catalog = await openOn(await newTarget());
    const id = (await recordOne(catalog, segmentFile(0))).id;
    await inTransaction(catalog.db, async (trx) => {
      await trx("recordings").update({ bytes: 1 });
      const [seen] = (await listRecordings(catalog, {}, { order: "newest", limit: 1 })).items;
      expect(seen).toMatchObject({ id, bytes: segmentFile(0).bytes });
    });
    expect((await findRecording(catalog, id))?.bytes).toBe(1);
    await expect(catalog.readDb("recordings").delete()).rejects.toThrow("readonly");
  });

  it("is waited for when it is short", async () => {
    const target = await newTarget();
    const catalog = await openOn(target);
    const rival = await connect(target.file);
    await execute(rival, "begin exclusive");
    const asksForTheLock = new Promise((resolve) => catalog.db.on("query", resolve));
    const write = recordOne(catalog, segmentFile(0));
    await asksForTheLock;
    await execute(rival, "commit");
    await write;
    expect(await countRows(catalog)).toBe(1);
  });

  it("lets two writers that read first take turns instead of failing at once", async () => {
    const target = await newTarget();
    const catalogs = [await openOn(target), await openOn(target)];
    const rounds = Array.from({ length: 20 }, (_, number) => number);
    await Promise.all(
      catalogs.map(async (catalog, index) => {
        for (const round of rounds) await recordOne(catalog, segmentFile(round * 2 + index));
      }),
    );
    expect(await countRows(catalogs[0]!)).toBe(40);
  });
});

describe("a full disk (F37)", () => {
  it("is told as such, keeps all rows readable, and is over as soon as there is space", async () => {
    const directory = await smallDisk();
    const catalog = await openOn({ kind: "sqlite", file: path.join(directory, "catalog.sqlite") });
    await recordOne(catalog, segmentFile(0));
    const ballast = path.join(directory, "ballast");
    await fillDisk(ballast);
    const { stored, error } = await recordUntilFull(catalog);
    expect(error).toMatchObject({ kind: "resource-exhausted", hint: expect.stringContaining("space") as string });
    expect((await listRecordings(catalog, {}, { order: "oldest", limit: 1 })).items).toHaveLength(1);
    expect(await countRows(catalog)).toBe(stored);
    await rm(ballast);
    await recordOne(catalog, segmentFile(9_999));
    expect(await countRows(catalog)).toBe(stored + 1);
    expect(await integrityOf(catalog)).toBe("ok");
  });

  it("leaves no part of a transaction behind, wherever in it the space ends", async () => {
    const catalog = await openOn(await newTarget());
    await recordOne(catalog, segmentFile(0));
    const pages: { page_count: number }[] = await catalog.db.raw("pragma page_count");
    await catalog.db.raw(`pragma max_page_count=${pages[0]!.page_count + 3}`);
    const batch = Array.from({ length: 90 }, (_, index) => segmentFile(index + 1));
    await expect(recordFoundFiles(catalog, batch)).rejects.toMatchObject({ kind: "resource-exhausted" });
    expect(await countRows(catalog)).toBe(1);
    await catalog.db.raw("pragma max_page_count=1000000");
    await recordFoundFiles(catalog, batch);
    expect(await countRows(catalog)).toBe(91);
  });
});

describe("a damaged file (F38)", () => {
  it("with a broken header is refused as data loss, with what to do, and is left as it is", async () => {
    const target = await closedCatalog();
    await overwrite(target.file, 0, Buffer.from("no SQLite at all"));
    const before = await stat(target.file);
    await expect(openOn(target)).rejects.toMatchObject({
      kind: "data-loss",
      hint: expect.stringContaining("rebuild") as string,
    });
    expect((await stat(target.file)).size).toBe(before.size);
  });

  it("that is no database is refused as data loss", async () => {
    const target = await newTarget();
    await writeFile(target.file, "x".repeat(8_192));
    await expect(openOn(target)).rejects.toMatchObject({ kind: "data-loss" });
  });

  it("with broken pages answers as data loss instead of with fewer rows", async () => {
    const target = await closedCatalog();
    const { size } = await stat(target.file);
    await overwrite(target.file, 4_096, Buffer.alloc(size - 4_096, 0xa5));
    const work = async (): Promise<unknown> =>
      (await listRecordings(await openOn(target), {}, { order: "newest", limit: 10 })).items;
    await expect(work()).rejects.toMatchObject({ kind: "data-loss" });
  });

  it("that was cut answers as data loss", async () => {
    const target = await closedCatalog();
    await truncate(target.file, 5_000);
    const work = async (): Promise<unknown> =>
      (await listRecordings(await openOn(target), {}, { order: "newest", limit: 10 })).items;
    await expect(work()).rejects.toMatchObject({ kind: "data-loss" });
  });
});

it("says that its folder cannot be made", async () => {
  const file = path.join(await tempDir(), "a-file");
  await writeFile(file, "");
  const target = { kind: "sqlite", file: path.join(file, "catalog.sqlite") } as const;
  await expect(openOn(target)).rejects.toMatchObject({ name: "AppError", message: "open the database" });
});

/** In memory: how long a busy disk takes for a commit must not decide who gets a lock in time. */
async function newTarget(): Promise<DatabaseTarget & { readonly file: string }> {
  return { kind: "sqlite", file: path.join(await tempDir({ inMemory: true }), "catalog.sqlite") };
}

/** A database of some pages, written whole, without a write-ahead log beside it. */
async function closedCatalog(): Promise<DatabaseTarget & { readonly file: string }> {
  const target = await newTarget();
  const catalog = await openCatalog({ target, clock: createFakeClock(), nodeId: "node-1", sealing: SEALING });
  await recordFoundFiles(
    catalog,
    Array.from({ length: 50 }, (_, number) => segmentFile(number)),
  );
  await closeCatalog(catalog);
  return target;
}

async function overwrite(file: string, position: number, bytes: Buffer): Promise<void> {
  const handle = await open(file, "r+");
  await handle.write(bytes, 0, bytes.length, position);
  await handle.close();
}

/** As another process would be: a connection of its own, closed when the test ends. */
async function connect(file: string): Promise<sqlite3.Database> {
  const database = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(file, (error) => (error === null ? resolve(opened) : reject(error)));
  });
  onTestFinished(() => new Promise<void>((resolve) => database.close(() => resolve())));
  return database;
}

function execute(database: sqlite3.Database, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    database.exec(sql, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** A file system of one megabyte, in memory; only root may mount it. */
async function smallDisk(): Promise<string> {
  const directory = path.join(await tempDir(), "disk");
  await mkdir(directory);
  await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory]);
  onTestFinished(async () => {
    await run("umount", ["-l", directory]);
  });
  return directory;
}

async function fillDisk(file: string): Promise<void> {
  const handle = await open(file, "w");
  try {
    for (;;) await handle.write(Buffer.alloc(4_096));
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOSPC") throw error;
  } finally {
    await handle.close();
  }
}

async function recordUntilFull(catalog: Catalog): Promise<{ stored: number; error: unknown }> {
  for (let number = 1; number < 5_000; number += 1) {
    try {
      await recordOne(catalog, segmentFile(number));
    } catch (error) {
      return { stored: number, error };
    }
  }
  throw new Error("the disk does not become full");
}

async function integrityOf(catalog: Catalog): Promise<string | undefined> {
  const rows: { integrity_check: string }[] = await catalog.db.raw("pragma integrity_check");
  return rows[0]?.integrity_check;
}
