/** Recordings that can be played: files in the record directory with the rows that ingest and inspection would make. */
import { cp, mkdir, readdir } from "node:fs/promises";
import path from "node:path";

import { storeFragmentIndexes } from "../../src/catalog/fragment-indexes.js";
import type { NewRecording } from "../../src/catalog/recordings.js";
import { parseRfc3339 } from "../../src/core/instant.js";
import { parsePathName } from "../../src/core/path-name.js";
import type { Recording } from "../../src/core/recording.js";
import { encodeFragmentIndex } from "../../src/media/fragment-index-codec.js";
import { probeFile } from "../../src/media/ffprobe.js";
import { inspectFile } from "../../src/media/inspect-file.js";
import type { HttpHarness } from "./http-harness.js";
import { addRow } from "./http-rows.js";
import { PATIENCE } from "./patience.js";

export const FIXTURE_DIR = path.resolve(import.meta.dirname, "../fixtures/recordings");
export const VERSIONS = ["v1.14.0", "v1.20.1"] as const;

type Changes = Partial<NewRecording>;

const PROBE_WITHIN_MS = 60_000 * PATIENCE;

export interface Placed {
  readonly recording: Recording;
  readonly file: string;
}

/** Copies the folder of a fixture, as `path`, and makes its rows. */
export async function addFixture(
  http: HttpHarness,
  [version, camera]: readonly [string, string],
  changes: Changes = {},
): Promise<Placed[]> {
  const names = (await readdir(path.join(FIXTURE_DIR, version, camera))).sort();
  const placed: Placed[] = [];
  for (const name of names) {
    const filePath = `${changes.path ?? camera}/${name}`;
    const file = path.join(http.recordDir, filePath);
    await mkdir(path.dirname(file), { recursive: true });
    await cp(path.join(FIXTURE_DIR, version, camera, name), file);
    placed.push(await addInspected(http, filePath, changes));
  }
  return placed;
}

/** The row of a file that is there, as inspected; its start is the one of its name. */
export async function addInspected(http: HttpHarness, filePath: string, changes: Changes = {}): Promise<Placed> {
  const file = path.join(http.recordDir, filePath);
  const format = filePath.endsWith(".ts") ? "mpegts" : "fmp4";
  const seen = await inspected(file);
  const { hashes, identity, sizeBytes } = seen;
  const startUs = seen.startUs ?? startOfName(path.basename(filePath));
  const recording = await addRow(http.catalog, 0, {
    path: parsePathName(path.dirname(filePath)),
    ...{ format, filePath, startUs, endUs: startUs + seen.plausibleDurationUs },
    ...{ mediaDurationUs: seen.mediaDurationUs, tracks: seen.tracks, position: seen.position },
    ...{ partial: !seen.finalised, fileIdentity: identity, bytes: sizeBytes },
    ...{ md5: hashes?.md5 ?? null, sha256: hashes?.sha256 ?? null },
    ...changes,
  });
  const { fragments } = seen;
  if (fragments !== null)
    await storeFragmentIndexes(http.catalog.db, [{ id: recording.id, fragmentIndex: encodeFragmentIndex(fragments) }]);
  return { recording, file };
}

/** What the inspection says of a file. */
export async function inspected(filePath: string) {
  const format = filePath.endsWith(".ts") ? "mpegts" : "fmp4";
  const { inspection, streamIndex, hashes, identity, sizeBytes } = inspectFile({ filePath, format, hash: true });
  return { hashes, identity, sizeBytes, ...(inspection ?? { ...(await probed(filePath)), fragments: streamIndex }) };
}

async function probed(filePath: string) {
  const settings = { configuredPath: null, env: process.env };
  const seen = await probeFile(settings, { filePath, format: "mpegts" }, AbortSignal.timeout(PROBE_WITHIN_MS));
  const durations = { mediaDurationUs: seen.durationUs, plausibleDurationUs: seen.durationUs };
  return { ...seen, ...durations, startUs: null, position: null, finalised: true };
}

/** `2026-11-20_17-05-17-738953`, or `1795194283-022940`. */
export function startOfName(name: string): number {
  const bare = name.replace(/\.\w+$/, "");
  const [day = "", time = ""] = bare.split("_");
  if (time === "") return Number(bare.split("-")[0]) * 1_000_000 + Number(bare.split("-")[1]);
  const [hour, minute, second, micros] = time.split("-");
  return parseRfc3339(`${day}T${hour}:${minute}:${second}.${micros}Z`);
}
