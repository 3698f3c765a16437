/**
 * The periodic pictures of one recording: decoded from its own fragments, kept in the cache, put into the store. The row
 * of a picture is there before its object and the key is the same each time, so this may die anywhere and run again.
 */
import { createHash, randomUUID } from "node:crypto";
import { lstat, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { findPlayableById } from "../catalog/playable-neighbours.js";
import type { PlayableRecording } from "../catalog/playable-recordings.js";
import { beginThumbnail, hasThumbnailIn, noteThumbnailStored, type Thumbnail } from "../catalog/thumbnails.js";
import { isAppError } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import type { RecordingId } from "../core/recording.js";
import { pictureInstants, THUMBNAIL_WIDTH_PX, thumbnailKey } from "../core/thumbnail.js";
import { ensureDirectory } from "../platform/files.js";
import { decodePicture, type DecodeDeps } from "./decode-picture.js";
import { type LocateDeps, type Picture, pictureIn } from "./locate-picture.js";
import type { ResultStore } from "./make-export.js";
import type { PictureCache } from "./picture-cache.js";
import { storedName } from "./stored-pictures.js";

/** made · found: the store had it · undecodable: there is no picture in the bytes, and there never will be. */
export type ThumbnailResult = "made" | "found" | "undecodable";

export interface MakeThumbnailsDeps extends DecodeDeps, LocateDeps {
  readonly cache: PictureCache;
  readonly store: ResultStore & { readonly has: (key: string, signal: AbortSignal) => Promise<boolean> };
  readonly prefix: string;
  readonly intervalUs: number;
  /** For the file that is being put. */
  readonly workDir: string;
  /** Returns when nothing that is more urgent is kept waiting. */
  readonly giveWay: (signal: AbortSignal) => Promise<void>;
  readonly onResult: (result: ThumbnailResult) => void;
}

/** Of reading and decoding; an ffmpeg that gives way to others may take long. */
const DECODE_WITHIN_MS = 120_000;

/** Throws `unavailable` when disk, store or ffmpeg (`FfmpegUnavailable`) do not work now, `cancelled` by the signal. */
export async function makeThumbnails(deps: MakeThumbnailsDeps, id: RecordingId, signal: AbortSignal): Promise<void> {
  const recording = await findPlayableById(deps.catalog, id);
  if (recording === undefined) return;
  for (const atUs of pictureInstants(recording, deps.intervalUs)) {
    try {
      if ((await makeOne(deps, { recording, atUs }, signal)) === "gone") return;
    } catch (error) {
      if (isAppError(error, "not-found")) return;
      if (!isAppError(error, "data-loss")) throw error;
      deps.onResult("undecodable");
    }
  }
}

interface Wanted {
  readonly recording: PlayableRecording;
  readonly atUs: number;
}

async function makeOne(
  deps: MakeThumbnailsDeps,
  { recording, atUs }: Wanted,
  signal: AbortSignal,
): Promise<"gone" | "done"> {
  const { catalog, prefix, store } = deps;
  if (await isNearAnother(deps, { recording, atUs })) return "done";
  const picture = await pictureIn(deps, recording, atUs);
  if (picture === undefined) return "gone";
  const takenAtUs = picture.takenAtUs ?? atUs;
  const { path: of, id } = recording;
  const objectKey = thumbnailKey(prefix, { path: of, id, atUs: takenAtUs });
  const thumbnail: Thumbnail = { path: of, atUs: takenAtUs, recordingId: id, objectKey };
  const begun = await beginThumbnail(catalog, thumbnail);
  if (begun !== "begun") return begun === "known" ? "done" : "gone";
  // After a rebuild all are there: reading footage back from the store would cost more than asking.
  const isThere = recording.local !== "present" && (await store.has(objectKey, signal));
  if (!isThere) {
    const jpeg = await pictureOf(deps, { picture, objectKey }, signal);
    await deps.giveWay(signal);
    await put(deps, { objectKey, jpeg }, signal);
  }
  await noteThumbnailStored(catalog, thumbnail);
  deps.onResult(isThere ? "found" : "made");
  return "done";
}

/** The beginning of a run is worth a picture only where none is near: a camera may come and go all day. */
async function isNearAnother({ catalog, intervalUs }: MakeThumbnailsDeps, { recording, atUs }: Wanted) {
  if (atUs !== recording.startUs || atUs % intervalUs === 0) return false;
  return hasThumbnailIn(catalog, recording.path, { fromUs: atUs - Math.round(intervalUs / 2), toUs: atUs });
}

/** From the cache when only the store did not take it the last time. */
async function pictureOf(
  deps: MakeThumbnailsDeps,
  { picture, objectKey }: { readonly picture: Picture; readonly objectKey: string },
  signal: AbortSignal,
): Promise<Buffer> {
  const name = storedName(objectKey);
  const kept = await deps.cache.get(name);
  if (kept !== undefined) return kept;
  await deps.giveWay(signal);
  const within = AbortSignal.any([signal, AbortSignal.timeout(DECODE_WITHIN_MS)]);
  const jpeg = await decodePicture(deps, { picture, widthPx: THUMBNAIL_WIDTH_PX }, within);
  await deps.cache.put(name, jpeg);
  return jpeg;
}

async function put(
  { workDir, store }: MakeThumbnailsDeps,
  { objectKey, jpeg }: { readonly objectKey: string; readonly jpeg: Buffer },
  signal: AbortSignal,
): Promise<void> {
  await ensureDirectory(workDir, 0o700);
  const filePath = path.join(workDir, `${randomUUID()}.jpg`);
  const hash = (algorithm: string): string => createHash(algorithm).update(jpeg).digest("hex");
  try {
    await writeFile(filePath, jpeg, { mode: 0o600 });
    const identity = fileIdentity(await lstat(filePath, { bigint: true }));
    const file = { filePath, fileIdentity: identity, bytes: jpeg.length, md5: hash("md5"), sha256: hash("sha256") };
    await store.put(objectKey, file, signal);
  } finally {
    await rm(filePath, { force: true });
  }
}
