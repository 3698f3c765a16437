/**
 * The questions that are asked all day use an index, however many rows there are (SQLite: in a new database, and with what
 * ANALYZE says of ten million rows, 100 paths, one machine).
 */
import { describe, expect, it } from "vitest";

import { countObjectKeys, findVerifiedAfter } from "../../src/catalog/archived-recordings.js";
import { listStepErrors, summarizeBacklog } from "../../src/catalog/archive-summary.js";
import type { Catalog } from "../../src/catalog/catalog.js";
import { listLatestRecordings, listRecordedPaths } from "../../src/catalog/latest-recordings.js";
import { type RecordingFilter, listRecordings } from "../../src/catalog/recording-lists.js";
import {
  claimDue,
  commitStep,
  hastenSettling,
  nextDueAtUs,
  releaseStaleLeases,
} from "../../src/catalog/recording-queue.js";
import { findFilesInDirectory, listFilesOnDisk, listOnDisk } from "../../src/catalog/files-on-disk.js";
import { recordFoundFiles } from "../../src/catalog/found-files.js";
import {
  findRecording,
  findRecordingOnDisk,
  hasLaterRecording,
  recordAbsentFile,
} from "../../src/catalog/recordings.js";
import { findLastSignOfLife } from "../../src/catalog/sign-of-life.js";
import { findPlayableById } from "../../src/catalog/playable-neighbours.js";
import { findListable, listListable } from "../../src/catalog/playable-recordings.js";
import { findToCatchUp } from "../../src/catalog/thumbnail-catch-up.js";
import { findLastThumbnail, listThumbnails, sweepThumbnails } from "../../src/catalog/thumbnails.js";
import { parsePathName } from "../../src/core/path-name.js";
import { parsePathPattern } from "../../src/core/path-pattern.js";
import { at, CAM1, insertRow, row, segmentFile } from "./catalog/builders.js";
import { DIALECTS, openFresh } from "./catalog/dialects.js";

const RANGE = { fromUs: at(0), toUs: at(86_400) };
const CAM2 = parsePathName("cam2");

const MANY = Array.from({ length: 150 }, (_, index) => parsePathName(`cam${index}`));
const SOME = [["cam1", "site/*"].map((text) => parsePathPattern(text)), [parsePathPattern("cam1")]];

const QUESTIONS: readonly (readonly [string, (catalog: Catalog) => Promise<unknown>])[] = [
  ["a page of all paths", pageOf({})],
  ["a page of one path", pageOf({ paths: [CAM1] })],
  ["a page of all paths that overlaps a range", pageOf(RANGE)],
  ["a page of one path that overlaps a range", pageOf({ ...RANGE, paths: [CAM1] })],
  ["a page of two paths", pageOf({ paths: [CAM1, CAM2] })],
  ["a page of two paths that overlaps a range", pageOf({ ...RANGE, paths: [CAM1, CAM2] })],
  ["a page of 150 paths", pageOf({ paths: MANY })],
  ["a page of 150 paths that overlaps a range", pageOf({ ...RANGE, paths: MANY })],
  ["the names of all paths", (catalog) => listRecordedPaths(catalog, [])],
  ["the names of some paths", (catalog) => listRecordedPaths(catalog, SOME)],
  ["the last recording of each path", listLatestRecordings],
  ["a claim", (catalog) => claimDue(catalog, { steps: ["inspect", "archive"], limit: 4, leaseMs: 1_000 })],
  ["the next due row", (catalog) => nextDueAtUs(catalog, ["archive"])],
  ["a commit that moves a row", commitMove],
  ["files found again and anew", (catalog) => recordFoundFiles(catalog, [segmentFile(0), segmentFile(50)])],
  ["a row by id", async (catalog) => findRecording(catalog, (await anyRow(catalog)).id)],
  ["a row by file on disk", (catalog) => findRecordingOnDisk(catalog, "cam1/0.mp4")],
  ["a row of a file that is not there", (catalog) => recordAbsentFile(catalog, row(0, { filePath: "cam1/0.mp4" }))],
  ["the rows of a directory", (catalog) => findFilesInDirectory(catalog, "cam1")],
  ["all rows on disk, in pages", (catalog) => listOnDisk(catalog).next()],
  ["all files on disk, in pages", (catalog) => listFilesOnDisk(catalog).next()],
  ["a later segment", (catalog) => hasLaterRecording(catalog, CAM1, at(0))],
  ["when this machine last did anything", findLastSignOfLife],
  ["the next proven object", (catalog) => findVerifiedAfter(catalog, "")],
  ["how many objects there are", (catalog) => countObjectKeys(catalog, 1)],
  ["leases of before", releaseStaleLeases],
  ["files that a later one closes", (catalog) => hastenSettling(catalog, new Map([[CAM1, at(9)]]), 1_000)],
  ["the backlog", summarizeBacklog],
  ["the last failures", listStepErrors],
  ["the pictures of a range", (catalog) => listThumbnails(catalog, CAM1, RANGE)],
  ["the last picture before an instant", (catalog) => findLastThumbnail(catalog, CAM1, RANGE)],
  ["the next pictures to look after", (catalog) => sweepThumbnails(catalog, { path: CAM1, atUs: at(5) })],
  ["the next recordings without pictures", (catalog) => findToCatchUp(catalog, 1_000_000)],
  ["what a playlist can name", (catalog) => findListable(catalog, { ...RANGE, path: CAM1 })],
  ["whether that is as it was", (catalog) => listListable(catalog, { ...RANGE, path: CAM1 })],
  ["a recording that is pictured", async (catalog) => findPlayableById(catalog, (await anyRow(catalog)).id)],
];

