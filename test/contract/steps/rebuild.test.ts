/** A lost or an old database: bucket and record directory hold all there is to know (F38, F39). */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { rebuildFromStore, type RebuildResult } from "../../../src/archive/rebuild-from-store.js";
import { insertPath } from "../../../src/catalog/paths.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { createSource } from "../../support/put-source.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, nameOf, STREAM_B, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const PREFIX = "recordings";
const NEVER = new AbortController().signal;

useBench();

let original: Bench;

/** cam1 keeps its files, cam2's are released at once; cam3 has no mtxi and a gap, and one torn file. */
beforeEach(async () => {
  original = await createBench({ env: { LOCAL_RETENTION: "1h" } });
  await insertPath(original.catalog, {
    ...{ name: parsePathName("cam2"), settings: {}, enabled: true, archive: "all" },
    ...{ localRetention: "0s", archiveRetention: null, labels: [] },
  });
  for (const number of [0, 1, 2]) {
    const startUs = START_US + number * 4_000_000;
    await add("cam1", startUs, footage({ startUs, number }));
    await add("cam2", startUs, footage({ startUs, number: number * 2, streamId: STREAM_B }));
    await add("cam3", startUs + number * 5_000_000, footage({ startUs, seconds: 2 + number }));
  }
  const lateUs = START_US + 60_000_000;
  await add("cam3", lateUs, footage({ startUs: lateUs, finalised: false }).subarray(0, -5));
  await original.scan();
  // A removal that finds a doubt waits for its next try.
  await waitFor("cam2 to be released", async () => {
    await original.drain();
    return (await original.rows()).filter(({ local }) => local === "released").length === 3;
  });
  expect((await original.rows()).map(({ local }) => local)).toEqual([
    ...["present", "present", "present", "released", "released", "released"],
    ...["present", "present", "present", "present"],
  ]);
});

function add(camera: string, startUs: number, content: Buffer): Promise<void> {
  return writeAt(original.clock, path.join(original.recordDir, nameOf(camera, startUs)), content, { agoSec: 100 });
}

/** As `reelkeeper rebuild` does. */
async function rebuild(bench: Bench): Promise<RebuildResult> {
  const deps = {
    catalog: bench.catalog,
    logger: bench.setup.logger,
    store: bench.store,
    prefix: PREFIX,
    thumbnailIntervalUs: 0,
  };
  const result = await rebuildFromStore(deps, () => undefined, new AbortController().signal);
  await bench.scan();
  return result;
}

/** All that a viewer sees of a recording. */
function factsOf(row: Recording) {
  const { id, path: name, format, startUs, endUs, mediaDurationUs, filePath, bytes, tracks, position, partial } = row;
  const { gapBeforeUs, missingBefore, local, archive, objectKey, md5, sha256 } = row;
  return {
    ...{ id, name, format, startUs, endUs, mediaDurationUs, filePath, bytes, tracks, position, partial },
    ...{ gapBeforeUs, missingBefore, local, archive, objectKey, md5, sha256 },
  };
}

