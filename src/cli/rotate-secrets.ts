/**
 * `rotate-secrets`: a new key for what is sealed in the database. Works beside a running server, which finds the new key
 * by itself. First the new key is in the file, before the old one; then all rows are sealed anew in one transaction; only
 * then the old key goes. Killed in between, all that is sealed opens, and the next run goes on.
 */
import path from "node:path";

import { REELKEEPER } from "../catalog/audit.js";
import { type Catalog, closeCatalog } from "../catalog/catalog.js";
import { acquireInstanceLock } from "../catalog/instance-lock.js";
import { resealRows } from "../catalog/seal-rows.js";
import { newSecretKey, readSecretKeys, retireSecretKeys, writeSecretKeys } from "../config/secret-keys.js";
import { AppError, errnoOf } from "../core/errors.js";
import { faultPoint } from "../platform/fault-point.js";
import { createSecretBox } from "../platform/secret-box.js";
import { openConfiguredCatalog, type Setup, setUp } from "../wiring/setup.js";

export async function rotateSecrets(): Promise<number> {
  const setup = await setUp();
  const lock = await acquireInstanceLock(path.join(setup.config.dataDir, "rotation.lock"));
  try {
    const catalog = await openConfiguredCatalog(setup);
    try {
      process.stdout.write(await rotate(setup, catalog));
      return 0;
    } finally {
      await closeCatalog(catalog);
    }
  } finally {
    await lock.release();
  }
}

/** What was done, for people. */
async function rotate({ config }: Setup, catalog: Catalog): Promise<string> {
  const { file } = config.secretKeys;
  const [newest, ...others] = readSecretKeys(file);
  await faultPoint("rotate.before-keys");
  // Two keys: the deployer put the new one there, or a rotation was cut off.
  if (others.length === 0) await putFirst(file, newest);
  await faultPoint("rotate.after-keys");
  // Only what is in the file by now may seal: what this process read before is about to go.
  const [first, ...old] = readSecretKeys(file);
  const { paths, versions } = await resealRows(catalog, createSecretBox([first]), REELKEEPER);
  await faultPoint("rotate.after-rows");
  const done = `sealed anew: ${String(paths)} paths, ${String(versions)} versions of the configuration\n`;
  return done + (await drop(file, { first, old }));
}

async function putFirst(file: string, known: Buffer): Promise<void> {
  try {
    await writeSecretKeys(file, [newSecretKey(), known]);
  } catch (error) {
    if (!isReadOnly(error)) throw error;
    throw new AppError({
      kind: "failed-precondition",
      message: `${file} cannot be written, so no new key was made`,
      hint: "put a new key before the first line of the file yourself (openssl rand -base64 32), keep the old line, and run this again",
      cause: error,
    });
  }
}

/** Nothing in the database needs them any more; backups from before do. */
async function drop(
  file: string,
  { first, old }: { readonly first: Buffer; readonly old: readonly Buffer[] },
): Promise<string> {
  try {
    const retired = await retireSecretKeys(file, old);
    await faultPoint("rotate.after-retired");
    await writeSecretKeys(file, [first]);
    await faultPoint("rotate.after-drop");
    return `The old key is no longer in ${file}. It is kept in ${retired} for backups from before: remove that file when they are gone\n`;
  } catch (error) {
    if (!isReadOnly(error)) throw error;
    return `${file} cannot be written: remove all lines but its first yourself, once the backups from before are gone\n`;
  }
}

function isReadOnly(error: unknown): boolean {
  return ["EROFS", "EACCES", "EPERM", "EBUSY"].includes(errnoOf(error) ?? "");
}
