/**
 * Which bytes of a recording belong to a range, for whoever may see that range only: its fragments, and before them as
 * much as the sync sample at or before its beginning needs. Of MPEG-TS without an index: all or nothing.
 */
import type { Catalog } from "../catalog/catalog.js";
import { findFragmentIndex } from "../catalog/fragment-indexes.js";
import { AppError } from "../core/errors.js";
import type { Recording } from "../core/recording.js";
import type { TimeRange } from "../core/span.js";
import { decodeFragmentIndex } from "../media/fragment-index-codec.js";
import type { GrowingFiles } from "./growing-files.js";
import { grownFootage } from "./playlist-files.js";
import { bytesOf, type FileFootage } from "./playlist-segments.js";

export interface MediaWindow {
  /** Of `ftyp` + `moov`, which begin the file. */
  readonly initBytes: number;
  /** [start, end) */
  readonly start: number;
  readonly end: number;
}

export interface MediaWindowDeps {
  readonly catalog: Catalog;
  readonly growing: Pick<GrowingFiles, "look">;
}

/** Throws `not-found` when nothing of it is in the range. */
export async function findMediaWindow(
  deps: MediaWindowDeps,
  recording: Recording,
  range: TimeRange,
): Promise<MediaWindow> {
  const footage = await footageOf(deps, recording);
  const { format, startUs, endUs, bytes, local } = recording;
  const isInside = startUs >= range.fromUs && endUs <= range.toUs;
  if (footage === undefined && format === "mpegts" && local !== "open" && isInside) {
    return { initBytes: 0, start: 0, end: bytes };
  }
  const part = footage === undefined ? null : bytesOf(footage, range);
  if (footage === undefined || part === null) throw nothingThere(recording);
  return { initBytes: footage.index.initBytes, ...part };
}

async function footageOf(
  { catalog, growing }: MediaWindowDeps,
  recording: Recording,
): Promise<FileFootage | undefined> {
  const { id, startUs, endUs, tracks, local, format, mediaDurationUs } = recording;
  const known = local === "open" ? undefined : await findFragmentIndex(catalog, id);
  if (known !== undefined) return { startUs, endUs, index: decodeFragmentIndex(known), trackCount: tracks.length };
  // MPEG-TS that cannot be cut.
  if (format === "mpegts" && local !== "open" && mediaDurationUs !== null) return undefined;
  if (local !== "open" && local !== "present") return undefined;
  const grown = await growing.look(recording);
  return grown === null ? undefined : grownFootage({ ...grown, index: grown.endedIndex }, recording);
}

function nothingThere({ id }: Recording): AppError {
  return new AppError({ kind: "not-found", message: `nothing of recording ${id} is in this range` });
}
