/**
 * What the sweeps play: a few segments on their whole way, built from the product's own wiring. Hook before and after
 * the file, scan, settle, archive, release, a removal that the disk refuses, a name that is taken again, a file that vanishes, a
 * deletion, mediamtx.yml, rebuild. Everything may be done already: a second play goes on where a dead one stopped.
 */
import { existsSync } from "node:fs";
import { copyFile, open, rename, rm, utimes } from "node:fs/promises";
import path from "node:path";

const load = (name) => import(`${process.env.PROGRAM}/dist/${name}.js`);

const { createFolderStore } = await load("archive/folder-store");
const { createRateLimiter } = await load("archive/rate-limiter");
const { rebuildFromStore } = await load("archive/rebuild-from-store");
const { createS3Store } = await load("archive/s3-store");
const { UploadPace } = await load("archive/upload-pace");
const { closeCatalog, openCatalog } = await load("catalog/catalog");
const { insertPath } = await load("catalog/paths");
const { releaseStaleLeases } = await load("catalog/recording-queue");
const { requestDeletion } = await load("catalog/recordings");
const { noteSegment } = await load("ingest/note-hook");
const { emptyProgress, scanRecordDir } = await load("ingest/scan");
const { Inspector } = await load("media/inspector");
const { ConfigPublisher } = await load("mediamtx/config-publisher");
const { createMetrics } = await load("metrics/metrics");
const { listen } = await load("platform/fault-point");
const { createGuard } = await load("wiring/create-guard");
const { createIngest } = await load("wiring/create-ingest");
const { createPipeline } = await load("wiring/create-pipeline");
const { Pulse } = await load("wiring/pulse");
const { openConfiguredCatalog, setUp } = await load("wiring/setup");

const TRIES = 3;
const REST_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 20;
const ALL_AT_RENAME_WITHIN_MS = 2_000;
const TWO_DAYS_SEC = 2 * 86_400;
const PART_BYTES = 5 * 1_048_576;

/** Throws when the scene does not come to its end. */
export async function playScene(scene) {
  Object.assign(process.env, scene.env);
  const undo = [];
  try {
    await play(scene, undo);
  } finally {
    listen(undefined);
    for (const step of undo.reverse()) await step();
  }
}

async function play(scene, undo) {
  const setup = await setUp();
  await writeConfig(setup, scene);
  const parts = await createParts(setup, scene, undo);
  const { catalog } = parts;
  await releaseStaleLeases(catalog);
  // How many stand before their rename, and the other file's taking.
  const removals = { atRename: 0, taking: undefined };
  listen({
    onPoint: (name) => meddle(parts, scene, { name, removals }),
    voidLeases: () => voidLeases(parts),
    holdDatabase: () => holdDatabase(parts),
  });
  await parts.guard.start();
  undo.push(() => parts.guard.stop());
  parts.worker.start();
  undo.push(() => parts.worker.stop(1_000));

  await insertPath(catalog, keptPath(scene)).catch((error) => {
    if (error.kind !== "already-exists") throw error;
  });
  await hook(parts, scene.hooked);
  await hook(parts, scene.late.name);
  await arrive(scene);
  await scan(parts);
  await lookAtOpen(parts);
  await comeToRest(parts);
  await closeLeftBehind(setup, scene);
  await scan(parts);
  await comeToRest(parts);
  await vanish(parts, scene);
  await requestDelete(parts, scene);
  await comeToRest(parts);
  await scan(parts);
  await comeToRest(parts);
  await parts.store.abortStaleUploads(0, new AbortController().signal);
  await rebuild(parts, scene);
}

