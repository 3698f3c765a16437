/** `resume-deletes`: a person has looked at what stops deletions. Works beside a running server, which goes on at once. */
import { closeCatalog } from "../catalog/catalog.js";
import { formatRfc3339 } from "../core/instant.js";
import { createGuard } from "../wiring/create-guard.js";
import { openConfiguredCatalog, openConfiguredStore, setUp } from "../wiring/setup.js";

export async function resumeDeletes(): Promise<number> {
  const setup = await setUp();
  const catalog = await openConfiguredCatalog(setup);
  const store = openConfiguredStore(setup);
  try {
    const guard = createGuard(setup, { catalog, store });
    const stops = await guard.list();
    for (const { doubt, sinceUs, message } of stops) {
      process.stdout.write(`${doubt}: since ${formatRfc3339(sinceUs)}: ${message}\n`);
    }
    // What is found meanwhile was not looked at.
    const released = await guard.release(stops.map(({ doubt }) => doubt));
    process.stdout.write(stops.length === 0 ? "nothing stops deletions\n" : `released: ${String(released.length)}\n`);
    return 0;
  } finally {
    store.close();
    await closeCatalog(catalog);
  }
}