/** Written by ANALYZE: rows in all, then how many share the first column of the index, the first two, and so on. */
const STATISTICS: readonly (readonly [string, string])[] = [
  ["recordings", "10000000 100000 1 1"],
  ["recordings_copy_state", "10000000 100000 50000 1"],
  ["recordings_run_starts", "55600 556 1"],
  ["recordings_failed", "0 0 0"],
  ["recordings_backlog", "0 0 0 0 0"],
  ["recordings_object_key", "10000000 1"],
  ["recordings_due", "0 0 0 0 0"],
  ["recordings_live_file", "1440000 1440000 1"],
  ["recordings_start", "10000000 1 1"],
  ["recordings_id", "10000000 1"],
];

describe.each(["a new database", "a database of ten million rows"])("in %s", (which) => {
  it.each(QUESTIONS)("%s is answered from an index", async (_question, ask) => {
    const catalog = await openFresh(DIALECTS[0]!);
    await insertRow(catalog, 0, { step: "inspect" });
    await insertRow(catalog, 10, { step: "archive", error: "e" });
    await insertRow(catalog, 20, { path: CAM2 });
    if (which !== "a new database") await pretendStatistics(catalog);
    const plans = await plansOf(catalog, () => ask(catalog));
    expect(plans.length).toBeGreaterThan(0);
    // Walking an index in the order of the answer ends with the page; walking a table, or sorting all of it, does not.
    const slow = plans.filter(
      ({ step }) => /^SCAN recordings(?! USING (COVERING )?INDEX)/.test(step) || step.includes("TEMP B-TREE"),
    );
    expect(slow).toEqual([]);
  });
});

async function pretendStatistics({ db }: Catalog): Promise<void> {
  await db.raw("analyze");
  await db("sqlite_stat1").where({ tbl: "recordings" }).delete();
  await db("sqlite_stat1").insert(STATISTICS.map(([idx, stat]) => ({ tbl: "recordings", idx, stat })));
  await db.raw("analyze sqlite_schema");
}

function pageOf(filter: RecordingFilter): (catalog: Catalog) => Promise<unknown> {
  return async (catalog) => {
    const after = await anyRow(catalog);
    for (const order of ["newest", "oldest"] as const) {
      await listRecordings(catalog, filter, { order, limit: 100 });
      await listRecordings(catalog, filter, { order, limit: 100, after });
    }
  };
}

async function commitMove(catalog: Catalog): Promise<void> {
  const [claimed] = await claimDue(catalog, { steps: ["inspect"], limit: 1, leaseMs: 1_000 });
  await commitStep(catalog, claimed!, { patch: { startUs: at(1), step: null } });
}

async function anyRow(catalog: Catalog) {
  const [found] = (await listRecordings(catalog, {}, { order: "newest", limit: 1 })).items;
  return found!;
}

interface PlanStep {
  readonly sql: string;
  readonly step: string;
}

/** What SQLite does for each statement on `recordings` that the work sends. */
async function plansOf(catalog: Catalog, work: () => Promise<unknown>): Promise<PlanStep[]> {
  const statements: { sql: string; bindings: readonly unknown[] }[] = [];
  const listen = (query: { sql: string; bindings?: readonly unknown[] }): void => {
    if (/^(with|select|update|delete)\b.*\brecordings\b/s.test(query.sql)) {
      statements.push({ sql: query.sql, bindings: query.bindings ?? [] });
    }
  };
  const connections = [catalog.db, catalog.readDb];
  for (const connection of connections) connection.on("query", listen);
  await work();
  for (const connection of connections) connection.removeListener("query", listen);
  const plans: PlanStep[] = [];
  for (const { sql, bindings } of statements) {
    const rows: { detail: string }[] = await catalog.db.raw(`explain query plan ${sql}`, bindings as string[]);
    plans.push(...rows.map(({ detail }) => ({ sql, step: detail })));
  }
  return plans;
}
