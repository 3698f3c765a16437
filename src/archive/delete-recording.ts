/**
 * The step behind "delete": a person asked that both copies go. Each removal is written before its effect; an object
 * that is not ours, or that cannot be told, is left alone. Repeatable: what is gone already is skipped.
 */
import { unlink } from "node:fs/promises";
import path from "node:path";

import { noteProgress, type Outcome } from "../catalog/recording-queue.js";
import { AppError, isAppError } from "../core/errors.js";
import type { Recording } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import { identityOf, resolveInside, syncDirectory } from "../platform/files.js";
import { proveCopy } from "./prove-copy.js";
import { moveToTrash, type ReleaseDeps, trashFileOf } from "./release-local-copy.js";

const REASON = "deletion requested";

export async function deleteRecording(deps: ReleaseDeps, recording: Recording, signal: AbortSignal): Promise<Outcome> {
  await deps.assertMayRemove();
  const archive = await deleteObject(deps, recording, signal);
  const local = await deleteLocalCopy(deps, recording);
  return { patch: { archive, local, uploadId: null, step: null } };
}

async function deleteObject(
  deps: ReleaseDeps,
  recording: Recording,
  signal: AbortSignal,
): Promise<Recording["archive"]> {
  const { objectKey: key, md5, sha256, bytes } = recording;
  const hasObject = recording.archive === "verified" || recording.archive === "uploading";
  // Rebuilt rows of old multipart uploads have no MD5.
  if (!hasObject || key === null || sha256 === null) return recording.archive;
  const verdict = await proveCopy(deps.store, { key, md5, sha256, bytes }, signal);
  if (verdict.kind === "conflict") {
    deps.logger.error("object holds other bytes and is not deleted", { segmentId: recording.id, objectKey: key });
    return "conflict";
  }
  await deps.assertMayRemove();
  if (verdict.kind === "absent") return "deleted";
  await faultPoint("delete.before-object-row");
  await noteProgress(deps.catalog, recording, {
    patch: {},
    removal: {
      recordingId: recording.id,
      what: "object",
      name: key,
      fileIdentity: null,
      bytes,
      sha256,
      reason: REASON,
      proof: null,
    },
  });
  await faultPoint("delete.before-object");
  await deps.assertMayRemove();
  await deps.store.delete(key, signal);
  await faultPoint("delete.after-object");
  await noteProgress(deps.catalog, recording, { patch: { archive: "deleted" } });
  return "deleted";
}

async function deleteLocalCopy(deps: ReleaseDeps, recording: Recording): Promise<Recording["local"]> {
  const trashed = trashFileOf(deps.recordDir, recording);
  if (recording.local === "released" || recording.local === "missing" || recording.local === "deleted") {
    return recording.local;
  }
  const original = await resolveInside(deps.recordDir, recording.filePath).catch((error: unknown) => {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  });
  const identity = original === undefined ? undefined : await identityOf(original);
  if (identity === undefined && recording.local !== "trashed") {
    // Perhaps the disk is away: deleted is only what we removed. The scan says whether the file is missing (F45).
    throw new AppError({ kind: "not-found", message: `delete ${recording.filePath}: the file is not there` });
  }
  // After a crash the file may be in the trash already; what stands under the name then must be the same file.
  const isHere = identity !== undefined && (recording.local !== "trashed" || identity === recording.fileIdentity);
  if (original !== undefined && isHere) {
    await faultPoint("delete.before-local-row");
    await noteProgress(deps.catalog, recording, {
      patch: { local: "trashed", fileIdentity: identity },
      removal: {
        recordingId: recording.id,
        what: "local",
        name: recording.filePath,
        fileIdentity: identity,
        bytes: recording.bytes,
        sha256: recording.sha256,
        reason: REASON,
        proof: null,
      },
    });
    await faultPoint("delete.after-local-row");
    await deps.assertMayRemove();
    await moveToTrash(original, trashed);
  }
  return emptyTrash(deps, trashed);
}

async function emptyTrash(deps: ReleaseDeps, trashed: string): Promise<"deleted"> {
  const isThere = (await identityOf(trashed)) !== undefined;
  await deps.assertMayRemove();
  if (isThere) {
    await faultPoint("delete.before-unlink");
    await unlink(trashed);
    await faultPoint("delete.after-unlink");
    await syncDirectory(path.dirname(trashed));
  }
  return "deleted";
}
