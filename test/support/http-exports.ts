/** Results of exports without the making of them. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { updateExport } from "../../src/catalog/exports.js";
import type { ExportId } from "../../src/core/export.js";
import { identityOf } from "../../src/platform/files.js";
import type { HttpHarness } from "./http-harness.js";
import { at } from "./http-rows.js";

export const EXPORT_CONTENT = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));

/** As the making of it leaves it. */
export async function finishExport(http: HttpHarness, id: string): Promise<void> {
  const filePath = path.join(http.recordDir, "result.mp4");
  await writeFile(filePath, EXPORT_CONTENT);
  const hashes = {
    md5: createHash("md5").update(EXPORT_CONTENT).digest("hex"),
    sha256: createHash("sha256").update(EXPORT_CONTENT).digest("hex"),
  };
  const objectKey = `recordings/~exports/${id}.mp4`;
  const identity = (await identityOf(filePath))!;
  const source = { ...hashes, filePath, fileIdentity: identity, bytes: EXPORT_CONTENT.length };
  await http.store.put(
    objectKey,
    { ...source, contentType: "video/mp4", metadata: {}, nameIsUnique: false },
    { signal: new AbortController().signal },
  );
  const done = { state: "done" as const, objectKey, bytes: EXPORT_CONTENT.length, sha256: hashes.sha256 };
  const times = { startUs: at(0), endUs: at(3_600), expiresAtUs: at(7_200) };
  await updateExport(http.catalog, { id: id as ExportId, states: ["queued"] }, { ...done, ...times });
}
