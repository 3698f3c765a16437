/** Lists and timelines from ten million rows, at the HTTP client, on both databases. */
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { closeCatalog, openCatalog } from "../../src/catalog/catalog.js";
import type { DatabaseTarget } from "../../src/catalog/database.js";
import { systemClock } from "../../src/platform/clock.js";
import { startApp } from "../support/app.js";
import { startPostgres } from "../support/postgres.js";
import { SEALING, SECRET_KEY_LINE } from "../support/sealing.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { below, IS_QUICK, type Line, report } from "./support/report.js";
import { SEED, seededPath, seedRows } from "./support/seed-rows.js";
import { timeRequests } from "./support/timed-get.js";

const ROWS = Number(process.env["BENCH_ROWS"] ?? (IS_QUICK ? 5_000 : 10_000_000));
const REQUESTS = IS_QUICK ? 20 : 300;
/** As for a database of this size on a machine of its own; most of it is read from the disk all the same. */
const LARGE_SERVER = { shared_buffers: "1GB", max_wal_size: "8GB" };
const ROWS_OF_A_DAY = 1_440;
const CACHE_DIR = path.join(process.env["CACHE_DIR"] ?? path.join(os.homedir(), ".cache", "reelkeeper"), "bench");

it("lists from many rows in SQLite", async () => {
  const file = await seededSqlite();
  await warm({ kind: "sqlite", file });
  report("lists-sqlite", await measure("SQLite", `sqlite:${file}`));
});

it("lists from many rows in PostgreSQL", async () => {
  const server = await startPostgres({ settings: IS_QUICK ? {} : LARGE_SERVER });
  onTestFinished(() => server.stop());
  const url = await server.createDatabase();
  await seed({ kind: "postgres", url });
  await warm({ kind: "postgres", url });
  report("lists-postgres", await measure("PostgreSQL", url));
});

/** Kept between runs: writing the rows takes minutes. */
async function seededSqlite(): Promise<string> {
  const directory = IS_QUICK ? await tempDir() : CACHE_DIR;
  const file = path.join(directory, `rows-${ROWS}-with-gaps.sqlite`);
  if (existsSync(file)) return file;
  await mkdir(directory, { recursive: true });
  const unfinished = `${file}.tmp`;
  for (const suffix of ["", "-wal", "-shm"]) await rm(unfinished + suffix, { force: true });
  await seed({ kind: "sqlite", file: unfinished });
  await rename(unfinished, file);
  return file;
}

async function seed(target: DatabaseTarget): Promise<void> {
  const catalog = await openCatalog({ target, clock: systemClock, nodeId: SEED.nodeId, sealing: SEALING });
  if (target.kind === "sqlite") await catalog.db.raw("pragma synchronous=off");
  await seedRows(catalog.db, ROWS, (done) => process.stderr.write(`${target.kind}: ${done} of ${ROWS} rows\r`));
  await closeCatalog(catalog);
}

/** As on a machine that has been up for a while: from a cold disk each answer takes what the disk needs besides. */
async function warm(target: DatabaseTarget): Promise<void> {
  const catalog = await openCatalog({ target, clock: systemClock, nodeId: SEED.nodeId, sealing: SEALING });
  await catalog.db("recordings").sum("bytes");
  await closeCatalog(catalog);
}

