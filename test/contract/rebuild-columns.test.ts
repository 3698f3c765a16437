/** A lost database, column by column: what bucket and folder bring back, and what they cannot (F38). */
import { cp, readdir, utimes } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ObjectStore, PutSource } from "../../src/archive/object-store.js";
import { rebuildFromStore } from "../../src/archive/rebuild-from-store.js";
import { dialectOf } from "../../src/catalog/dialect.js";
import { insertPath } from "../../src/catalog/paths.js";
import { parsePathName } from "../../src/core/path-name.js";
import { init, part, samples } from "../support/fmp4.js";
import { waitFor } from "../support/wait-for.js";
import { DIALECTS } from "./catalog/dialects.js";
import { type Bench, createBench, useBench } from "./steps/bench.js";
import { footage, nameOf, writeAt } from "./steps/footage.js";

const FIXTURE_DIR = path.resolve(import.meta.dirname, "../fixtures/recordings/v1.20.1");
const START_US = Date.UTC(2026, 10, 21) * 1_000;
const PREFIX = "recordings";
const LOST_DETAIL = "a detail of the database itself";

/** Tables that are compared, and by what their rows are ordered. */
const COMPARED: Readonly<Record<string, string>> = { recordings: "file_path", fragment_indexes: "recording_id" };

/** Columns that may differ, and why. Whatever is not named here must be the same. */
const MAY_DIFFER: Readonly<Record<string, string>> = {
  verified_at_us: "the copy is proven again, and that is when",
  next_attempt_at_us: "retention counts from the new proof",
  origin: "says that the row was rebuilt",
  created_at_us: LOST_DETAIL,
  updated_at_us: LOST_DETAIL,
};

/** Tables that footage cannot tell, and what does instead. */
const NOT_REBUILT: Readonly<Record<string, string>> = {
  migrations: LOST_DETAIL,
  paths: "settings and passwords of cameras are in the backup of the database, not in the bucket",
  removals: "who removed what is in the backup of the database",
  path_events: "what MediaMTX told of its sources is in the backup of the database",
  recording_conditions: "when a path was switched off or the machine was down is in the backup of the database",
  users: "who may do what is in the backup of the database",
  user_grants: "who may do what is in the backup of the database",
  sessions: "people log in again",
  api_tokens: "tokens are in the backup of the database",
  publish_credentials: "what cameras publish with is in the backup of the database",
  shares: "links are in the backup of the database",
  audit: "who did what is in the backup of the database",
  config_versions: "earlier configurations are in the backup of the database",
  sealing: "a new database is sealed from its first row",
  exports: "results can be asked for again",
  thumbnails: "pictures are found in the store again, or made again",
  thumbnail_queue: "a rebuild queues what it brings back",
  rejected_files: "the scan finds them again",
  remembered: "the guard of removals finds out again",
  deletion_stops: "the guard of removals finds out again",
};

useBench();

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("rebuild on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  it("brings back every column of every recording, released ones too, from folder and bucket alone (F38)", async () => {
    const original = await createBench({ database: await dialect.freshTarget(), wrapStore: forgettingMd5OfOne });
    await record(original);
    const before = await tables(original);
    await original.stopWorker();

    const rebuilt = await createBench({ database: await dialect.freshTarget(), beside: original });
    await expectTables(rebuilt);
    await rebuild(rebuilt);
    await rebuilt.scan();
    await rebuilt.drain();
    const after = await tables(rebuilt);

    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [table, rows] of Object.entries(before)) {
      expect(after[table]!.map(comparable)).toEqual(rows.map(comparable));
    }
    const released = before["recordings"]!.filter(({ local }) => local === "released");
    expect(released).toHaveLength(10);
    expect(before["recordings"]).toHaveLength(18);
    expect(before["fragment_indexes"]).toHaveLength(18);

    await rebuild(rebuilt);
    expect((await tables(rebuilt))["recordings"]!.map(comparable)).toEqual(after["recordings"]!.map(comparable));
  });

  it("gives a row that an earlier rebuild left without its fragment index one, and changes no other (F38)", async () => {
    const bench = await createBench({ database: await dialect.freshTarget(), env: { LOCAL_RETENTION: "0s" } });
    await addFootage(bench, "gate", footage({ startUs: START_US, number: 1 }));
    await bench.scan();
    await released(bench, 1);
    const before = await tables(bench);
    await bench.catalog.db("fragment_indexes").delete();
    expect(await rebuild(bench)).toMatchObject({ objects: 1, inserted: 0, adopted: 0, completed: 1 });
    expect(await tables(bench)).toEqual(before);
    expect(await rebuild(bench)).toMatchObject({ objects: 1, inserted: 0, adopted: 0, completed: 0 });
  });

  it("takes the longer of two versions of a file that grew after it was archived (F9, F38)", async () => {
    const original = await createBench({ database: await dialect.freshTarget(), env: { LOCAL_RETENTION: "1h" } });
    await addFootage(original, "gate", footage({ startUs: START_US, number: 1, seconds: 2, finalised: false }));
    await original.scan();
    await original.drain();
    await addFootage(original, "gate", footage({ startUs: START_US, number: 1, seconds: 5 }));
    await original.scan();
    await original.drain();
    await released(original, 1);
    const [before] = (await tables(original))["recordings"]!;
    expect(before).toMatchObject({ local: "released", archive: "verified" });
    await original.stopWorker();
    const rebuilt = await createBench({ database: await dialect.freshTarget(), beside: original });
    expect(await rebuild(rebuilt)).toMatchObject({ objects: 2, inserted: 1, adopted: 1 });
    expect(comparable((await tables(rebuilt))["recordings"]![0]!)).toEqual(comparable(before!));
  });
});