async function createParts(setup, scene, undo) {
  const { clock, config } = setup;
  const catalog = await openConfiguredCatalog(setup);
  undo.push(() => closeCatalog(catalog));
  const store = openStore(setup, scene);
  undo.push(() => store.close());
  const inspector = new Inspector({ clock, ffprobe: { configuredPath: null, env: process.env } });
  inspector.start();
  undo.push(() => inspector.stop());
  const pace = new UploadPace(clock, config.archive.maxConcurrency, createRateLimiter(clock, 0));
  const pulse = new Pulse(clock);
  const metrics = createMetrics({
    backlog: () => Promise.resolve([]),
    latest: () => Promise.resolve([]),
    nowUs: () => clock.nowUs(),
    uploadConcurrency: () => pace.concurrency,
    deletionStops: () => guard.stops,
    configDrift: () => 0,
    disks: [],
    readDiskSpace: () => Promise.reject(new Error("not asked")),
  });
  const wake = () => worker?.wake();
  const guard = createGuard(setup, { catalog, store, onReleased: wake });
  const ingest = createIngest(setup, {
    catalog,
    wake,
    serverStartedAtUs: () => null,
    mayMarkMissing: (counts) => guard.mayMarkMissing(counts),
  });
  const requestScan = () => undefined;
  const worker = createPipeline(setup, { catalog, store, inspector, pace, metrics, pulse, ingest, guard, requestScan });
  return { setup, catalog, store, guard, ingest, worker };
}

/** With small parts, so that a file of 7 MB is sent in two. */
function openStore({ config, env, clock }, { isFolder }) {
  const { storage } = config;
  if (isFolder) return createFolderStore({ dir: storage.dir, clock });
  const { endpoint, bucket, region, prefix } = storage;
  const accessKeyId = env.text("R2_ACCESS_KEY_ID");
  const secretAccessKey = env.text("R2_SECRET_ACCESS_KEY");
  return createS3Store({
    ...{ endpoint, bucket, region, prefix, clock, partBytes: PART_BYTES, multipartThresholdBytes: PART_BYTES + 1 },
    credentials: () => ({ accessKeyId, secretAccessKey }),
  });
}

/** The old text first, so that there is one to keep. */
async function writeConfig({ clock, logger }, { configFile, configTexts }) {
  for (const text of configTexts) {
    const readServer = () => Promise.reject(new Error("not asked"));
    const deps = { clock, log: logger, configFile, fileMode: 0o600, render: async () => text, readServer };
    await new ConfigPublisher(deps).writeNow();
  }
}

function keptPath({ kept }) {
  return {
    ...{ name: kept, settings: {}, enabled: true, archive: "all", labels: [] },
    ...{ localRetention: "24h", archiveRetention: null },
  };
}

/** As MediaMTX's hook: tried a few times, and lost then. */
async function hook({ ingest, setup }, name) {
  const note = { path: path.dirname(name), segmentPath: path.join(setup.recordDir, name) };
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      await noteSegment(ingest, "segment-complete", note);
      return;
    } catch {
      // The scan will find it.
    }
  }
}

