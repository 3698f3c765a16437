/** What we make ourselves into the store, and out of it: exports and pictures. */
import type { ObjectStore } from "../archive/object-store.js";
import { proveCopy } from "../archive/prove-copy.js";
import { AppError, isAppError } from "../core/errors.js";
import type { ResultFile, ResultStore } from "../playback/make-export.js";
import type { DeletionGuard } from "../retention/deletion-guard.js";

export interface ResultStoreParts {
  readonly store: ObjectStore;
  readonly guard: Pick<DeletionGuard, "assertMayRemove">;
  /** Keeps to the upload rate. */
  readonly onBytes: (signal: AbortSignal) => (bytes: number) => Promise<void> | void;
}

export function createResultStore({ store, guard, onBytes }: ResultStoreParts, contentType: string): ResultStore {
  return {
    put: async (key, file, signal) => {
      const source = { ...file, contentType, metadata: {}, nameIsUnique: false };
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