/** 16 real segments; two cameras release theirs at once, and so do a file of 12 tracks and one of before `md5`. */
async function record(bench: Bench): Promise<void> {
  await cp(FIXTURE_DIR, bench.recordDir, { recursive: true });
  const hourAgo = bench.clock.nowUs() / 1e6 - 3_600;
  for (const entry of await readdir(bench.recordDir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(path.join(entry.parentPath, entry.name), hourAgo, hourAgo);
  }
  await addFootage(bench, "wide", wideFootage(12));
  await addFootage(bench, "old", footage({ startUs: START_US, number: 7 }));
  for (const camera of ["h264-aac", "killed", "wide", "old"]) await releaseAtOnce(bench, camera);
  await bench.scan();
  await released(bench, 10, false);
}

/** A removal that finds a doubt waits for its next try. `early`: before the retention is over. */
async function released(bench: Bench, files: number, early = true): Promise<void> {
  const look = async (): Promise<boolean> => {
    await bench.drain();
    if ((await bench.rows()).filter(({ local }) => local === "released").length === files) return true;
    if (early) await bench.makeDue();
    return false;
  };
  await waitFor(`${files} files to be released`, look, { timeoutMs: 30_000 });
}

async function releaseAtOnce(bench: Bench, camera: string): Promise<void> {
  await insertPath(bench.catalog, {
    ...{ name: parsePathName(camera), settings: {}, enabled: true, archive: "all" },
    ...{ localRetention: "0s", archiveRetention: null, labels: [] },
  });
}

function addFootage(bench: Bench, camera: string, content: Buffer): Promise<void> {
  return writeAt(bench.clock, path.join(bench.recordDir, nameOf(camera, START_US)), content, { agoSec: 100 });
}

/** So many tracks that their description does not fit into an object's metadata. */
function wideFootage(tracks: number): Buffer {
  const ids = Array.from({ length: tracks }, (_, at) => at + 1);
  const mtxi = {
    streamId: "0a5c1b1e-0000-4000-8000-00000000000c",
    segmentNumber: 3n,
    ntpNs: BigInt(START_US) * 1_000n,
  };
  return Buffer.concat([
    init({ tracks: ids.map((id) => ({ id, timescale: 90_000 })), mvhdDurationMs: 1_000, mtxi }),
    part({ tracks: ids.map((id) => ({ id, tfdt: 0, samples: samples(10, 9_000) })) }),
  ]);
}

/** As objects of before said no MD5; a store that vouches for a single PUT's does. */
function forgettingMd5OfOne(inner: ObjectStore): ObjectStore {
  const withoutMd5 = (source: PutSource): PutSource => {
    const metadata = Object.entries(source.metadata).filter(([name]) => name !== "md5");
    return { ...source, metadata: Object.fromEntries(metadata) };
  };
  return {
    ...inner,
    put: (key, source, options) => inner.put(key, key.includes("/old/") ? withoutMd5(source) : source, options),
  };
}

async function rebuild(bench: Bench) {
  const { catalog, store, setup } = bench;
  const deps = { catalog, store, logger: setup.logger, prefix: PREFIX, thumbnailIntervalUs: 0 };
  return rebuildFromStore(deps, () => undefined, new AbortController().signal);
}

type Row = Record<string, unknown>;

async function tables(bench: Bench): Promise<Record<string, Row[]>> {
  const all: Record<string, Row[]> = {};
  for (const [table, order] of Object.entries(COMPARED)) {
    all[table] = (await bench.catalog.db(table).orderBy(order)) as Row[];
  }
  return all;
}

function comparable(row: Row): Row {
  const entries = Object.entries(row).filter(([column]) => !(column in MAY_DIFFER));
  // Of a file that is gone: it could only make a file that is found later look like a removed one.
  const told = entries.filter(([column]) => !(column === "file_identity" && row["local"] === "released"));
  return Object.fromEntries(
    told.map(([column, value]) => [column, column === "tracks" ? JSON.parse(String(value)) : value]),
  );
}

/** A new table has to be rebuilt, or to be named above with the reason why not. */
async function expectTables({ catalog }: Bench): Promise<void> {
  const sql =
    dialectOf(catalog.db) === "postgres"
      ? "select table_name as name from information_schema.tables where table_schema = 'public'"
      : "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'";
  const result = (await catalog.db.raw(sql)) as { name: string }[] | { rows: { name: string }[] };
  const names = ("rows" in result ? result.rows : result).map(({ name }) => name);
  expect(names.sort()).toEqual([...Object.keys(COMPARED), ...Object.keys(NOT_REBUILT)].sort());
}
