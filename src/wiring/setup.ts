/** What every command needs first: configuration, secrets, log, folders and the open catalog. */
import { randomUUID } from "node:crypto";
import { open, readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { createFolderStore } from "../archive/folder-store.js";
import type { ObjectStore } from "../archive/object-store.js";
import { createS3Store } from "../archive/s3-store.js";
import { type Catalog, closeCatalog, openCatalog } from "../catalog/catalog.js";
import { type Config, loadConfig } from "../config/config.js";
import { type Env, readEnv } from "../config/env.js";
import { loadSecrets, type Secrets, secretValues } from "../config/secrets.js";
import { errnoOf } from "../core/errors.js";
import { type Clock, systemClock } from "../platform/clock.js";
import { ensureDirectory, writeFileAtomically } from "../platform/files.js";
import { createLogger, type Logger } from "../platform/logger.js";
import { createSealing, unlockCatalog } from "./unlock-catalog.js";

export interface Setup {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly env: Env;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Holds `mediamtx/` and `package.json`. */
  readonly projectDir: string;
  /** RECORD_DIR with all links resolved. */
  readonly recordDir: string;
  readonly nodeId: string;
}

/** Throws `invalid-argument`, one line, for a malformed environment. */
export async function setUp(): Promise<Setup> {
  const env = readEnv();
  const projectDir = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
  const config = loadConfig(env, { cwd: process.cwd(), projectDir });
  await ensureDirectory(config.dataDir, 0o750);
  const secrets = await loadSecrets(env, config.dataDir);
  const logger = createLogger({ ...config.log, secrets: secretValues(secrets) });
  await ensureDirectory(config.recordDir);
  return {
    config,
    secrets,
    env,
    clock: systemClock,
    logger,
    projectDir,
    recordDir: await realpath(config.recordDir),
    nodeId: config.nodeId ?? (await readNodeId(config.dataDir)),
  };
}

/** Throws `failed-precondition` for a database of a newer Reelkeeper, and when its secrets do not open with our keys. */
export async function openConfiguredCatalog(setup: Setup): Promise<Catalog> {
  const { config, secrets, clock, nodeId } = setup;
  const { database } = config;
  if (database.kind === "sqlite") await makePrivate(database.file);
  const target = database.kind === "sqlite" ? database : { kind: "postgres" as const, url: secrets.databaseUrl ?? "" };
  const catalog = await openCatalog({ target, clock, nodeId, sealing: createSealing(config) });
  try {
    await unlockCatalog(setup, catalog);
    return catalog;
  } catch (error) {
    await closeCatalog(catalog);
    throw error;
  }
}

/** It tells of every camera. SQLite gives its other files the mode that the first one has. */
async function makePrivate(file: string): Promise<void> {
  await ensureDirectory(path.dirname(file), 0o750);
  const handle = await open(file, "a", 0o600);
  await handle.chmod(0o600);
  await handle.close();
}

export function openConfiguredStore({ config, env, clock }: Setup): ObjectStore {
  const { storage } = config;
  if (storage.kind === "local") return createFolderStore({ dir: storage.dir, clock });
  return createS3Store({
    endpoint: storage.endpoint,
    bucket: storage.bucket,
    region: storage.region,
    prefix: storage.prefix,
    clock,
    // Read anew each time, so that a rotated key in a *_FILE works without a restart (F28).
    credentials: () => ({
      accessKeyId: env.text("R2_ACCESS_KEY_ID") ?? "",
      secretAccessKey: env.text("R2_SECRET_ACCESS_KEY") ?? "",
    }),
  });
}

/** Generated once; the rows of this machine carry it. */
async function readNodeId(dataDir: string): Promise<string> {
  const file = path.join(dataDir, "node-id");
  try {
    const known = (await readFile(file, "utf8")).trim();
    if (known !== "") return known;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  const created = randomUUID();
  await writeFileAtomically(file, `${created}\n`);
  return created;
}
