/**
 * An object that says which store this is, so that another or an empty bucket is recognised (F29). It is created once,
 * like every object never overwritten, and carries its id as its bytes.
 */
import { createHash } from "node:crypto";
import { lstat, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError, isAppError } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import { storeMarkerKey } from "../core/object-key.js";
import type { ObjectStore } from "./object-store.js";

export interface StoreMarker {
  /** Null: proven absent. Throws when the store cannot tell. */
  read(signal: AbortSignal): Promise<string | null>;
  /** Throws `already-exists` when the store has one by now. */
  place(id: string, signal: AbortSignal): Promise<void>;
}

const MOST_BYTES = 256;

/** `directory` must exist: what is put has to be a file first. */
export function createStoreMarker(store: ObjectStore, prefix: string, directory: string): StoreMarker {
  const key = storeMarkerKey(prefix);
  return {
    read: async (signal) => {
      const facts = await store.head(key, signal);
      if (facts === undefined) return null;
      if (facts.bytes > MOST_BYTES) return `${String(facts.bytes)} bytes of something else`;
      try {
        const chunks: Buffer[] = [];
        const body = (await store.get(key, { signal })) as AsyncIterable<Buffer>;
        for await (const chunk of body) chunks.push(chunk);
        return Buffer.concat(chunks).toString("utf8").trim();
      } catch (error) {
        // It was there a moment ago: that proves nothing.
        if (!isAppError(error, "not-found")) throw error;
        throw new AppError({ kind: "unavailable", message: `read ${key}: it vanished`, cause: error });
      }
    },
    place: async (id, signal) => {
      const content = `${id}\n`;
      const file = path.join(directory, `store-marker-${id}.tmp`);
      try {
        await writeFile(file, content);
        const source = {
          filePath: file,
          fileIdentity: fileIdentity(await lstat(file, { bigint: true })),
          bytes: content.length,
          md5: createHash("md5").update(content).digest("hex"),
          sha256: createHash("sha256").update(content).digest("hex"),
          contentType: "text/plain",
          metadata: {},
          nameIsUnique: false,
        };
        await store.put(key, source, { signal });
      } finally {
        await rm(file, { force: true });
      }
    },
  };
}
