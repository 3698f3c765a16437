/** `scan`: one scan of the record directory without a server, for instance before a first start on a large archive. */
import { createGuard } from "../wiring/create-guard.js";
import { createIngest } from "../wiring/create-ingest.js";
import { closeCatalog } from "../catalog/catalog.js";
import { emptyProgress, scanRecordDir } from "../ingest/scan.js";
import { lockFolders } from "../wiring/lock-folders.js";
import { openConfiguredCatalog, openConfiguredStore, setUp } from "../wiring/setup.js";

export async function scan(): Promise<number> {
  const setup = await setUp();
  const lock = await lockFolders(setup);
  const catalog = await openConfiguredCatalog(setup);
  try {
    const progress = emptyProgress();
    const store = openConfiguredStore(setup);
    const guard = createGuard(setup, { catalog, store });
    const deps = createIngest(setup, {
      catalog,
      wake: () => undefined,
      serverStartedAtUs: () => null,
      mayMarkMissing: (counts) => guard.mayMarkMissing(counts),
    });
    await scanRecordDir(deps, progress, new AbortController().signal);
    process.stdout.write(`${JSON.stringify(progress)}\n`);
    return progress.doubted > 0 ? 1 : 0;
  } finally {
    await closeCatalog(catalog);
    await lock.release();
  }
}
