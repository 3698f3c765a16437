/** What PostgreSQL and the way to it can suffer while segments are archived and released. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import type { ObjectStore } from "../../src/archive/object-store.js";
import { type DatabaseTarget, translating } from "../../src/catalog/database.js";
import { startHalfOpenProxy } from "../support/half-open-proxy.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { waitFor } from "../support/wait-for.js";
import { openOn } from "./catalog/dialects.js";
import { type Bench, createBench, useBench } from "./steps/bench.js";
import { footage, nameOf, writeAt } from "./steps/footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const SEGMENTS = 24;
/** Of the two HEADs of each: the first proves, the second comes right before the removal. */
const TROUBLE_AT = [5, 17, 31, 44];
const TIMEOUT_MS = 60_000;

useBench();

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ survivesCrash: true });
});
afterAll(() => server.stop());

describe("PostgreSQL while segments are archived and released (F40)", () => {
  it("may crash and start again: the worker goes on by itself, each file is removed once, after its proof", async () => {
    const target = await freshTarget();
    const { bench, contents } = await work(target, () => server.crash());
    await expectAllReleased(bench, contents);
  });

  it("may vanish behind open connections: they are given up, and new ones are made", async () => {
    const target = await freshTarget();
    const url = new URL(target.url);
    const proxy = await startHalfOpenProxy({ host: url.hostname, port: Number(url.port) });
    onTestFinished(() => proxy.stop());
    url.port = String(proxy.port);
    const vanished: number[] = [];
    const behind = { kind: "postgres", url: url.href, silenceMs: 2_000 } as const;
    const { bench, contents } = await work(behind, () => Promise.resolve(void vanished.push(proxy.vanish())));
    await expectAllReleased(bench, contents);
    expect(vanished).toHaveLength(TROUBLE_AT.length);
    expect(Math.min(...vanished)).toBeGreaterThan(0);
  });

  it("may refuse a transaction for the sake of another: that is tried again, not an error of ours", async () => {
    const { db } = await openOn(await freshTarget());
    await db.raw("create table seats (id int primary key, taken boolean)");
    await db("seats").insert([1, 2].map((id) => ({ id, taken: false })));
    const isolationLevel = "serializable" as const;
    const [one, other] = [await db.transaction({ isolationLevel }), await db.transaction({ isolationLevel })];
    for (const trx of [one, other]) await trx("seats").where({ taken: false });
    await one("seats").where({ id: 1 }).update({ taken: true });
    await one.commit();
    const late = translating("take a seat", async () => {
      await other("seats").where({ id: 2 }).update({ taken: true });
      await other.commit();
    });
    await expect(late).rejects.toMatchObject({ kind: "unavailable", cause: { code: "40001" } });
    await other.rollback().catch(() => undefined);
  });
});

async function freshTarget(): Promise<Extract<DatabaseTarget, { kind: "postgres" }>> {
  const url = await server.createDatabase();
  onTestFinished(() => server.dropDatabase(url));
  return { kind: "postgres", url };
}

/** Lets the worker begin, with trouble right after some of the store's answers, before what follows from them is written. */
async function work(database: DatabaseTarget, trouble: () => Promise<void>) {
  let heads = 0;
  const wrapStore = (inner: ObjectStore): ObjectStore => ({
    ...inner,
    head: async (key, signal) => {
      const facts = await inner.head(key, signal);
      heads += 1;
      if (TROUBLE_AT.includes(heads)) await trouble();
      return facts;
    },
  });
  const bench = await createBench({ database, wrapStore, env: { LOCAL_RETENTION: "0s" } });
  const contents = new Map<string, Buffer>();
  for (let number = 0; number < SEGMENTS; number += 1) {
    const startUs = START_US + number * 4_000_000;
    const name = nameOf("cam1", startUs);
    contents.set(name, footage({ startUs, number }));
    await writeAt(bench.clock, path.join(bench.recordDir, name), contents.get(name)!, { agoSec: 100 });
  }
  await bench.scan();
  bench.startWorker();
  await waitFor("all trouble to come", () => heads >= Math.max(...TROUBLE_AT), { timeoutMs: TIMEOUT_MS });
  return { bench, contents };
}

/** What failed waits for its turn, up to some seconds: no hand helps. */
async function expectAllReleased(bench: Bench, contents: ReadonlyMap<string, Buffer>): Promise<void> {
  const isReleased = async (): Promise<boolean> => (await bench.rows()).every(({ local }) => local === "released");
  await waitFor("all local copies to be released", isReleased, { timeoutMs: TIMEOUT_MS });
  const rows = await bench.rows();
  expect(rows).toHaveLength(contents.size);
  const removals: { recording_id: string }[] = await bench.catalog.db("removals").select("recording_id");
  expect(removals.map(({ recording_id: id }) => id).sort()).toEqual(rows.map(({ id }) => id as string).sort());
  for (const { filePath, objectKey, archive } of rows) {
    expect(archive).toBe("verified");
    expect(existsSync(path.join(bench.recordDir, filePath))).toBe(false);
    expect((await readFile(path.join(bench.bucketDir, objectKey!))).equals(contents.get(filePath)!)).toBe(true);
  }
}
