/** Wires verify to files, store and ingest. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

import type { ObjectStore } from "../archive/object-store.js";
import { adoptObject } from "../archive/rebuild-from-store.js";
import { recordingFromObject } from "../archive/recording-metadata.js";
import type { Catalog } from "../catalog/catalog.js";
import { AppError } from "../core/errors.js";
import { US_PER_MS } from "../core/instant.js";
import { isHousekeepingKey } from "../core/object-key.js";
import { examineFile } from "../ingest/examine-file.js";
import { recordFound } from "../ingest/record-found.js";
import { walkRecordDir } from "../ingest/walk-record-dir.js";
import { retryUnavailable } from "../platform/retry.js";
import type { ObjectHead, VerifyDeps } from "../verify/verify-deps.js";
import { createGuard, doubtAbout } from "./create-guard.js";
import { createIngest } from "./create-ingest.js";
import type { Setup } from "./setup.js";

interface VerifyParts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
}

export function createVerify(setup: Setup, parts: VerifyParts): VerifyDeps {
  const { config, logger, recordDir } = setup;
  const { catalog, store } = parts;
  const { prefix } = config.storage;
  const thumbnailIntervalUs = config.thumbnails.intervalMs * US_PER_MS;
  const guard = createGuard(setup, parts);
  const ingest = createIngest(setup, {
    catalog,
    wake: () => undefined,
    serverStartedAtUs: () => null,
    mayMarkMissing: (counts) => guard.mayMarkMissing(counts),
  });
  return {
    ...{ catalog, recordDir, prefix },
    ...createObjectReader(setup, parts),
    listObjects: (signal) => listRecordings(store, prefix, signal),
    adoptObject: (key, signal) => adoptObject({ catalog, logger, store, prefix, thumbnailIntervalUs }, key, signal),
    walkFiles: (signal) => walkRecordDir(recordDir, signal),
    examineFile: async (filePath) => {
      const examination = await examineFile(ingest, filePath, { origin: "scan" });
      return examination.kind === "segment" ? examination.found : undefined;
    },
    adoptFile: async (found) => {
      await recordFound(ingest, [found]);
    },
    hashFile,
    doubtAbout: (what) => doubtAbout(guard, what),
    // What a person accepted is for the scan.
    mayMarkMissing: (counts) => guard.mayMarkMissing({ ...counts, keepsAccepted: true }),
  };
}

/** For verify and the scrub. */
export function createObjectReader(
  { clock }: Pick<Setup, "clock">,
  { store }: Pick<VerifyParts, "store">,
): Pick<VerifyDeps, "headObject" | "hashObject"> {
  return {
    headObject: async (key, signal): Promise<ObjectHead | undefined> => {
      const facts = await retryUnavailable(clock, signal, () => store.head(key, signal));
      if (facts === undefined) return undefined;
      const { bytes, sha256, md5 } = facts;
      return { bytes, sha256, md5, recordingId: recordingFromObject(facts, clock.nowUs())?.facts.id ?? null };
    },
    hashObject: (key, signal) =>
      retryUnavailable(clock, signal, async () => {
        const hash = createHash("sha256");
        for await (const chunk of (await store.get(key, { signal })) as AsyncIterable<Buffer>) {
          hash.update(chunk);
        }
        return hash.digest("hex");
      }),
  };
}

async function* listRecordings(store: ObjectStore, prefix: string, signal: AbortSignal) {
  for await (const object of store.list(`${prefix}/`, signal)) {
    if (!isHousekeepingKey(prefix, object.key)) yield object;
  }
}

async function hashFile(absolutePath: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    const handle = await open(absolutePath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    await pipeline(handle.createReadStream({ highWaterMark: 1_048_576 }), hash, { signal });
    return hash.digest("hex");
  } catch (error) {
    throw new AppError({ kind: "unavailable", message: "read the file", cause: error });
  }
}
