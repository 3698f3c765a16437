/**
 * The step of a closed recording: one read gives hashes, tracks, fragment index and lengths. Repeatable; changes
 * nothing on disk. What an archive already holds is compared with what the file holds now. A file that is not there
 * fails the step: whether it is missing is for the scan to say (F45).
 */
import type { Catalog } from "../catalog/catalog.js";
import { findPath } from "../catalog/paths.js";
import type { Outcome } from "../catalog/recording-queue.js";
import { AppError, isAppError } from "../core/errors.js";
import { isPlausibleInstant } from "../core/instant.js";
import type { Recording } from "../core/recording.js";
import { releaseDueAtUs } from "../core/retention.js";
import { pictureInstants } from "../core/thumbnail.js";
import { wallDurationUs } from "../core/wall-duration.js";
import { encodeFragmentIndex } from "../media/fragment-index-codec.js";
import type { FileHashes, Inspection } from "../media/inspection.js";
import { faultPoint } from "../platform/fault-point.js";
import { resolveInside } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";

export interface InspectDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly recordDir: string;
  readonly localRetentionMs: number;
  /** Between periodic pictures; 0: none. */
  readonly thumbnailIntervalUs: number;
  readonly inspect: (
    request: { readonly filePath: string; readonly format: Recording["format"]; readonly hash: boolean },
    signal: AbortSignal,
  ) => Promise<InspectedFile>;
}

interface InspectedFile {
  readonly inspection: Inspection;
  readonly hashes: FileHashes | null;
  /** dev:ino:size:mtimeNs of the bytes that were read. */
  readonly identity: string;
}

/** A file this young may not be wholly visible yet on a network disk; younger than this it is not called broken. */
const MAY_STILL_CHANGE_US = 5_000_000;

export async function inspectRecording(
  deps: InspectDeps,
  recording: Recording,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const settings = await findPath(deps.catalog, recording.path);
  const wantsArchive = settings?.archive !== "none";
  try {
    const filePath = await resolveInside(deps.recordDir, recording.filePath);
    await faultPoint("inspect.before-read");
    const hash = wantsArchive || hasArchiveToCompare(recording);
    const inspected = await deps.inspect({ filePath, format: recording.format, hash }, signal);
    await faultPoint("inspect.after-read");
    // Only the file that was found closed counts. Whoever changed it since may go on, or it is another one (F9, F11, F35).
    if (inspected.identity !== recording.fileIdentity) return { patch: { local: "open", step: "settle" } };
    return outcomeOf(deps, { recording, inspected, wantsArchive, localRetention: settings?.localRetention ?? null });
  } catch (error) {
    if (isAppError(error, "data-loss") && !isYoung(deps.catalog, recording)) {
      deps.logger.error("file quarantined", { path: recording.path, file: recording.filePath, reason: error.message });
      return { patch: { local: "quarantined", step: null, error: error.message } };
    }
    throw error;
  }
}

interface Inspected {
  readonly recording: Recording;
  readonly inspected: InspectedFile;
  readonly wantsArchive: boolean;
  readonly localRetention: string | null;
}

function outcomeOf(deps: InspectDeps, context: Inspected): Outcome {
  const { recording, inspected } = context;
  const { inspection, hashes, identity } = inspected;
  const startUs = inspection.startUs ?? recording.startUs;
  const [, , size = "0", mtimeNs = "0"] = identity.split(":");
  const modifiedAtUs = Number(BigInt(mtimeNs) / 1_000n);
  const durationUs = wallDurationUs({ startUs, plausibleDurationUs: inspection.plausibleDurationUs, modifiedAtUs });
  if (!isPlausibleInstant(startUs + durationUs)) {
    throw new AppError({ kind: "data-loss", message: `the file lasts ${String(durationUs)} us, by its sample tables` });
  }
  const { tracks, position } = inspection;
  const pictured = { startUs, endUs: startUs + durationUs, tracks, position, format: recording.format };
  return {
    patch: {
      ...{ startUs, endUs: pictured.endUs, tracks, position },
      mediaDurationUs: inspection.mediaDurationUs,
      partial: recording.format === "fmp4" && !inspection.finalised,
      fileIdentity: identity,
      bytes: Number(size),
      md5: hashes?.md5 ?? null,
      sha256: hashes?.sha256 ?? null,
      ...nextStep(deps, context),
    },
    ...(inspection.fragments === null ? {} : { fragmentIndex: encodeFragmentIndex(inspection.fragments) }),
    // Where nothing goes to the store, no picture does either.
    ...(context.wantsArchive && pictureInstants(pictured, deps.thumbnailIntervalUs).length > 0
      ? { thumbnailsDue: true }
      : {}),
  };
}

/** The path may have been set to `archive: none` since: what the row says of the store must stay true all the same. */
function hasArchiveToCompare({ archive }: Recording): boolean {
  return archive === "verified" || archive === "uploading";
}

/**
 * Archived before and the same bytes: only the release is left. Archived before and other bytes: archive anew, where the
 * path is archived still. An upload of these bytes that was begun is finished.
 */
function nextStep(
  deps: InspectDeps,
  { recording, inspected, wantsArchive, localRetention }: Inspected,
): Outcome["patch"] {
  const { hashes } = inspected;
  if (hashes === null) return { step: null };
  const isSame = recording.sha256 === hashes.sha256;
  if (recording.archive === "verified" && isSame) {
    const verifiedAtUs = recording.verifiedAtUs ?? deps.catalog.clock.nowUs();
    return { step: "release", nextAttemptAtUs: releaseDueAtUs(verifiedAtUs, localRetention, deps.localRetentionMs) };
  }
  if (recording.archive === "verified") {
    deps.logger.error("file changed after it was archived; both versions are kept", {
      segmentId: recording.id,
      path: recording.path,
      objectKey: recording.objectKey,
    });
  }
  if (!wantsArchive && recording.archive === "uploading" && isSame) return { step: "archive" };
  const nothing = { archive: "none", objectKey: null, uploadId: null, verifiedAtUs: null } as const;
  return { ...nothing, step: wantsArchive ? "archive" : null };
}

function isYoung(catalog: Catalog, recording: Recording): boolean {
  const mtimeNs = recording.fileIdentity?.split(":")[3] ?? "0";
  return catalog.clock.nowUs() - Number(BigInt(mtimeNs) / 1_000n) < MAY_STILL_CHANGE_US;
}
