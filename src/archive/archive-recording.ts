/**
 * The step that copies a segment into the store and proves the copy. What makes it safe to repeat: the key is fixed in
 * the row before the first byte is sent, a put never overwrites, and only a HEAD of the store's own decides (F22, F30).
 */
import type { Catalog } from "../catalog/catalog.js";
import { findPath } from "../catalog/paths.js";
import { noteProgress, type Outcome } from "../catalog/recording-queue.js";
import { AppError, isAppError } from "../core/errors.js";
import { conflictKey, type KeyFacts, objectKey } from "../core/object-key.js";
import type { Recording } from "../core/recording.js";
import { releaseDueAtUs } from "../core/retention.js";
import { faultPoint } from "../platform/fault-point.js";
import { identityOf, resolveInside } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";
import type { ObjectStore, PutSource } from "./object-store.js";
import { type ExpectedCopy, proveCopy, readBack } from "./prove-copy.js";
import { metadataOf } from "./recording-metadata.js";
import type { UploadPace } from "./upload-pace.js";

export interface ArchiveDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly store: ObjectStore;
  readonly recordDir: string;
  readonly prefix: string;
  readonly localRetentionMs: number;
  /** 0 to 100. */
  readonly readBackPercent: number;
  readonly pace: UploadPace;
  /** MediaMTX can never give the file's name to another segment (F35). */
  readonly nameIsUnique: (filePath: string) => boolean;
}

type Hashed = Recording & { readonly md5: string; readonly sha256: string; readonly fileIdentity: string };

export async function archiveRecording(
  deps: ArchiveDeps,
  recording: Recording,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const settings = await findPath(deps.catalog, recording.path);
  if (settings?.archive === "none" && recording.archive === "none") return { patch: { step: null } };
  if (!isHashed(recording)) return { patch: { step: "inspect" } };
  const key = recording.objectKey ?? objectKey(deps.prefix, keyFacts(recording));
  await faultPoint("archive.before-key");
  await noteProgress(deps.catalog, recording, { patch: { archive: "uploading", objectKey: key } });
  await faultPoint("archive.after-key");
  try {
    await deps.pace.measure(() => upload(deps, { recording, key }, signal));
  } catch (error) {
    // F9, F10: the file is not the one that was hashed any more. Whoever changed it may go on: it is open again.
    if (isAppError(error, "failed-precondition") && (await hasChanged(deps, recording))) {
      return { patch: { archive: "none", local: "open", step: "settle" } };
    }
    if (!isAppError(error, "already-exists")) throw error;
  }
  return prove(deps, { recording, key, localRetention: settings?.localRetention ?? null }, signal);
}

interface Upload {
  readonly recording: Hashed;
  readonly key: string;
}

interface Proof extends Upload {
  /** The path's own; null for the default. */
  readonly localRetention: string | null;
}

async function upload(deps: ArchiveDeps, { recording, key }: Upload, signal: AbortSignal): Promise<void> {
  const source: PutSource = {
    filePath: await resolveInside(deps.recordDir, recording.filePath),
    fileIdentity: recording.fileIdentity,
    bytes: recording.bytes,
    md5: recording.md5,
    sha256: recording.sha256,
    contentType: recording.format === "fmp4" ? "video/mp4" : "video/mp2t",
    metadata: metadataOf(recording),
    // Only a finalised file is known to change no more: after a long stall MediaMTX may go on with any other.
    nameIsUnique: recording.format === "fmp4" && !recording.partial && deps.nameIsUnique(recording.filePath),
  };
  await faultPoint("archive.before-put");
  await deps.store.put(key, source, {
    signal,
    ...(recording.uploadId === null ? {} : { uploadId: recording.uploadId }),
    onUploadId: (uploadId) => noteProgress(deps.catalog, recording, { patch: { uploadId } }),
    onBytes: deps.pace.onBytes(signal),
  });
  await faultPoint("archive.after-put");
}

async function prove(
  deps: ArchiveDeps,
  { recording, key, localRetention }: Proof,
  signal: AbortSignal,
): Promise<Outcome> {
  const expected: ExpectedCopy = { key, bytes: recording.bytes, md5: recording.md5, sha256: recording.sha256 };
  const verdict = await proveCopy(deps.store, expected, signal);
  await faultPoint("archive.after-head");
  switch (verdict.kind) {
    case "absent":
      throw new AppError({ kind: "unavailable", message: `prove ${key}: the store took it and does not have it` });
    case "conflict":
      return conflict(deps, { recording, key }, verdict.reason);
    case "proven": {
      if (isSampled(recording, deps.readBackPercent)) {
        const damage = await findDamage(deps, expected, signal);
        // A second one beside it that is damaged too is read again and again: the fault may be on the way.
        if (damage !== undefined && key === conflictKey(deps.prefix, keyFacts(recording))) throw damage;
        if (damage !== undefined) return conflict(deps, { recording, key }, damage.message);
      }
      await faultPoint("archive.after-read-back");
      const verifiedAtUs = deps.catalog.clock.nowUs();
      return {
        patch: {
          archive: "verified",
          objectKey: key,
          uploadId: null,
          error: besideAnother(deps, recording, key),
          verifiedAtUs,
          step: "release",
          nextAttemptAtUs: releaseDueAtUs(verifiedAtUs, localRetention, deps.localRetentionMs),
        },
      };
    }
    default:
      return verdict satisfies never;
  }
}

/** F24: the store has other bytes than it says. */
async function findDamage(
  deps: ArchiveDeps,
  expected: ExpectedCopy,
  signal: AbortSignal,
): Promise<AppError | undefined> {
  try {
    await readBack(deps.store, expected, signal);
    return undefined;
  } catch (error) {
    if (isAppError(error, "data-loss")) return error;
    throw error;
  }
}

/** F27: that a foreign object stands where ours belongs stays to be seen after the proof. */
function besideAnother(deps: ArchiveDeps, recording: Hashed, key: string): string | null {
  const facts = keyFacts(recording);
  if (key !== conflictKey(deps.prefix, facts)) return null;
  return `object ${objectKey(deps.prefix, facts)} holds other bytes; this one stands beside it`;
}

/** F27: what stands under the key stays. Ours goes beside it, under a name that holds its own hash. */
function conflict(deps: ArchiveDeps, { recording, key }: Upload, reason: string): Outcome {
  const other = conflictKey(deps.prefix, keyFacts(recording));
  deps.logger.error("object holds other bytes; both are kept", {
    segmentId: recording.id,
    path: recording.path,
    objectKey: key,
    reason,
  });
  if (key === other) return { patch: { archive: "conflict", step: null, error: `object ${key}: ${reason}` } };
  return {
    patch: { archive: "none", objectKey: other, uploadId: null, step: "archive", error: `object ${key}: ${reason}` },
  };
}

async function hasChanged(deps: ArchiveDeps, recording: Recording): Promise<boolean> {
  return (await identityOf(await resolveInside(deps.recordDir, recording.filePath))) !== recording.fileIdentity;
}

/** The same share of objects on every try, spread evenly by their hash. */
function isSampled(recording: Hashed, percent: number): boolean {
  return (Number.parseInt(recording.sha256.slice(0, 8), 16) / 2 ** 32) * 100 < percent;
}

function keyFacts(recording: Hashed): KeyFacts {
  const { path, startUs, position, format, sha256 } = recording;
  return { path, startUs, position, format, sha256 };
}

function isHashed(recording: Recording): recording is Hashed {
  return recording.md5 !== null && recording.sha256 !== null && recording.fileIdentity !== null;
}
