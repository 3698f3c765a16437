/** `rebuild`: the catalog from bucket and record directory. Adds what is not known, changes and removes nothing. */
import { rebuildFromStore, type RebuildResult } from "../archive/rebuild-from-store.js";
import { closeCatalog } from "../catalog/catalog.js";
import { US_PER_MS } from "../core/instant.js";
import { lockFolders } from "../wiring/lock-folders.js";
import { scanOnce } from "../wiring/scan-once.js";
import { openConfiguredCatalog, openConfiguredStore, setUp } from "../wiring/setup.js";

export async function rebuild(): Promise<number> {
  const setup = await setUp();
  const lock = await lockFolders(setup);
  const catalog = await openConfiguredCatalog(setup);
  const { signal } = new AbortController();
  try {
    const store = openConfiguredStore(setup);
    const tell = (result: Readonly<RebuildResult>): void => setup.logger.info("rebuild goes on", { ...result });
    const prefix = setup.config.storage.prefix;
    const thumbnailIntervalUs = setup.config.thumbnails.intervalMs * US_PER_MS;
    const deps = { catalog, logger: setup.logger, store, prefix, thumbnailIntervalUs };
    const fromStore = await rebuildFromStore(deps, tell, signal);
    const progress = await scanOnce(setup, { catalog, store }, signal);
    process.stdout.write(`${JSON.stringify({ bucket: fromStore, recordDirectory: progress })}\n`);
    return 0;
  } finally {
    await closeCatalog(catalog);
    await lock.release();
  }
}
