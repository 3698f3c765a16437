/** `config render` and `config diff`: what MediaMTX is told, and what it runs. */
import { closeCatalog } from "../catalog/catalog.js";
import { listConfiguredPaths } from "../streams/configured-paths.js";
import { MediaMtx } from "../mediamtx/media-mtx.js";
import { mediaMtxOptions } from "../wiring/media-mtx-options.js";
import { createServerTokens, serverBearer } from "../wiring/server-tokens.js";
import { openConfiguredCatalog, setUp } from "../wiring/setup.js";

export async function printConfig(what: "render" | "diff"): Promise<number> {
  const setup = await setUp();
  const catalog = await openConfiguredCatalog(setup);
  try {
    const { clock, logger } = setup;
    const mediamtx = new MediaMtx(
      {
        ...{ clock, logger, listPaths: () => listConfiguredPaths(catalog) },
        bearer: serverBearer(setup, await createServerTokens(setup)),
      },
      mediaMtxOptions(setup),
    );
    if (what === "render") {
      process.stdout.write(await mediamtx.render());
      return 0;
    }
    const drift = await mediamtx.findDrift(AbortSignal.timeout(10_000));
    for (const { where, setting, expected, actual } of drift) {
      process.stdout.write(`${where} ${setting}: expected ${expected}, MediaMTX runs ${actual}\n`);
    }
    return drift.length === 0 ? 0 : 1;
  } finally {
    await closeCatalog(catalog);
  }
}
