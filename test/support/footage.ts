/** Segment files as rows, files and objects, with what an inspection would have found in each. */
import { readFileSync } from "node:fs";
import path from "node:path";

import { storeFragmentIndexes } from "../../src/catalog/fragment-indexes.js";
import type { NewRecording } from "../../src/catalog/recordings.js";
import { parsePathName } from "../../src/core/path-name.js";
import type { Recording } from "../../src/core/recording.js";
import { encodeFragmentIndex } from "../../src/media/fragment-index-codec.js";
import { inspectFile } from "../../src/media/inspect-file.js";
import type { Inspection } from "../../src/media/inspection.js";
import { FMP4_FIXTURES, inspectBytes } from "../unit/media/fixtures.js";
import type { HttpHarness } from "./http-harness.js";
import { addFile, addRow } from "./http-rows.js";

export interface Footage {
  readonly content: Buffer;
  /** By the file name; what `mtxi` says goes before it. */
  readonly startUs: number;
}

export interface FootageOptions {
  readonly path?: string;
  readonly archived?: boolean;
  /** Nobody has looked into it yet. */
  readonly unseen?: boolean;
  readonly changes?: Partial<NewRecording>;
}

export interface AddedFootage {
  readonly recording: Recording;
  readonly inspection: Inspection;
  readonly content: Buffer;
}

export async function addFootage(
  http: HttpHarness,
  footage: readonly Footage[],
  { path = "cam1", archived = false, unseen = false, changes = {} }: FootageOptions = {},
): Promise<AddedFootage[]> {
  const added: AddedFootage[] = [];
  for (const { content, startUs: nameUs } of footage) {
    const inspection = inspectBytes(content);
    const startUs = inspection.startUs ?? nameUs;
    const found: Partial<NewRecording> = {
      path: parsePathName(path),
      filePath: `${path}/${String(nameUs)}.mp4`,
      startUs,
      endUs: startUs + inspection.plausibleDurationUs,
      mediaDurationUs: inspection.mediaDurationUs,
      tracks: inspection.tracks,
      position: inspection.position,
      partial: !inspection.finalised,
    };
    const notSeen = { endUs: startUs, mediaDurationUs: null, tracks: [], position: null, partial: false };
    const file = { content, archived, changes: { ...found, ...(unseen ? notSeen : {}), ...changes } };
    const recording = await addFile(http, (startUs - http.catalog.clock.nowUs()) / 1e6, file);
    if (!unseen && inspection.fragments !== null) {
      await storeFragmentIndexes(http.catalog.db, [
        { id: recording.id, fragmentIndex: encodeFragmentIndex(inspection.fragments) },
      ]);
    }
    added.push({ recording, inspection, content });
  }
  return added;
}

/** A file that is in the record directory already. */
export async function addFootageFile(http: HttpHarness, filePath: string, startUs: number): Promise<Recording> {
  const absolute = path.join(http.recordDir, filePath);
  const { inspection, identity, sizeBytes } = inspectFile({ filePath: absolute, format: "fmp4", hash: false });
  if (inspection === null) throw new Error(`${filePath} is no segment`);
  const recording = await addRow(http.catalog, (startUs - http.catalog.clock.nowUs()) / 1e6, {
    filePath,
    fileIdentity: identity,
    bytes: sizeBytes,
    startUs,
    endUs: startUs + inspection.plausibleDurationUs,
    mediaDurationUs: inspection.mediaDurationUs,
    tracks: inspection.tracks,
    position: inspection.position,
  });
  if (inspection.fragments !== null) {
    await storeFragmentIndexes(http.catalog.db, [
      { id: recording.id, fragmentIndex: encodeFragmentIndex(inspection.fragments) },
    ]);
  }
  return recording;
}

/** The files of one folder of fixtures, in order. */
export function fixtureFootage(folder: string): Footage[] {
  return FMP4_FIXTURES.filter((file) => file.folder === folder).map(({ filePath, startUs }) => ({
    content: readFileSync(filePath),
    startUs,
  }));
}
