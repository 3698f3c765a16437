/** The step of an open recording: look whether MediaMTX still writes to it. Repeatable; changes nothing on disk. */
import { recordFoundFiles } from "../catalog/found-files.js";
import type { Outcome } from "../catalog/recording-queue.js";
import { AppError } from "../core/errors.js";
import { judgeFoundFile, LOOK_AT_OPEN_AFTER_MS } from "../core/found-file.js";
import type { Recording } from "../core/recording.js";
import { type ExamineDeps, examineFile } from "./examine-file.js";

export async function settleRecording(deps: ExamineDeps, recording: Recording): Promise<Outcome | undefined> {
  const examination = await examineFile(deps, recording.filePath, { origin: recording.origin });
  switch (examination.kind) {
    case "absent":
      throw new AppError({ kind: "not-found", message: `look at ${recording.filePath}: the file is not there` });
    case "rejected":
      return { patch: { local: "quarantined", step: null, error: examination.reason } };
    case "segment": {
      const { found } = examination;
      if (found.closed || judgeFoundFile(recording, found).kind === "replace") {
        await recordFoundFiles(deps.catalog, [found]);
        return undefined;
      }
      const { bytes, fileIdentity } = found;
      const nextAttemptAtUs = deps.catalog.clock.nowUs() + LOOK_AT_OPEN_AFTER_MS * 1_000;
      return { patch: { bytes, fileIdentity, step: "settle", nextAttemptAtUs } };
    }
    default:
      return examination satisfies never;
  }
}
