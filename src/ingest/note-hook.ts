/**
 * What MediaMTX's hooks tell us. A hook is a hint: it makes a row appear at once, and whatever it gets wrong the scan
 * puts right. Answering twice, late or in any order ends in the same state.
 */
import { insertPathEvent } from "../catalog/path-events.js";
import { recordRejectedFile } from "../catalog/rejected-files.js";
import { recordAbsentFile } from "../catalog/recordings.js";
import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import { NOT_LOOKED_INTO, type RecordingId } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import type { Logger } from "../platform/logger.js";
import { type ExamineDeps, examineFile } from "./examine-file.js";
import type { GroupCommit } from "./group-commit.js";

export interface NoteHookDeps extends ExamineDeps {
  readonly logger: Logger;
  /** From MediaMTX's mount namespace to a path relative to the record directory. Throws `invalid-argument`. */
  readonly mapSegmentPath: (segmentPath: string) => string;
  /** Shared with the watch. */
  readonly groupCommit: Pick<GroupCommit, "record" | "isPressed" | "hasRecorded">;
}

export interface SegmentNote {
  readonly path: PathName;
  readonly segmentPath: string;
}

export interface SourceNote {
  readonly path: PathName;
  readonly sourceType?: string | undefined;
  readonly sourceId?: string | undefined;
}

/** The row that the hook is about. Throws `invalid-argument` for a file outside the record directory or no segment. */
export async function noteSegment(
  deps: NoteHookDeps,
  kind: "segment-create" | "segment-complete",
  note: SegmentNote,
): Promise<RecordingId> {
  const filePath = deps.mapSegmentPath(note.segmentPath);
  const isComplete = kind === "segment-complete";
  const examination = await examineFile(deps, filePath, { origin: "hook", saidToBeComplete: isComplete });
  switch (examination.kind) {
    case "segment": {
      assertSamePath(note, examination.found.path);
      return (await deps.groupCommit.record(examination.found)).id;
    }
    case "absent":
      return noteAbsent(deps, filePath, note);
    case "rejected": {
      const isNew = await recordRejectedFile(deps.catalog, {
        filePath,
        reason: examination.reason,
        bytes: examination.bytes,
      });
      if (isNew)
        deps.logger.warn("hook names a file that is no segment", { file: filePath, reason: examination.reason });
      throw new AppError({
        kind: "invalid-argument",
        message: `segment path "${note.segmentPath.slice(0, 200)}": ${examination.reason}`,
        fields: [{ field: "segmentPath", message: examination.reason }],
      });
    }
    default:
      return examination satisfies never;
  }
}

export async function noteSource(deps: NoteHookDeps, kind: "ready" | "not-ready", note: SourceNote): Promise<void> {
  await insertPathEvent(deps.catalog, {
    path: note.path,
    kind,
    atUs: deps.catalog.clock.nowUs(),
    sourceType: note.sourceType ?? null,
    sourceId: note.sourceId ?? null,
  });
  deps.logger.info("path changed state", { path: note.path, state: kind, source: note.sourceType });
}

/** F5: told once, kept as `missing`, and found again when the file turns up (F6: a network disk may be late). */
async function noteAbsent(deps: NoteHookDeps, filePath: string, note: SegmentNote): Promise<RecordingId> {
  const name = deps.decodeName(filePath);
  if (name === undefined) {
    throw new AppError({
      kind: "invalid-argument",
      message: `segment path "${note.segmentPath.slice(0, 200)}" is not of any known recordPath`,
      fields: [{ field: "segmentPath", message: "expected the name of a segment" }],
    });
  }
  assertSamePath(note, name.path);
  await faultPoint("hook.before-absent-row");
  const { id, isNew } = await recordAbsentFile(deps.catalog, {
    ...NOT_LOOKED_INTO,
    ...name,
    endUs: name.startUs,
    filePath,
    local: "missing",
    nextAttemptAtUs: deps.catalog.clock.nowUs(),
    error: "a hook named this file, and it is not there",
    origin: "hook",
  });
  await faultPoint("hook.after-absent-row");
  if (!isNew) return id;
  deps.logger.error("hook names a file that is not there", {
    segmentId: id,
    path: name.path,
    file: filePath,
  });
  return id;
}

/** MTX_PATH and the path in the file name are the same thing; a hook that disagrees with itself is forged or broken. */
function assertSamePath(note: SegmentNote, path: PathName): void {
  if (note.path === path) return;
  throw new AppError({
    kind: "invalid-argument",
    message: `path "${note.path}" does not fit the segment path, which is of "${path}"`,
    fields: [{ field: "path", message: "must be the path of the segment" }],
  });
}
