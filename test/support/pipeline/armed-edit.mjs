/**
 * A start that renders mediamtx.yml, then an edit or a rollback of its only path, as far as the file; without a server.
 * Dies at the point in POINT, once the start is over. Prints what the rows would render at the end.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";

const load = (name) => import(`${process.env.PROGRAM}/dist/${name}.js`);

const { REELKEEPER } = await load("catalog/audit");
const { closeCatalog } = await load("catalog/catalog");
const { findPath } = await load("catalog/paths");
const { MediaMtx } = await load("mediamtx/media-mtx");
const { arm } = await load("platform/fault-point");
const { createConfigAdmin } = await load("streams/config-admin");
const { sealConfig } = await load("streams/config-snapshot");
const { listConfiguredPaths } = await load("streams/configured-paths");
const { createPathAdmin } = await load("streams/path-admin");
const { mediaMtxOptions } = await load("wiring/media-mtx-options");
const { openConfiguredCatalog, setUp } = await load("wiring/setup");

const [what] = process.argv.slice(2);
const setup = await setUp();
const { clock, logger } = setup;
const catalog = await openConfiguredCatalog(setup);
const mediamtx = new MediaMtx({ clock, logger, listPaths: () => listConfiguredPaths(catalog) }, mediaMtxOptions(setup));
const snapshots = { box: catalog.sealing.box, render: (paths) => mediamtx.renderPaths(paths) };
const deps = {
  ...{ catalog, logger, localRetentionMs: 0, wake: () => undefined, requestApply: () => mediamtx.requestApply() },
  ...{ validatePaths: () => Promise.resolve(), seal: (paths) => sealConfig(snapshots, paths) },
};
const config = createConfigAdmin({ ...deps, ...snapshots, mask: (text) => text, compare: () => ({ diff: "" }) });
const paths = createPathAdmin(deps);
const name = "cam1";

if ((await findPath(catalog, name)) === undefined) {
  const source = "rtsp://admin:canary-password@10.0.0.7/1";
  await paths.create({ name, enabled: true, archive: "all", localRetention: null, labels: [], source }, REELKEEPER);
}
await config.noteStart();
await mediamtx.prepare(new AbortController().signal);
await mediamtx.start(null);
if (process.env.POINT) arm({ point: process.env.POINT, mode: "kill" });
if (what === "edit") await paths.patch(name, { maxReaders: 7 }, REELKEEPER);
if (what === "rollback") await config.rollback(1, REELKEEPER);
const text = await mediamtx.render();
const file = path.join(setup.config.mediamtx.configDir, "mediamtx.yml");
while ((await readFile(file, "utf8")) !== text) await new Promise((resolve) => setTimeout(resolve, 20));
await mediamtx.stop();
const [newest] = await config.list({ limit: 1 });
await closeCatalog(catalog);
process.stdout.write(`${JSON.stringify({ text, version: newest })}\n`);
process.exit(0);
