/** Periodic pictures in the store without the making of them. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";

import { beginThumbnail, noteThumbnailStored, type Thumbnail } from "../../src/catalog/thumbnails.js";
import type { Recording } from "../../src/core/recording.js";
import { thumbnailKey } from "../../src/core/thumbnail.js";
import type { HttpHarness } from "./http-harness.js";
import { createSource } from "./put-source.js";

const run = promisify(execFile);

/** Of one colour (`red`, `0x00ff00`). */
export async function jpegOf(colour: string, size = "640x360"): Promise<Buffer> {
  const { stdout } = await run(
    "ffmpeg",
    [
      ...["-v", "error", "-f", "lavfi", "-i", `color=${colour}:s=${size}`, "-frames:v", "1"],
      ...["-c:v", "mjpeg", "-q:v", "2", "-f", "image2pipe", "-"],
    ],
    { encoding: "buffer" },
  );
  return stdout;
}

export async function addThumbnail(
  http: Pick<HttpHarness, "catalog" | "store" | "recordDir">,
  recording: Pick<Recording, "id" | "path">,
  { atUs, jpeg }: { readonly atUs: number; readonly jpeg: Buffer },
): Promise<Thumbnail> {
  const { id, path } = recording;
  const thumbnail = { path, recordingId: id, atUs, objectKey: thumbnailKey("recordings", { path, id, atUs }) };
  if ((await beginThumbnail(http.catalog, thumbnail)) !== "begun") throw new Error("there is one already");
  const source = { ...(await createSource(http.recordDir, jpeg)), contentType: "image/jpeg", nameIsUnique: false };
  await http.store.put(thumbnail.objectKey, source, { signal: new AbortController().signal });
  await rm(source.filePath);
  await noteThumbnailStored(http.catalog, thumbnail);
  return thumbnail;
}
