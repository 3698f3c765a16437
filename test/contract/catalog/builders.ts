/** Found files and rows with facts that do not matter filled in. */
import type { Catalog } from "../../../src/catalog/catalog.js";
import { recordFoundFiles } from "../../../src/catalog/found-files.js";
import { findRecording, insertRecording, type NewRecording } from "../../../src/catalog/recordings.js";
import type { FoundFile } from "../../../src/core/found-file.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { NOT_LOOKED_INTO, type Recording, type RecordingId } from "../../../src/core/recording.js";
import { createFakeClock } from "../../support/fake-clock.js";

export const CAM1 = parsePathName("cam1");
export const STREAM_A = "0a5c1b1e-0000-4000-8000-00000000000a";
export const STREAM_B = "0a5c1b1e-0000-4000-8000-00000000000b";
const SEGMENT_US = 4_000_000;
/** Where the fake clock stands at first. */
const START_US = createFakeClock().nowUs();

/** `sec` seconds after the fake clock's start. */
export function at(sec: number): number {
  return START_US + Math.round(sec * 1_000_000);
}

/** Segment `number` of stream A on cam1: four seconds each, closed, its own file. */
export function segmentFile(number: number, changes: Partial<FoundFile> = {}): FoundFile {
  return {
    ...NOT_LOOKED_INTO,
    path: CAM1,
    format: "fmp4",
    startUs: START_US + number * SEGMENT_US,
    position: { streamId: STREAM_A, segmentNumber: number },
    filePath: `${changes.path ?? CAM1}/${String(number).padStart(4, "0")}.mp4`,
    fileIdentity: `1:${100 + number}:1000:5`,
    bytes: 1_000,
    closed: true,
    origin: "scan",
    ...changes,
  };
}

/** A row as the inspection left it: `sec` to `sec + 4`, present, verified nowhere, nothing due. */
export function row(sec: number, changes: Partial<NewRecording> = {}): NewRecording {
  const startUs = at(sec);
  return {
    ...NOT_LOOKED_INTO,
    path: CAM1,
    format: "fmp4",
    startUs,
    endUs: startUs + SEGMENT_US,
    mediaDurationUs: SEGMENT_US,
    filePath: `${changes.path ?? CAM1}/${sec}.mp4`,
    fileIdentity: `1:${sec}:1000:5`,
    bytes: 1_000,
    local: "present",
    nextAttemptAtUs: START_US,
    origin: "scan",
    ...changes,
  };
}

export function insertRow(catalog: Catalog, sec: number, changes: Partial<NewRecording> = {}): Promise<Recording> {
  return insertRecording(catalog, row(sec, changes));
}

export async function recordOne(catalog: Catalog, found: FoundFile): Promise<{ id: RecordingId; finding: string }> {
  const [result] = await recordFoundFiles(catalog, [found]);
  if (result === undefined) throw new Error("one file gives one result");
  return result;
}

export async function read(catalog: Catalog, id: RecordingId): Promise<Recording> {
  const recording = await findRecording(catalog, id);
  if (recording === undefined) throw new Error(`recording ${id} is not there`);
  return recording;
}

/** All rows by start, with what the timeline says of each. */
export async function timeline(catalog: Catalog): Promise<readonly Record<string, unknown>[]> {
  const rows = (await catalog.db("recordings").orderBy(["path", "start_us", "id"])) as Record<string, unknown>[];
  return rows.map((found) => ({
    startSec: (Number(found["start_us"]) - START_US) / 1_000_000,
    gapSec: found["gap_before_us"] === null ? null : Number(found["gap_before_us"]) / 1_000_000,
    missing: Number(found["missing_before"]),
  }));
}

export function countRows(catalog: Catalog): Promise<number> {
  return catalog
    .db("recordings")
    .count({ total: "*" })
    .then((rows) => Number((rows as { total: unknown }[])[0]?.total));
}
