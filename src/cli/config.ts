/** `config render` and `config diff`: what MediaMTX is told, and what it runs. */
import { closeCatalog } from "../catalog/catalog.js";
import { listConfiguredPaths } from "../streams/configured-paths.js";
import { maskConfig } from "../mediamtx/config-diff.js";
import { MediaMtx } from "../mediamtx/media-mtx.js";
import { mediaMtxOptions } from "../wiring/media-mtx-options.js";
import { createServerTokens, serverBearer } from "../wiring/server-tokens.js";
import { openConfiguredCatalog, setUp } from "../wiring/setup.js";

export function renderConfig({ withSecrets }: { readonly withSecrets: boolean }): Promise<number> {
  return withMediaMtx(async (mediamtx) => {
    const text = await mediamtx.render();
    process.stdout.write(withSecrets ? text : maskConfig(text));
    return 0;
  });
}

export function diffConfig(): Promise<number> {
  return withMediaMtx(async (mediamtx) => {
    const drift = await mediamtx.findDrift(AbortSignal.timeout(10_000));
    for (const { where, setting, expected, actual } of drift) {
      process.stdout.write(`${where} ${setting}: expected ${expected}, MediaMTX runs ${actual}\n`);
    }
    return drift.length === 0 ? 0 : 1;
  });
}

async function withMediaMtx(work: (mediamtx: MediaMtx) => Promise<number>): Promise<number> {
  const setup = await setUp();
  const catalog = await openConfiguredCatalog(setup);
  try {
    const { clock, logger } = setup;
    const listPaths = () => listConfiguredPaths(catalog);
    const bearer = serverBearer(setup, await createServerTokens(setup));
    return await work(new MediaMtx({ clock, logger, listPaths, bearer }, mediaMtxOptions(setup)));
  } finally {
    await closeCatalog(catalog);
  }
}
