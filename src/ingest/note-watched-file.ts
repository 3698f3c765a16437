/** What the folder watch saw: the same look as everywhere, recorded when it says something new. Never throws. */
import path from "node:path";

import { describeError } from "../core/errors.js";
import { identityOf } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";
import { type ExamineDeps, examineFile } from "./examine-file.js";
import type { GroupCommit } from "./group-commit.js";

export interface WatchedFileDeps extends ExamineDeps {
  readonly logger: Logger;
  /** Shared with the hooks. */
  readonly groupCommit: Pick<GroupCommit, "record" | "hasRecorded">;
}

export async function noteWatchedFile(deps: WatchedFileDeps, filePath: string): Promise<void> {
  try {
    const identity = await identityOf(path.join(deps.recordDir, filePath));
    if (identity === undefined || deps.groupCommit.hasRecorded(filePath, identity)) return;
    const examination = await examineFile(deps, filePath, { origin: "watch" });
    if (examination.kind !== "segment") return;
    await deps.groupCommit.record(examination.found);
  } catch (error) {
    deps.logger.warn("watched file could not be recorded; the scan will find it", {
      file: filePath,
      err: describeError(error),
    });
  }
}
