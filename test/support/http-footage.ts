/** Recordings that can be played, for the HTTP tests: real files of test/fixtures with their fragment indexes. */
import { readFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import path from "node:path";

import { storeFragmentIndexes } from "../../src/catalog/fragment-indexes.js";
import type { NewRecording } from "../../src/catalog/recordings.js";
import type { Recording } from "../../src/core/recording.js";
import { MemoryByteSource } from "../../src/media/byte-source.js";
import { encodeFragmentIndex } from "../../src/media/fragment-index-codec.js";
import { indexTransportStream } from "../../src/media/transport-index.js";
import { FIXTURES, type FixtureFile, inspectBytes } from "../unit/media/fixtures.js";
import type { HttpHarness } from "./http-harness.js";
import { addFile, at } from "./http-rows.js";

export interface FootageOptions {
  /** both: on disk and proven in the store; archived: in the store only. */
  readonly where?: "local" | "both" | "archived";
  readonly changes?: Partial<NewRecording>;
}

/** Of the MPEG-TS fixtures, as ffprobe tells them. */
const STREAM_TRACKS: Recording["tracks"] = [
  { kind: "video", id: 256, codec: "avc1.64000b", timescale: 90_000, widthPx: 320, heightPx: 180, frameRate: 10 },
  { kind: "audio", id: 257, codec: "mp4a.40.2", timescale: 90_000, sampleRateHz: 48_000, channels: 1 },
];

/** All files of one camera of test/fixtures (`v1.20.1/h264-aac`), as cam1. */
export async function addFixtures(
  http: HttpHarness,
  folder: string,
  options: FootageOptions = {},
): Promise<Recording[]> {
  const rows: Recording[] = [];
  for (const file of FIXTURES.filter((each) => each.folder === folder)) {
    rows.push(await addFixture(http, file, options));
  }
  return rows;
}

export async function addFixture(http: HttpHarness, file: FixtureFile, options: FootageOptions): Promise<Recording> {
  const { where = "local", changes = {} } = options;
  const content = readFileSync(file.filePath);
  const isFragmented = file.name.endsWith(".mp4");
  const inspection = isFragmented ? inspectBytes(content) : null;
  const mediaDurationUs = inspection?.mediaDurationUs ?? Math.round((file.hookDurationSec ?? 0) * 1e6);
  const startUs = inspection?.startUs ?? file.startUs;
  // Names the object.
  const sec = (startUs - at(0)) / 1e6;
  const recording = await addFile(http, sec, {
    content,
    archived: where !== "local",
    changes: {
      startUs,
      endUs: startUs + mediaDurationUs,
      mediaDurationUs,
      format: isFragmented ? "fmp4" : "mpegts",
      filePath: `${changes.path ?? "cam1"}/${path.basename(file.filePath)}`,
      tracks: inspection?.tracks ?? STREAM_TRACKS,
      position: inspection?.position ?? null,
      partial: inspection !== null && !inspection.finalised,
      ...(where === "archived" ? { local: "released" as const } : {}),
      ...changes,
    },
  });
  const index = isFragmented ? (inspection?.fragments ?? null) : indexTransportStream(new MemoryByteSource(content));
  if (index !== null)
    await storeFragmentIndexes(http.catalog.db, [{ id: recording.id, fragmentIndex: encodeFragmentIndex(index) }]);
  if (where === "archived") await unlink(path.join(http.recordDir, recording.filePath));
  return recording;
}
