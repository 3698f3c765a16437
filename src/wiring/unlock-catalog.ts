/** The keys of what is sealed in the database: found, made for a new one, proven before anything else is done. */
import { access } from "node:fs/promises";

import type { Catalog } from "../catalog/catalog.js";
import { eraseTraces, holdsSealed, sealRows } from "../catalog/seal-rows.js";
import type { Sealing } from "../catalog/sealing.js";
import type { Config } from "../config/config.js";
import { makeSecretKeyFile, readSecretKeys } from "../config/secret-keys.js";
import { isSecretSetting, maskSetting } from "../contract/secret-settings.js";
import { AppError, describeError, errnoOf } from "../core/errors.js";
import type { Logger } from "../platform/logger.js";
import { createSecretBox, UnreadableSecret } from "../platform/secret-box.js";

export function createSealing({ secretKeys }: Pick<Config, "secretKeys">): Sealing {
  return { box: createSecretBox(() => readSecretKeys(secretKeys.file)), isSecret: isSecretSetting, mask: maskSetting };
}

/** Throws `failed-precondition` that names the key file when it is not there or not the one of this database. */
export async function unlockCatalog(
  { config: { secretKeys }, logger }: { readonly config: Pick<Config, "secretKeys">; readonly logger: Logger },
  catalog: Catalog,
): Promise<void> {
  const { file, isGiven } = secretKeys;
  // A new key would open nothing that is sealed already.
  if (!isGiven && !(await isThere(file)) && !(await holdsSealed(catalog))) await makeSecretKeyFile(file);
  const sealed = await sealRows(catalog).catch((error: unknown) => {
    if (!(error instanceof UnreadableSecret)) throw error;
    throw wrongKey(file, error);
  });
  if (sealed > 0)
    logger.info("secrets of paths sealed; backups from before still hold them in plain", { paths: sealed });
  try {
    await eraseTraces(catalog);
  } catch (error) {
    // Nothing but the file's unused pages is left to be cleaned.
    logger.warn("what was not sealed once may still be in unused pages of the database; the next start erases it", {
      err: describeError(error),
    });
  }
}

function wrongKey(file: string, cause: AppError): AppError {
  return new AppError({
    kind: "failed-precondition",
    message: `the keys in ${file} are not those that this database was sealed with`,
    hint: "bring back the file of then, or add its line to this one (after a rotation it is in the file beside it that ends in .retired); nothing was changed",
    cause,
  });
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
