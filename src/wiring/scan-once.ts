/** One scan without a server, for the commands: nobody works on the rows meanwhile, and no MediaMTX is known. */
import type { ObjectStore } from "../archive/object-store.js";
import type { Catalog } from "../catalog/catalog.js";
import { emptyProgress, type ScanProgress, scanRecordDir } from "../ingest/scan.js";
import { createGuard } from "./create-guard.js";
import { createIngest } from "./create-ingest.js";
import type { Setup } from "./setup.js";

export async function scanOnce(
  setup: Setup,
  parts: { readonly catalog: Catalog; readonly store: ObjectStore },
  signal: AbortSignal,
): Promise<ScanProgress> {
  const progress = emptyProgress();
  const guard = createGuard(setup, parts);
  const deps = createIngest(setup, {
    catalog: parts.catalog,
    wake: () => undefined,
    serverStartedAtUs: () => null,
    mayMarkMissing: (counts) => guard.mayMarkMissing(counts),
  });
  await scanRecordDir(deps, progress, signal);
  return progress;
}
