/** Hooks and the watch record in groups: who goes first, who fails with whom, and what a locked database does to all. */
import path from "node:path";

import sqlite3 from "sqlite3";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import type { Catalog } from "../../src/catalog/catalog.js";
import { recordFoundFiles } from "../../src/catalog/found-files.js";
import { AppError } from "../../src/core/errors.js";
import type { FoundFile } from "../../src/core/found-file.js";
import { GroupCommit } from "../../src/ingest/group-commit.js";
import { PATIENCE } from "../support/patience.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { countRows, segmentFile } from "./catalog/builders.js";
import { DIALECTS, openFresh, openOn } from "./catalog/dialects.js";

const HOOK_DEADLINE_MS = 5_000 * PATIENCE;
/** A time that no column takes. */
const BAD = { startUs: Number.NaN };

/** Groups over this catalog, and which files were in each; the first one waits for `open`. */
function watchedGroups(catalog: Catalog) {
  const groups: string[][] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const groupCommit = new GroupCommit(async (files) => {
    groups.push(files.map(({ filePath }) => filePath));
    if (groups.length === 1) await gate;
    return recordFoundFiles(catalog, files);
  });
  return { groups, groupCommit, open };
}

function hookFile(number: number, changes: Partial<FoundFile> = {}): FoundFile {
  return segmentFile(number, { origin: "hook", ...changes });
}

function watchFile(number: number): FoundFile {
  return segmentFile(number, { origin: "watch" });
}

function numbersOf(groups: readonly (readonly string[])[]): number[][] {
  return groups.map((group) => group.map((filePath) => Number(path.basename(filePath, ".mp4"))));
}

describe.each(DIALECTS)("files that are told of at once, on $name", (dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  it("are recorded together while another group is, hooks before the watch and each in its order", async () => {
    const catalog = await openFresh(dialect);
    const { groups, groupCommit, open } = watchedGroups(catalog);
    const files = [hookFile(0), watchFile(1), hookFile(2), watchFile(3), hookFile(4)];
    const results = files.map((file) => groupCommit.record(file));
    open();
    const ids = (await Promise.all(results)).map(({ id }) => id);
    expect(numbersOf(groups)).toEqual([[0], [2, 4, 1, 3]]);
    const rows: { id: string; file_path: string }[] = await catalog.db("recordings").select("id", "file_path");
    const idOf = new Map(rows.map((row) => [row.file_path, row.id]));
    expect(ids).toEqual(files.map(({ filePath }) => idOf.get(filePath)));
  });

  it("go in groups of bounded size, and a hook that comes late overtakes the watch", async () => {
    const catalog = await openFresh(dialect);
    const { groups, groupCommit, open } = watchedGroups(catalog);
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    const results = numbers.map((number) => groupCommit.record(watchFile(number)));
    results.push(groupCommit.record(hookFile(900)));
    open();
    await Promise.all(results);
    expect(Math.max(...groups.map((group) => group.length))).toBeLessThan(100);
    expect(numbersOf(groups)[1]?.[0]).toBe(900);
    expect(await countRows(catalog)).toBe(201);
  });

  it("that are one file get one row and one answer (F3)", async () => {
    const catalog = await openFresh(dialect);
    const { groups, groupCommit, open } = watchedGroups(catalog);
    const results = Array.from({ length: 10 }, () => groupCommit.record(hookFile(0)));
    open();
    const answers = await Promise.all(results);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.map(({ finding }) => finding)).toEqual(["insert", ...Array.from({ length: 9 }, () => "unchanged")]);
    expect(groups.map((group) => group.length)).toEqual([1, 9]);
    expect(await countRows(catalog)).toBe(1);
  });

  it("do not fail with a neighbour: each is recorded alone then, and only the bad one is refused", async () => {
    const catalog = await openFresh(dialect);
    const { groups, groupCommit, open } = watchedGroups(catalog);
    const files = [hookFile(0), hookFile(1), hookFile(2, BAD), watchFile(3), hookFile(4)];
    const results = files.map((file) => groupCommit.record(file));
    open();
    const ends = await Promise.allSettled(results);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(ends[2]).toMatchObject({ reason: { kind: "internal" } });
    expect(numbersOf(groups)).toEqual([[0], [1, 2, 4, 3], [1], [2], [4], [3]]);
    expect(await countRows(catalog)).toBe(4);
    await groupCommit.record(hookFile(5));
    expect(await countRows(catalog)).toBe(5);
  });

  it("are answered only after their commit", async () => {
    const catalog = await openFresh(dialect);
    const { groupCommit, open } = watchedGroups(catalog);
    open();
    const counts = await Promise.all(
      [0, 1, 2, 3].map(async (number) => {
        await groupCommit.record(hookFile(number));
        const rows: unknown[] = await catalog.db("recordings").where({ file_path: hookFile(number).filePath });
        return rows.length;
      }),
    );
    expect(counts).toEqual([1, 1, 1, 1]);
  });
});

describe("a database that takes nothing", () => {
  it("because another process has locked it refuses all within five seconds, also who comes meanwhile (F36)", async () => {
    const file = path.join(await tempDir(), "catalog.sqlite");
    const catalog = await openOn({ kind: "sqlite", file });
    const groupCommit = new GroupCommit((files) => recordFoundFiles(catalog, files));
    const rival = await lock(file);
    const waited = async (number: number): Promise<number> => {
      const startedMs = performance.now();
      await expect(groupCommit.record(hookFile(number))).rejects.toMatchObject({ kind: "unavailable" });
      return performance.now() - startedMs;
    };
    const first = [0, 1, 2].map(waited);
    const later = Array.from({ length: 300 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index));
      return waited(10 + index);
    });
    for (const waitedMs of await Promise.all([...first, ...later])) expect(waitedMs).toBeLessThan(HOOK_DEADLINE_MS);
    await rival.unlock();
    await groupCommit.record(hookFile(0));
    expect(await countRows(catalog)).toBe(1);
  });

  it.each(["unavailable", "resource-exhausted", "data-loss"] as const)(
    "(%s) is not asked once for each file",
    async (kind) => {
      const groups: number[] = [];
      const groupCommit = new GroupCommit((files) => {
        groups.push(files.length);
        return Promise.reject(new AppError({ kind, message: "record found files" }));
      });
      const ends = await Promise.allSettled([0, 1, 2, 3].map((number) => groupCommit.record(hookFile(number))));
      expect(ends.map((end) => (end.status === "rejected" ? (end.reason as AppError).kind : "done"))).toEqual(
        ends.map(() => kind),
      );
      expect(groups).toEqual([1]);
    },
  );
});

/** As another process would; undone when the test ends. */
async function lock(file: string): Promise<{ unlock(): Promise<void> }> {
  const rival = new sqlite3.Database(file);
  onTestFinished(() => new Promise<void>((resolve) => rival.close(() => resolve())));
  const execute = (sql: string): Promise<void> =>
    new Promise((resolve, reject) => {
      rival.exec(sql, (error) => (error === null ? resolve() : reject(error)));
    });
  await waitFor("the lock", async () => {
    await execute("begin exclusive");
    return true;
  });
  return { unlock: () => execute("commit") };
}
