/**
 * Where a hook's segment path lies in our own record directory. MediaMTX may run in another mount namespace, and its
 * recordPath may be relative to a working directory that we do not know, so nothing is resolved against ours (F6).
 * The result is lexically inside; the guard of platform/files.ts still decides before every open.
 */
import { AppError } from "../core/errors.js";

export interface RecordDirs {
  /** The record directory as MediaMTX sees it. */
  readonly mediamtxRecordDir: string;
  /** The same directory as we see it. */
  readonly recordDir: string;
}

/** The path relative to the record directory, with forward slashes. Throws `invalid-argument`. */
export function mapSegmentPath(segmentPath: string, dirs: RecordDirs): string {
  const relative = segmentPath.startsWith("/")
    ? (below(segmentPath, dirs.mediamtxRecordDir) ?? below(segmentPath, dirs.recordDir))
    : belowSuffix(segmentPath.replace(/^(\.\/)+/, ""), dirs.mediamtxRecordDir);
  const isClean = relative?.split("/").every((part) => part !== "" && part !== "." && part !== "..") ?? false;
  if (relative === undefined || !isClean || relative.includes("\0")) {
    throw new AppError({
      kind: "invalid-argument",
      message: `segment path "${segmentPath.slice(0, 200)}" does not lie in the record directory "${dirs.mediamtxRecordDir}"`,
      hint: "set MEDIAMTX_RECORD_DIR to the record directory as MediaMTX sees it",
      fields: [{ field: "segmentPath", message: "must lie inside the record directory" }],
    });
  }
  return relative;
}

function below(filePath: string, directory: string): string | undefined {
  const root = directory.endsWith("/") ? directory : `${directory}/`;
  return filePath.startsWith(root) ? filePath.slice(root.length) : undefined;
}

/** `recordings/cam/x.mp4` and `/data/recordings`: the longest end of the directory that the path begins with goes. */
function belowSuffix(filePath: string, directory: string): string | undefined {
  const parts = directory.split("/").filter((part) => part !== "");
  for (let from = 0; from < parts.length; from += 1) {
    const rest = below(filePath, parts.slice(from).join("/"));
    if (rest !== undefined) return rest;
  }
  return undefined;
}
