/** `scan`: one scan of the record directory without a server, for instance before a first start on a large archive. */
import { closeCatalog } from "../catalog/catalog.js";
import { lockFolders } from "../wiring/lock-folders.js";
import { scanOnce } from "../wiring/scan-once.js";
import { openConfiguredCatalog, openConfiguredStore, setUp } from "../wiring/setup.js";

export async function scan(): Promise<number> {
  const setup = await setUp();
  const lock = await lockFolders(setup);
  const catalog = await openConfiguredCatalog(setup);
  try {
    const store = openConfiguredStore(setup);
    const progress = await scanOnce(setup, { catalog, store }, new AbortController().signal);
    process.stdout.write(`${JSON.stringify(progress)}\n`);
    return progress.doubted > 0 ? 1 : 0;
  } finally {
    await closeCatalog(catalog);
    await lock.release();
  }
}
