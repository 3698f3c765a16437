/** Rows with real files and objects for the HTTP tests, and what a database holds, for comparing. */
import { createHash } from "node:crypto";
import { mkdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import type { Catalog } from "../../src/catalog/catalog.js";
import { insertRecording, type NewRecording } from "../../src/catalog/recordings.js";
import { fileIdentity } from "../../src/core/file-identity.js";
import { parsePathName } from "../../src/core/path-name.js";
import type { Recording } from "../../src/core/recording.js";
import { createFakeClock } from "./fake-clock.js";
import type { HttpHarness } from "./http-harness.js";

const START_US = createFakeClock().nowUs();
const SEGMENT_US = 4_000_000;

/** `sec` seconds after the fake clock's start. */
export function at(sec: number): number {
  return START_US + Math.round(sec * 1_000_000);
}

/** A row without a file behind it: `sec` to `sec + 4` of cam1, present, archived nowhere, nothing due. */
function rowAt(sec: number, changes: Partial<NewRecording> = {}): NewRecording {
  const startUs = at(sec);
  const pathName = changes.path ?? parsePathName("cam1");
  return {
    path: pathName,
    format: "fmp4",
    startUs,
    endUs: startUs + SEGMENT_US,
    mediaDurationUs: SEGMENT_US,
    filePath: `${pathName}/2026-11-20/${String(Math.floor(startUs / 1e6))}-${String(startUs % 1e6).padStart(6, "0")}.mp4`,
    fileIdentity: `1:${sec}:1000:5`,
    bytes: 1_000,
    tracks: [],
    position: null,
    partial: false,
    gapBeforeUs: null,
    missingBefore: 0,
    local: "present",
    archive: "none",
    objectKey: null,
    md5: null,
    sha256: null,
    uploadId: null,
    verifiedAtUs: null,
    step: null,
    priority: 0,
    attempts: 0,
    nextAttemptAtUs: START_US,
    error: null,
    origin: "scan",
    ...changes,
  };
}

export function addRow(catalog: Catalog, sec: number, changes: Partial<NewRecording> = {}): Promise<Recording> {
  return insertRecording(catalog, rowAt(sec, changes));
}

export interface WithFile {
  readonly content: Buffer;
  /** Also an object in the store, proven. */
  readonly archived?: boolean;
  readonly changes?: Partial<NewRecording>;
}

/** A row with its file in the record directory, hashed as the inspection does. */
export async function addFile(http: HttpHarness, sec: number, file: WithFile): Promise<Recording> {
  const plain = rowAt(sec, file.changes);
  const { content, archived = false } = file;
  const absolute = path.join(http.recordDir, plain.filePath);
  await mkdir(path.dirname(absolute), { recursive: true });
  await writeFile(absolute, content);
  const facts = {
    fileIdentity: fileIdentity(await stat(absolute, { bigint: true })),
    bytes: content.length,
    md5: createHash("md5").update(content).digest("hex"),
    sha256: createHash("sha256").update(content).digest("hex"),
  };
  const objectKey = `${plain.path}/2026/11/20/${String(sec)}.mp4`;
  if (archived) {
    await http.store.put(
      objectKey,
      { ...facts, filePath: absolute, contentType: "video/mp4", metadata: {}, nameIsUnique: false },
      { signal: new AbortController().signal },
    );
  }
  const inStore = archived ? { archive: "verified" as const, objectKey, verifiedAtUs: at(sec + 5) } : {};
  return insertRecording(http.catalog, { ...plain, ...facts, ...inStore, ...file.changes });
}

/** Every row of every table, in a form that compares. */
export async function dump(catalog: Catalog): Promise<Record<string, unknown[]>> {
  const tables = [
    "paths",
    "recordings",
    "fragment_indexes",
    "removals",
    "rejected_files",
    "path_events",
    "recording_conditions",
    "exports",
    "shares",
    "audit",
  ];
  const whole: Record<string, unknown[]> = {};
  for (const table of tables) {
    const rows = (await catalog.db(table)) as unknown[];
    whole[table] = rows.map((row) => JSON.stringify(row)).sort();
  }
  return whole;
}
