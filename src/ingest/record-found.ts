/** What hook, watch and scan do with the files that they found. Idempotent. */
import { type FoundResult, recordFoundFiles } from "../catalog/found-files.js";
import { hastenSettling } from "../catalog/recording-queue.js";
import type { FoundFile } from "../core/found-file.js";
import type { Step } from "../core/recording.js";
import { faultPoint } from "../platform/fault-point.js";
import type { ExamineDeps } from "./examine-file.js";

export interface RecordFoundDeps extends Pick<ExamineDeps, "catalog"> {
  /** Rows may be due now, of this step where it is known. */
  readonly wake: (step?: Step) => void;
}

/** A little more than the quiet time of a file that was left behind (`isClosed`). */
const SETTLE_AFTER_MS = 2_500;

export async function recordFound(deps: RecordFoundDeps, files: readonly FoundFile[]): Promise<FoundResult[]> {
  await faultPoint("ingest.before-record");
  const results = await recordFoundFiles(deps.catalog, files);
  await faultPoint("ingest.after-record");
  const begun = new Map<FoundFile["path"], number>();
  let isDue = false;
  for (const [index, { finding }] of results.entries()) {
    const file = files[index];
    if (file === undefined || finding === "unchanged") continue;
    if (finding === "insert") begun.set(file.path, Math.max(file.startUs, begun.get(file.path) ?? 0));
    // A file that was begun just now is looked at later.
    isDue ||= file.closed || finding !== "insert";
  }
  if (begun.size > 0) isDue = (await hastenSettling(deps.catalog, begun, SETTLE_AFTER_MS)) > 0 || isDue;
  await faultPoint("ingest.after-hasten");
  // Settling and inspection share a lane.
  if (isDue) deps.wake("inspect");
  return results;
}
