/** The corpus of broken recordings through all of the product: scan, inspection, archive. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { breakRecording } from "../../support/broken-recordings.js";
import { waitFor } from "../../support/wait-for.js";
import { fixture } from "../../unit/media/fixtures.js";
import { createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const CAMERA = /^broken(\d+)$/;
/** Of some thousand, evenly: ffprobe is asked about each that the walk refuses. */
const SAMPLES = 80;
const DRAIN_TIMEOUT_MS = 50_000;

useBench();

it(`${SAMPLES} broken files are quarantined where they are, or archived as they are, and hold nothing up (F12)`, async () => {
  const corpus = ["v1.20.1/h264-aac/2026-11-20_17-04-54", "v1.20.1/killed"].flatMap((name) =>
    breakRecording(readFileSync(fixture(name).filePath), 80),
  );
  expect(corpus.length).toBeGreaterThan(2 * SAMPLES);
  const broken = Array.from({ length: SAMPLES }, (_, at) => corpus[Math.floor((at * corpus.length) / SAMPLES)]!);
  const bench = await createBench({ env: { ARCHIVE_READ_BACK_PERCENT: "100", LOCAL_RETENTION: "1h" } });
  for (const [at, { bytes }] of broken.entries()) {
    await writeAt(bench.clock, path.join(bench.recordDir, nameOf(`broken${at}`, START_US)), bytes, { agoSec: 100 });
  }
  const sound = path.join(bench.recordDir, nameOf("sound", START_US));
  await writeAt(bench.clock, sound, footage({ startUs: START_US, number: 0 }), { agoSec: 100 });
  await bench.scan();
  bench.startWorker();
  await waitFor("the queue to be at rest", () => bench.isAtRest(), { timeoutMs: DRAIN_TIMEOUT_MS });

  const rows = await bench.rows();
  expect(rows.find(({ path: name }) => name === "sound")).toMatchObject({ archive: "verified", error: null });
  const told = new Set<string>();
  for (const row of rows) {
    const number = CAMERA.exec(row.path)?.[1];
    if (number === undefined) continue;
    const { what, bytes } = broken[Number(number)]!;
    expect((await readFile(path.join(bench.recordDir, row.filePath))).equals(bytes), what).toBe(true);
    told.add(row.local);
    if (row.local === "quarantined") {
      expect(row, what).toMatchObject({ archive: "none", step: null, error: expect.stringMatching(/\w/) as string });
    } else {
      expect(row, what).toMatchObject({ local: "present", archive: "verified", error: null, bytes: bytes.length });
      expect((await readFile(path.join(bench.bucketDir, row.objectKey!))).equals(bytes), what).toBe(true);
    }
  }
  expect(rows).toHaveLength(SAMPLES + 1);
  expect([...told].sort()).toEqual(["present", "quarantined"]);
  // Nothing of it killed the thread that reads, nor is looked at again.
  expect(bench.log.filter(({ level, message }) => level === "error" && message !== "file quarantined")).toEqual([]);
  expect(await bench.scan()).toMatchObject({ recorded: 0, missing: 0 });
});
