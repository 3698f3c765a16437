/** What hook, watch and scan do with the files that they found. Idempotent. */
import { hastenSettling } from "../catalog/recording-queue.js";
import { type FoundResult, recordFoundFiles } from "../catalog/recordings.js";
import type { FoundFile } from "../core/found-file.js";
import { faultPoint } from "../platform/fault-point.js";
import type { ExamineDeps } from "./examine-file.js";

export interface RecordFoundDeps extends Pick<ExamineDeps, "catalog"> {
  /** Rows may be due now. */
  readonly wake: () => void;
}

/** A little more than the quiet time of a file that was left behind (`isClosed`). */
const SETTLE_AFTER_MS = 2_500;

export async function recordFound(deps: RecordFoundDeps, files: readonly FoundFile[]): Promise<FoundResult[]> {
  await faultPoint("ingest.before-record");
  const results = await recordFoundFiles(deps.catalog, files);
  await faultPoint("ingest.after-record");
  const begun = new Map<FoundFile["path"], number>();
  for (const [index, { finding }] of results.entries()) {
    const file = files[index];
    if (file !== undefined && finding === "insert")
      begun.set(file.path, Math.max(file.startUs, begun.get(file.path) ?? 0));
  }
  if (begun.size > 0) await hastenSettling(deps.catalog, begun, SETTLE_AFTER_MS);
  await faultPoint("ingest.after-hasten");
  if (results.some(({ finding }) => finding !== "unchanged")) deps.wake();
  return results;
}