async function scan({ ingest }) {
  for (let tries = 1; ; tries += 1) {
    try {
      await scanRecordDir(ingest, emptyProgress(), new AbortController().signal);
      return;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function arrive({ late }) {
  await rename(late.from, late.to).catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** Time passes for the file that was never finalised. */
async function closeLeftBehind({ recordDir }, { open: name }) {
  const sec = Date.now() / 1_000 - TWO_DAYS_SEC;
  await utimes(path.join(recordDir, name), sec, sec).catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** Half a minute passes for what is still written. */
async function lookAtOpen({ catalog }) {
  await catalog.db("recordings").where({ step: "settle" }).update({ next_attempt_at_us: 0 });
}

/** A person takes an archived file away. */
async function vanish({ catalog, setup }, { vanishing }) {
  const [row] = await catalog.db("recordings").where({ file_path: vanishing, archive: "verified", local: "present" });
  if (row !== undefined) await rm(path.join(setup.recordDir, vanishing), { force: true });
}

async function requestDelete({ catalog, worker }, { deleted }) {
  const [row] = await catalog.db("recordings").where({ file_path: deleted, archive: "verified", local: "present" });
  if (row === undefined) return;
  await requestDeletion(catalog, row.id);
  worker.wake();
}

/**
 * What else happens while files go: MediaMTX takes the name of one that is about to, and the disk refuses to remove the
 * first of the others from the trash. Both once, also when this is the second play.
 */
async function meddle(parts, scene, { name, removals }) {
  if (name === "trash.before-unlink" && (await isFirst(scene.refusedMark))) {
    throw Object.assign(new Error("unlink: refused"), { code: "EIO" });
  }
  if (name !== "trash.before-rename") return;
  removals.atRename += 1;
  try {
    if (!(await isTakenAboutToGo(parts, scene, removals))) return;
    removals.taking ??= take(parts, scene);
    await removals.taking;
  } finally {
    removals.atRename -= 1;
  }
}

/** No removal says whose it is: when as many stand here as files are about to go, that one's last look is behind it. */
async function isTakenAboutToGo({ catalog, setup }, { taken }, removals) {
  const endMs = performance.now() + ALL_AT_RENAME_WITHIN_MS;
  for (;;) {
    const rows = await catalog.db("recordings").where({ local: "trashed" });
    const going = rows.filter((row) => existsSync(path.join(setup.recordDir, row.file_path)));
    if (!going.some((row) => row.file_path === taken.name)) return false;
    if (existsSync(taken.mark) || going.length <= removals.atRename || performance.now() > endMs) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function take({ setup }, { taken }) {
  if (existsSync(taken.mark)) return;
  await copyFile(taken.from, path.join(setup.recordDir, taken.name));
  // Last: until then nobody may ask for what was not written whole.
  await isFirst(taken.mark);
}

async function isFirst(mark) {
  try {
    await (await open(mark, "wx")).close();
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** The only connection, between two of its transactions. */
async function holdDatabase({ catalog }) {
  const { client } = catalog.db;
  const connection = await client.acquireConnection();
  return () => client.releaseConnection(connection);
}

async function voidLeases({ catalog, worker }) {
  await releaseStaleLeases(catalog);
  worker.wake();
}

/** What failed is tried again at once. */
async function retryFailed(catalog) {
  await catalog.db("recordings").whereNotNull("step").andWhere("attempts", ">", 0).update({ next_attempt_at_us: 0 });
}

/** Nothing is at work or due: what waits, waits for its retention or for MediaMTX. */
async function comeToRest({ catalog, guard, worker }) {
  const endMs = performance.now() + REST_WITHIN_MS;
  for (;;) {
    if (guard.stops.length > 0) throw new Error(`deletions are stopped: ${guard.stops[0].message}`);
    const rows = await catalog.db("recordings").whereNotNull("step");
    const busy = rows.filter((row) => row.lease_owner !== null || row.attempts > 0 || !isWaiting(row));
    if (busy.length === 0) return;
    if (performance.now() > endMs) throw new Error(`the queue does not come to rest: ${JSON.stringify(busy)}`);
    await retryFailed(catalog);
    worker.wake();
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function isWaiting({ step, next_attempt_at_us: nextUs }) {
  return (step === "settle" || step === "release") && Number(nextUs) > Date.now() * 1_000;
}

/** Rows of the bucket alone, into a database of their own. */
async function rebuild({ setup, store, catalog: { sealing } }, { rebuiltFile }) {
  const { clock, logger, nodeId, config } = setup;
  const catalog = await openCatalog({ target: { kind: "sqlite", file: rebuiltFile }, clock, nodeId, sealing });
  try {
    const deps = { catalog, logger, store, prefix: config.storage.prefix };
    for (let tries = 1; ; tries += 1) {
      try {
        await rebuildFromStore(deps, () => undefined, new AbortController().signal);
        return;
      } catch (error) {
        if (tries === TRIES) throw error;
      }
    }
  } finally {
    await closeCatalog(catalog);
  }
}