describe("rebuild after the database was lost (F38)", () => {
  it("brings every row back as it was, released ones too, and a second run changes nothing", async () => {
    await original.stopWorker();
    const rebuilt = await createBench({ beside: original, env: { LOCAL_RETENTION: "1h" } });
    expect(await rebuild(rebuilt)).toEqual({ objects: 10, inserted: 10, adopted: 0, completed: 0, foreign: 0 });
    await rebuilt.drain();
    const rows = (await rebuilt.rows()).map(factsOf);
    expect(rows).toEqual((await original.rows()).map(factsOf));
    expect(await rebuild(rebuilt)).toEqual({ objects: 10, inserted: 0, adopted: 0, completed: 0, foreign: 0 });
    await rebuilt.drain();
    expect((await rebuilt.rows()).map(factsOf)).toEqual(rows);
  });

  it("finds the same when the bucket comes last: the scan alone, then rebuild", async () => {
    await original.stopWorker();
    const rebuilt = await createBench({ beside: original, env: { LOCAL_RETENTION: "1h" } });
    await rebuilt.scan();
    await rebuilt.drain();
    await rebuild(rebuilt);
    await rebuilt.drain();
    const withoutId = (row: Recording) => ({ ...factsOf(row), id: "" });
    expect((await rebuilt.rows()).map(withoutId)).toEqual((await original.rows()).map(withoutId));
  });

  it("leaves objects that carry no facts of ours alone, however odd, and rebuilds the rest", async () => {
    const directory = await tempDir();
    const good = (await original.rows())[0]!;
    const facts = (await original.store.head(good.objectKey!, NEVER))!.metadata;
    const odd: Record<string, string>[] = [
      {},
      { ...facts, "recording-id": "not-a-uuid" },
      ...(
        [
          ["path", "../../etc"],
          ["start-at", "yesterday"],
          ["end-at", "1970-01-01T00:00:00Z"],
          ["tracks", "[{]"],
          ["tracks", '[{"kind":"smell"}]'],
          ["file-path", "%E0%A4%A"],
          ["segment-number", "many"],
        ] as const
      ).map(([name, value], at) => ({
        ...facts,
        "recording-id": `0190aaaa-0000-7000-8000-00000000000${at}`,
        [name]: value,
      })),
    ];
    for (const [at, metadata] of odd.entries()) {
      const source = { ...(await createSource(directory)), metadata };
      // Before all others in the list, so that a failure would end the rebuild before them.
      await original.store.put(`${PREFIX}/aaa/odd-${at}.mp4`, source, { signal: NEVER });
    }
    const byHand = path.join(original.bucketDir, PREFIX, "aaa", "by-hand.mp4");
    await mkdir(path.dirname(byHand), { recursive: true });
    await writeFile(byHand, "put there by hand");
    await original.stopWorker();
    const rebuilt = await createBench({ beside: original, env: { LOCAL_RETENTION: "1h" } });
    expect(await rebuild(rebuilt)).toEqual({ objects: 20, inserted: 10, adopted: 0, completed: 0, foreign: 10 });
    await rebuilt.drain();
    expect((await rebuilt.rows()).map(factsOf)).toEqual((await original.rows()).map(factsOf));
  });
});

describe("a database of yesterday", () => {
  it("learns that what it was about to archive is in the store, and gone from the disk since (F39)", async () => {
    const startUs = START_US + 3_600_000_000;
    await add("cam1", startUs, footage({ startUs, number: 9 }));
    await add("cam2", startUs, footage({ startUs, number: 9, streamId: STREAM_B }));
    await original.stopWorker();
    await original.scan();
    const yesterday = path.join(await tempDir(), "yesterday.sqlite");
    await original.catalog.db.raw("vacuum into ?", [yesterday]);
    await original.drain();
    await original.stopWorker();
    const restored = await createBench({
      ...{ beside: original, env: { LOCAL_RETENTION: "1h" }, databaseFile: yesterday },
    });
    expect(await rebuild(restored)).toEqual({ objects: 12, inserted: 0, adopted: 2, completed: 0, foreign: 0 });
    await restored.drain();
    const state = (rows: Recording[]) =>
      rows.map(({ id, archive, objectKey, sha256 }) => ({ id, archive, objectKey, sha256 }));
    expect(state(await restored.rows())).toEqual(state(await original.rows()));
    expect((await restored.rows()).map(({ local }) => local)).toEqual([
      ...["present", "present", "present", "present", "released", "released", "released", "missing"],
      ...["present", "present", "present", "present"],
    ]);
  });

  it("takes in what it does not know and removes nothing (F39)", async () => {
    await original.stopWorker();
    const yesterday = path.join(await tempDir(), "yesterday.sqlite");
    await original.catalog.db.raw("vacuum into ?", [yesterday]);
    const startUs = START_US + 3_600_000_000;
    await add("cam1", startUs, footage({ startUs, number: 9 }));
    await add("cam2", startUs, footage({ startUs, number: 9, streamId: STREAM_B }));
    await original.scan();
    await original.drain();
    await original.stopWorker();
    const restored = await createBench({
      ...{ beside: original, env: { LOCAL_RETENTION: "1h" }, databaseFile: yesterday },
    });
    expect(await rebuild(restored)).toEqual({ objects: 12, inserted: 2, adopted: 0, completed: 0, foreign: 0 });
    await restored.drain();
    expect((await restored.rows()).map(factsOf)).toEqual((await original.rows()).map(factsOf));
  });
});
