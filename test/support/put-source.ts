/** A finished segment as the archive hands it to a store: a real file, hashed. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import path from "node:path";

import type { PutSource } from "../../src/archive/object-store.js";
import { fileIdentity } from "../../src/core/file-identity.js";

export type TestSource = PutSource & { readonly content: Buffer };

export async function createSource(directory: string, content: Buffer | number = 1_000): Promise<TestSource> {
  const bytes = typeof content === "number" ? randomBytes(content) : content;
  const filePath = path.join(directory, `${randomUUID()}.mp4`);
  await writeFile(filePath, bytes);
  return {
    filePath,
    content: bytes,
    fileIdentity: fileIdentity(await stat(filePath, { bigint: true })),
    bytes: bytes.length,
    md5: createHash("md5").update(bytes).digest("hex"),
    sha256: createHash("sha256").update(bytes).digest("hex"),
    contentType: "video/mp4",
    metadata: { "recording-id": "0190-test", path: "site/cam1" },
    nameIsUnique: true,
  };
}
