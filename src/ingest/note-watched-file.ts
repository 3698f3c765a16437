/** What the folder watch saw: the same look as everywhere, recorded when it says something new. Never throws. */
import { recordFoundFiles } from "../catalog/recordings.js";
import { describeError } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";
import { type ExamineDeps, examineFile } from "./examine-file.js";

export interface WatchedFileDeps extends ExamineDeps {
  readonly logger: Logger;
  readonly wake: () => void;
}

export async function noteWatchedFile(deps: WatchedFileDeps, filePath: string): Promise<void> {
  try {
    const examination = await examineFile(deps, filePath, { origin: "watch" });
    if (examination.kind !== "segment") return;
    const [result] = await recordFoundFiles(deps.catalog, [examination.found]);
    if (result?.finding !== "unchanged") deps.wake();
  } catch (error) {
    deps.logger.warn("watched file could not be recorded; the scan will find it", {
      file: filePath,
      err: describeError(error),
    });
  }
}
