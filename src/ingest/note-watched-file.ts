/** What the folder watch saw: the same look as everywhere, recorded when it says something new. Never throws. */
import { describeError } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";
import { type ExamineDeps, examineFile } from "./examine-file.js";
import type { GroupCommit } from "./group-commit.js";

export interface WatchedFileDeps extends ExamineDeps {
  readonly logger: Logger;
  /** Shared with the hooks. */
  readonly groupCommit: Pick<GroupCommit, "record">;
}

export async function noteWatchedFile(deps: WatchedFileDeps, filePath: string): Promise<void> {
  try {
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
