/**
 * The steps that remove a local copy (promise 2). First the store says again that it has the same bytes, then the file
 * under the name must still be the very file that was hashed, then the intent is written with its proof, then the file
 * is renamed into the trash of the same file system, looked at once more, and unlinked. A crash at any point leaves
 * either the file under its name, or the file in the trash and a row that says so. Each effect, and each conclusion from
 * an absence, comes after the question whether there is any doubt (retention/deletion-guard).
 */
import { rename, unlink } from "node:fs/promises";
import path from "node:path";

import type { Catalog } from "../catalog/catalog.js";
import { noteProgress, type Outcome } from "../catalog/recording-queue.js";
import { hasLaterRecording } from "../catalog/recordings.js";
import { AppError, errnoOf } from "../core/errors.js";
import { extensionOf } from "../core/object-key.js";
import type { Recording } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import { ensureDirectory, identityOf, linkExclusively, resolveInside, syncDirectory } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";
import type { ObjectStore } from "./object-store.js";
import { proveCopy } from "./prove-copy.js";

export interface ReleaseDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly store: ObjectStore;
  readonly recordDir: string;
  /** Throws when there is a doubt about disk, clock, database or store: then nothing is removed. */
  readonly assertMayRemove: () => Promise<void>;
}

/** Inside the record directory, so that a rename never crosses file systems. */
export const TRASH_FOLDER = ".reelkeeper/trash";

const LOOK_AGAIN_US = 60_000_000;
const LEFT_BEHIND_US = 24 * 3_600_000_000;

export async function releaseLocalCopy(deps: ReleaseDeps, recording: Recording, signal: AbortSignal): Promise<Outcome> {
  const { objectKey: key, md5, sha256, fileIdentity } = recording;
  if (recording.archive !== "verified" || key === null || md5 === null || sha256 === null || fileIdentity === null) {
    throw new AppError({ kind: "internal", message: `release ${recording.filePath}: not proven` });
  }
  await deps.assertMayRemove();
  if (await mayStillGrow(deps.catalog, recording)) {
    return { patch: { step: "release", nextAttemptAtUs: deps.catalog.clock.nowUs() + LOOK_AGAIN_US } };
  }
  await faultPoint("release.before-head");
  const verdict = await proveCopy(deps.store, { key, md5, sha256, bytes: recording.bytes }, signal);
  if (verdict.kind !== "proven") {
    deps.logger.error("archived copy is not what it was; the local copy is archived again", {
      segmentId: recording.id,
      path: recording.path,
      objectKey: key,
      reason: verdict.kind === "absent" ? "the object is gone" : verdict.reason,
    });
    return { patch: { archive: "none", verifiedAtUs: null, step: "inspect" } };
  }
  await faultPoint("release.after-head");
  const current = await identityOf(await resolveInside(deps.recordDir, recording.filePath));
  if (current === undefined) {
    throw new AppError({ kind: "not-found", message: `release ${recording.filePath}: the file is not there` });
  }
  // Whoever changed it may go on: it is open again (F9, F11).
  if (current !== fileIdentity) return { patch: { local: "open", step: "settle" } };
  await faultPoint("release.before-removal-row");
  await noteProgress(deps.catalog, recording, {
    patch: { local: "trashed", step: "unlink" },
    removal: {
      recordingId: recording.id,
      what: "local",
      name: recording.filePath,
      fileIdentity,
      bytes: recording.bytes,
      sha256,
      reason: "retention",
      proof: JSON.stringify({ store: deps.store.description, ...verdict.facts }),
    },
  });
  await faultPoint("release.after-removal-row");
  return unlinkTrashed(deps, { ...recording, local: "trashed", step: "unlink" });
}

/**
 * Quiet for QUIET_TIME is enough to archive a file, not to remove it: MediaMTX may only have stalled, and what it writes
 * to a removed file is lost. Nobody goes on with a file that was finalised, that a later segment of its path follows, or
 * that was not written for a day.
 */
async function mayStillGrow(catalog: Catalog, recording: Recording): Promise<boolean> {
  const { format, partial, fileIdentity, path: name, startUs } = recording;
  if (format === "fmp4" && !partial) return false;
  const modifiedAtUs = Number(BigInt(fileIdentity?.split(":")[3] ?? "0") / 1_000n);
  if (catalog.clock.nowUs() - modifiedAtUs > LEFT_BEHIND_US) return false;
  return !(await hasLaterRecording(catalog, name, startUs));
}

/** Also the step after a crash: goes on wherever the file is now. */
export async function unlinkTrashed(deps: ReleaseDeps, recording: Recording): Promise<Outcome> {
  const trashed = trashFileOf(deps.recordDir, recording);
  if ((await identityOf(trashed)) === undefined) {
    const original = await resolveInside(deps.recordDir, recording.filePath).catch(() => undefined);
    const current = original === undefined ? undefined : await identityOf(original);
    // Neither here nor there: an earlier try unlinked it, or the name belongs to another recording by now (F11).
    await deps.assertMayRemove();
    if (original === undefined || current !== recording.fileIdentity) return released();
    await moveToTrash(original, trashed);
  }
  if ((await identityOf(trashed)) !== recording.fileIdentity) return restore(deps, recording, trashed);
  await faultPoint("trash.before-unlink");
  await deps.assertMayRemove();
  await unlink(trashed);
  await faultPoint("trash.after-unlink");
  await syncDirectory(path.dirname(trashed));
  return released();
}

/** Throws `unavailable`: what cannot be moved stays where it is, and is tried again (F46). */
export async function moveToTrash(original: string, trashed: string): Promise<void> {
  try {
    await ensureDirectory(path.dirname(trashed));
    await faultPoint("trash.before-rename");
    await rename(original, trashed);
    await faultPoint("trash.after-rename");
  } catch (error) {
    throw new AppError({
      kind: "unavailable",
      message: `move ${path.basename(original)} to the trash`,
      hint: "the user that runs Reelkeeper must be able to write to RECORD_DIR and the folders that MediaMTX makes there",
      cause: error,
    });
  }
}

export function trashFileOf(recordDir: string, recording: Recording): string {
  return path.join(recordDir, TRASH_FOLDER, `${recording.id}${extensionOf(recording.format)}`);
}

function released(): Outcome {
  return { patch: { local: "released", step: null } };
}

/** F11: between the last look and the rename the name got other content. That content goes back under its name. */
async function restore(deps: ReleaseDeps, recording: Recording, trashed: string): Promise<Outcome> {
  const original = path.join(deps.recordDir, recording.filePath);
  await faultPoint("trash.before-restore");
  if (await isUnderItsName(trashed, original)) {
    await faultPoint("trash.after-restore");
    await unlink(trashed);
  }
  deps.logger.error("file changed while it was released; the new content is kept", {
    segmentId: recording.id,
    path: recording.path,
    file: recording.filePath,
  });
  return released();
}

/** False when a third content has taken the name: this one stays in the trash, where nobody removes it unasked. */
async function isUnderItsName(trashed: string, original: string): Promise<boolean> {
  try {
    await linkExclusively(trashed, original);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    // Or an earlier try has linked it and died: then both names are one file, which needs but one.
    return (await identityOf(trashed)) === (await identityOf(original));
  }
}
