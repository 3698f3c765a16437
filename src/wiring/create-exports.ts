/** Wires exports to the store and to the guard of deletions. */
import path from "node:path";

import type { ObjectStore } from "../archive/object-store.js";
import { proveCopy } from "../archive/prove-copy.js";
import { AppError, isAppError } from "../core/errors.js";
import { readDiskSpace } from "../platform/disk-space.js";
import { Exports } from "../playback/exports.js";
import type { ResultFile, ResultStore } from "../playback/make-export.js";
import type { PlaybackDeps } from "../playback/playback-deps.js";
import type { DeletionGuard } from "../retention/deletion-guard.js";
import type { Setup } from "./setup.js";

export interface ExportParts {
  readonly playback: PlaybackDeps;
  readonly store: ObjectStore;
  readonly guard: Pick<DeletionGuard, "assertMayRemove">;
  /** Keeps to the upload rate. */
  readonly onBytes: (signal: AbortSignal) => (bytes: number) => Promise<void> | void;
}

export function createExports({ config, logger }: Setup, parts: ExportParts): Exports {
  return new Exports({
    playback: parts.playback,
    logger,
    results: resultStore(parts),
    prefix: config.storage.prefix,
    workDir: path.join(config.dataDir, "exports"),
    readSpace: readDiskSpace,
  });
}

function resultStore({ store, guard, onBytes }: ExportParts): ResultStore {
  return {
    put: async (key, file, signal) => {
      const source = { ...file, contentType: "video/mp4", metadata: {}, nameIsUnique: false };
      await store.put(key, source, { signal, onBytes: onBytes(signal) }).catch((error: unknown) => {
        if (!isAppError(error, "already-exists")) throw error;
      });
      await prove(store, { key, file }, signal);
    },
    remove: async (key, signal) => {
      await guard.assertMayRemove().catch((error: unknown) => {
        if (!isAppError(error, "failed-precondition")) throw error;
        throw new AppError({ kind: "unavailable", message: `remove ${key}: not now`, cause: error });
      });
      await store.delete(key, signal);
    },
  };
}

async function prove(
  store: ObjectStore,
  { key, file: { bytes, md5, sha256 } }: { readonly key: string; readonly file: ResultFile },
  signal: AbortSignal,
): Promise<void> {
  const verdict = await proveCopy(store, { key, bytes, md5, sha256 }, signal);
  switch (verdict.kind) {
    case "proven":
      return;
    case "absent":
      throw new AppError({ kind: "unavailable", message: `prove ${key}: the store took it and does not have it` });
    case "conflict":
      throw new AppError({ kind: "data-loss", message: `prove ${key}: ${verdict.reason}` });
    default:
      return verdict satisfies never;
  }
}