async function measure(name: string, databaseUrl: string): Promise<Line[]> {
  const directory = await tempDir();
  const keyFile = path.join(directory, "secret-keys");
  await writeFile(keyFile, SECRET_KEY_LINE, { mode: 0o600 });
  const app = await startApp({
    directory,
    env: {
      ...{ DATABASE_URL: databaseUrl, NODE_ID: SEED.nodeId, SECRET_KEY_FILE: keyFile },
      // The first one would come meanwhile, and read and write all of it.
      BACKUP_INTERVAL: "0",
    },
  });
  onTestFinished(() => app.close());
  // Of a million files that a start has to look for.
  const isScanned = async () => (await app.get<{ finishedAt: string | null }>("/api/v1/scan")).finishedAt !== null;
  await waitFor("the first scan", isScanned, { timeoutMs: 900_000, intervalMs: 500 });
  const day = await app.get<{ items: unknown[] }>(dayTarget(0, ROWS_OF_A_DAY));
  expect(day.items).toHaveLength(Math.min(ROWS_OF_A_DAY, ROWS / SEED.paths));
  const numbers = Array.from({ length: REQUESTS }, (_, index) => index);
  const page = await timeRequests(
    app.url,
    numbers.map((number) => dayTarget(number, 100)),
  );
  const wholeDay = await timeRequests(
    app.url,
    numbers.map((number) => dayTarget(number, ROWS_OF_A_DAY)),
  );
  const newest = await timeRequests(
    app.url,
    numbers.map(() => "/api/v1/recordings?limit=100"),
  );
  const month = await timeRequests(
    app.url,
    numbers.map((number) => monthTarget(number)),
  );
  const buckets = await timeRequests(
    app.url,
    numbers.map((number) => `${monthTarget(number)}&resolution=3600`),
  );
  const days = await timeRequests(
    app.url,
    numbers.map((number) => `/api/v1/days?path=${pathOf(number)}&month=2026-0${(number % 2) + 1}&zone=Europe/Berlin`),
  );
  const archive = await timeRequests(
    app.url,
    numbers.map(() => "/api/v1/archive"),
  );
  return [
    below(`${name}: page of 100, p50`, page.p50Ms, { value: 3, unit: "ms" }),
    below(`${name}: page of 100, p99`, page.p99Ms, { value: 10, unit: "ms" }),
    below(`${name}: newest 100 of all paths, p50`, newest.p50Ms, { value: 3, unit: "ms" }),
    below(`${name}: day of ${ROWS_OF_A_DAY} rows, p50`, wholeDay.p50Ms, { value: 20, unit: "ms" }),
    below(`${name}: day of ${ROWS_OF_A_DAY} rows, p99`, wholeDay.p99Ms, { value: 40, unit: "ms" }),
    below(`${name}: timeline of a month of one path, p50`, month.p50Ms, { value: 50, unit: "ms" }),
    below(`${name}: timeline of a month of one path, p99`, month.p99Ms, { value: 100, unit: "ms" }),
    below(`${name}: coverage of a month by the hour, p50`, buckets.p50Ms, { value: 50, unit: "ms" }),
    below(`${name}: days of a month with footage, p50`, days.p50Ms, { value: 50, unit: "ms" }),
    below(`${name}: state counts of /archive, p50`, archive.p50Ms, { value: 5, unit: "ms" }),
  ];
}

/** Another path and another day each time, so that no answer is warm from the one before. */
function dayTarget(number: number, limit: number): string {
  const days = Math.max(1, Math.floor(ROWS / SEED.paths / ROWS_OF_A_DAY));
  const fromUs = SEED.startUs + ((number * 7) % days) * 86_400_000_000 + 1_000_000;
  const [from, to] = [fromUs, fromUs + 86_400_000_000 - 2_000_000].map((us) => new Date(us / 1_000).toISOString());
  const path = pathOf(number);
  return `/api/v1/recordings?${new URLSearchParams({ path, from: from!, to: to!, limit: String(limit) }).toString()}`;
}

/** Another path and another month each time. */
function monthTarget(number: number): string {
  const fromUs = SEED.startUs + (number % 30) * 86_400_000_000;
  const [from, to] = [fromUs, fromUs + 30 * 86_400_000_000].map((us) => new Date(us / 1_000).toISOString());
  return `/api/v1/timeline?${new URLSearchParams({ path: pathOf(number), from: from!, to: to! }).toString()}`;
}

function pathOf(number: number): string {
  return seededPath((number * 13) % SEED.paths);
}
