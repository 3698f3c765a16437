/**
 * The bytes of a recording wherever they are: from disk while the file is the one of the row, else from the store. A
 * file that is still being written has no bytes to promise yet.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";

import { AppError, errnoOf, isAppError } from "../core/errors.js";
import { looksUnchanged } from "../core/file-identity.js";
import type { Recording } from "../core/recording.js";
import { resolveInside } from "../platform/files.js";
import type { ObjectRange, ObjectStore } from "./object-store.js";

/** What of a row says where its bytes are. */
export type ReadableRecording = Pick<
  Recording,
  "id" | "filePath" | "fileIdentity" | "local" | "archive" | "objectKey" | "sha256" | "step"
>;

export interface OpenRecordingDeps {
  readonly recordDir: string;
  readonly store: ObjectStore;
}

interface Wanted {
  /** Undefined: the file is empty. */
  readonly part: ObjectRange | undefined;
  readonly signal: AbortSignal;
}

/** A descriptor that whoever gets it must close. */
export interface LocalFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

export type OpenCopy =
  | { readonly kind: "local"; readonly file: LocalFile }
  | { readonly kind: "stored"; readonly open: (wanted: Wanted) => Promise<Readable> };

/**
 * A file that is still being written is open as it is now. Throws `not-found` when neither copy is there, `unavailable`
 * when we cannot tell, `data-loss` when a proven object is gone.
 */
export async function openCopy(deps: OpenRecordingDeps, recording: ReadableRecording): Promise<OpenCopy> {
  const { archive, objectKey } = recording;
  const isInStore = archive === "verified" && objectKey !== null;
  const isOnDisk = recording.local === "present" || recording.local === "open";
  const local = isOnDisk ? await tryLocal(deps, recording) : undefined;
  if (local instanceof AppError && !isInStore) throw local;
  if (local !== undefined && !(local instanceof AppError)) return { kind: "local", file: local };
  if (!isInStore) throw noCopy(recording);
  if (!isHashed(recording)) {
    const message = `the file of recording ${recording.id} has changed and is being looked at`;
    throw new AppError({ kind: "failed-precondition", message });
  }
  return { kind: "stored", open: (wanted) => openStored(deps.store, objectKey, wanted) };
}

function noCopy({ id }: ReadableRecording): AppError {
  return new AppError({ kind: "not-found", message: `recording ${id} has no copy that could be read` });
}

async function openStored(store: ObjectStore, key: string, { part, signal }: Wanted): Promise<Readable> {
  try {
    return await store.get(key, { ...(part === undefined ? {} : { range: part }), signal });
  } catch (error) {
    if (isAppError(error, "not-found")) {
      throw new AppError({ kind: "data-loss", message: `object ${key} is gone`, cause: error });
    }
    if (isAppError(error, "unavailable") || isAppError(error, "cancelled")) throw error;
    // Our keys are refused, or the bucket is: nothing that the viewer could do about.
    throw new AppError({ kind: "unavailable", message: `read object ${key} from the store`, cause: error });
  }
}

/** A file that changed is looked at again; until then the row has its length but the hash of what it was. */
export function isHashed(recording: ReadableRecording): boolean {
  return recording.sha256 !== null && recording.step !== "inspect";
}

/**
 * Undefined: the file is not the one of the row any more; the store has the right one. An error: we cannot tell. The
 * comparison is on the open file, so neither a link nor a file that was swapped in gets through (F47).
 */
async function tryLocal(
  deps: OpenRecordingDeps,
  recording: ReadableRecording,
): Promise<LocalFile | AppError | undefined> {
  try {
    const file = await resolveInside(deps.recordDir, recording.filePath);
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const sizeBytes = await sizeIfTheFileOf(recording, handle).catch(async (error: unknown) => {
      await handle.close();
      throw error;
    });
    if (sizeBytes !== undefined) return { handle, sizeBytes };
    await handle.close();
    return undefined;
  } catch (error) {
    const isAnswer = isAppError(error, "not-found") || isAppError(error, "invalid-argument");
    if (isAnswer || ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "")) return undefined;
    return new AppError({ kind: "unavailable", message: `read the file of recording ${recording.id}`, cause: error });
  }
}

/** Device and inode numbers change when a disk is mounted again or a folder is restored; the scan minds neither. */
async function sizeIfTheFileOf(recording: ReadableRecording, handle: FileHandle): Promise<number | undefined> {
  const stat = await handle.stat({ bigint: true });
  const isOurs = recording.local === "open" || looksUnchanged(recording.fileIdentity, stat);
  return stat.isFile() && isOurs ? Number(stat.size) : undefined;
}
