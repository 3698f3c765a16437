/** The bytes of an export's result, from the store. */
import { AppError } from "../core/errors.js";
import type { Export } from "../core/export.js";
import { formatRfc3339 } from "../core/instant.js";
import { isNamed } from "./if-none-match.js";
import { HttpError } from "./problem.js";
import { parseRange } from "./range.js";
import { sendStream } from "./send-bytes.js";
import { type Exchange, rangeOf, type SendRecordingDeps } from "./send-recording.js";

type SendExportDeps = Pick<SendRecordingDeps, "store" | "turns">;

/** Throws `failed-precondition` until it is done, `not-found` when its result is gone. */
export async function sendExport({ store, turns }: SendExportDeps, of: Export, exchange: Exchange): Promise<void> {
  const { request, response, signal } = exchange;
  const { objectKey, bytes: size, sha256 } = resultOf(of);
  const etag = `"${sha256}"`;
  response.setHeader("ETag", etag);
  response.setHeader("Cache-Control", "private, no-cache");
  if (isNamed(request.headers["if-none-match"], etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const range = parseRange(rangeOf(request, etag), size);
  if (range.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${String(size)}`);
    const message = `the range begins behind the end of the file, which has ${String(size)} bytes`;
    throw new HttpError(416, { kind: "invalid-argument", message });
  }
  const part = range.kind === "part" ? range : { start: 0, end: size - 1 };
  const length = part.end - part.start + 1;
  const body = await store.get(objectKey, { range: { start: part.start, end: part.end }, signal });
  response.statusCode = range.kind === "part" ? 206 : 200;
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Content-Type", "video/mp4");
  response.setHeader("Content-Disposition", `attachment; filename="${fileName(of)}"`);
  response.setHeader("Content-Length", String(length));
  if (range.kind === "part") {
    response.setHeader("Content-Range", `bytes ${String(part.start)}-${String(part.end)}/${String(size)}`);
  }
  if (request.method === "HEAD") {
    body.destroy();
    response.end();
    return;
  }
  await sendStream({ turns }, body, { length, response, signal });
}

function resultOf(of: Export) {
  const { id, state, objectKey, bytes, sha256 } = of;
  if (state === "done" && objectKey !== null && bytes !== null && sha256 !== null) return { objectKey, bytes, sha256 };
  if (state === "queued" || state === "running") {
    throw new AppError({ kind: "failed-precondition", message: `export ${id} is not done yet: it is ${state}` });
  }
  throw new AppError({ kind: "not-found", message: `export ${id} has no result: it is ${state}` });
}

function fileName({ path, startUs, fromUs }: Export): string {
  const stamp = formatRfc3339(startUs ?? fromUs)
    .slice(0, 19)
    .replaceAll(":", "-");
  return `${path.replaceAll("/", "-")}_${stamp}Z.mp4`;
}
