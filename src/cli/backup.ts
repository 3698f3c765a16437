/** `backup`: one now. Works beside a running server, and without one. */
import { makeBackup } from "../backup/make-backup.js";
import { closeCatalog } from "../catalog/catalog.js";
import { AppError } from "../core/errors.js";
import { backupDeps } from "../wiring/create-backup.js";
import { createGuard } from "../wiring/create-guard.js";
import { openConfiguredCatalog, openConfiguredStore, setUp } from "../wiring/setup.js";

export async function backup(): Promise<number> {
  const setup = await setUp();
  const catalog = await openConfiguredCatalog(setup);
  const store = openConfiguredStore(setup);
  try {
    const guard = createGuard(setup, { catalog, store });
    const deps = backupDeps(setup, { catalog, store, guard, onBytes: () => () => undefined });
    if (deps === null) {
      throw new AppError({
        kind: "failed-precondition",
        message: "the catalog is in PostgreSQL, whose backups are the operator's",
        hint: "pg_dump, as for any other database",
      });
    }
    const { key, bytes } = await makeBackup(deps, new AbortController().signal);
    process.stdout.write(`${JSON.stringify({ key, bytes })}\n`);
    return 0;
  } finally {
    store.close();
    await closeCatalog(catalog);
  }
}
