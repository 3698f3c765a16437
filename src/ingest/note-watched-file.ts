/** What the folder watch saw: the same look as everywhere, recorded when it says something new. Never throws. */
import { describeError } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";
import { type ExamineDeps, examineFile } from "./examine-file.js";
import { recordFound } from "./record-found.js";

export interface WatchedFileDeps extends ExamineDeps {
  readonly logger: Logger;
  readonly wake: () => void;
}

export async function noteWatchedFile(deps: WatchedFileDeps, filePath: string): Promise<void> {
  try {
    const examination = await examineFile(deps, filePath, { origin: "watch" });
    if (examination.kind !== "segment") return;
    await recordFound(deps, [examination.found]);
  } catch (error) {
    deps.logger.warn("watched file could not be recorded; the scan will find it", {
      file: filePath,
      err: describeError(error),
    });
  }
}
