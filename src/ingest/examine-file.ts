/**
 * Looks at one name below the record directory and says what it is, without following links, blocking on FIFOs or
 * reading media. Hook, scan, watch and the settle step all come through here, so that they agree.
 */
import { constants } from "node:fs";
import { lstat } from "node:fs/promises";
import path from "node:path";

import type { Catalog } from "../catalog/catalog.js";
import { hasLaterRecording } from "../catalog/recordings.js";
import { AppError, errnoOf, isAppError } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";
import { type FoundFile, isClosed } from "../core/found-file.js";
import type { SegmentFormat, StreamPosition } from "../core/recording.js";
import type { PathName } from "../core/path-name.js";
import { faultPoint } from "../platform/fault-point.js";
import { resolveInside } from "../platform/files.js";

interface DecodedSegmentName {
  readonly path: PathName;
  readonly startUs: number;
  readonly format: SegmentFormat;
}

interface SegmentHead {
  readonly finalised: boolean;
  readonly startUs: number | null;
  readonly position: StreamPosition | null;
}

export interface ExamineDeps {
  readonly catalog: Catalog;
  /** A real path: no link in it. */
  readonly recordDir: string;
  readonly quietMs: number;
  readonly decodeName: (filePath: string) => DecodedSegmentName | undefined;
  /** First kilobytes of the file; null when there is no readable header (yet). */
  readonly readHead: (absolutePath: string) => Promise<SegmentHead | null>;
  /** When the MediaMTX that writes here was started; null when unknown. */
  readonly serverStartedAtUs: () => number | null;
}

export type Examination =
  | { readonly kind: "segment"; readonly found: FoundFile }
  | { readonly kind: "rejected"; readonly reason: string; readonly bytes: number }
  | { readonly kind: "absent" };

export interface ExamineOptions {
  readonly origin: FoundFile["origin"];
  /** MediaMTX itself said that it closed the file. */
  readonly saidToBeComplete?: boolean;
}

/** A name that is too long, or below a file, can be no file's name. */
const PROVES_ABSENCE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

type Stat = Awaited<ReturnType<typeof lstatBig>>;

/** `filePath` is relative to the record directory. Throws `unavailable` when the disk cannot tell. */
export async function examineFile(deps: ExamineDeps, filePath: string, options: ExamineOptions): Promise<Examination> {
  await faultPoint("ingest.before-look");
  const name = deps.decodeName(filePath);
  let absolutePath: string;
  let stat: Stat;
  try {
    absolutePath = await resolveInside(deps.recordDir, filePath);
    stat = await lstatBig(absolutePath);
  } catch (error) {
    if (isAppError(error, "not-found") || PROVES_ABSENCE.has(errnoOf(error) ?? "")) return { kind: "absent" };
    if (isAppError(error, "invalid-argument")) return rejected("lies outside the record directory", 0n);
    throw error instanceof AppError ? error : cannotTell(filePath, error);
  }
  const oddity = whyNotRegular(stat);
  if (oddity !== undefined) return rejected(oddity, stat.size);
  if (name === undefined) return rejected("the name is not of any known recordPath", stat.size);
  const head = await readHead(deps, absolutePath, stat);
  const startUs = head?.startUs ?? name.startUs;
  await faultPoint("ingest.after-look");
  const closed = options.saidToBeComplete === true || (await mayNotGrow(deps, { ...name, startUs }, { stat, head }));
  return {
    kind: "segment",
    found: {
      path: name.path,
      format: name.format,
      startUs,
      position: head?.position ?? null,
      filePath,
      fileIdentity: fileIdentity(stat),
      bytes: Number(stat.size),
      closed,
      origin: options.origin,
    },
  };
}

async function mayNotGrow(
  deps: ExamineDeps,
  segment: DecodedSegmentName,
  { stat, head }: { readonly stat: Stat; readonly head: SegmentHead | null },
): Promise<boolean> {
  const modifiedAtUs = Number(stat.mtimeNs / 1_000n);
  const serverStartedAtUs = deps.serverStartedAtUs();
  const evidence = {
    finalised: head?.finalised ?? false,
    quietForMs: (deps.catalog.clock.nowUs() - modifiedAtUs) / 1_000,
    quietMs: deps.quietMs,
    writtenBeforeServerStart: serverStartedAtUs !== null && modifiedAtUs < serverStartedAtUs,
    laterSegmentExists: false,
  };
  if (isClosed(evidence)) return true;
  if (!isClosed({ ...evidence, laterSegmentExists: true })) return false;
  return isClosed({
    ...evidence,
    laterSegmentExists: await hasLaterRecording(deps.catalog, segment.path, segment.startUs),
  });
}

async function readHead(deps: ExamineDeps, absolutePath: string, stat: Stat): Promise<SegmentHead | null> {
  if (stat.size === 0n) return null;
  try {
    return await deps.readHead(absolutePath);
  } catch (error) {
    // Gone or replaced by something odd since lstat: the next look will say what it is.
    if (isAppError(error, "not-found") || isAppError(error, "invalid-argument")) return null;
    throw error;
  }
}

function whyNotRegular(stat: Stat): string | undefined {
  if (stat.isSymbolicLink()) return "a symbolic link; links are never followed";
  if (stat.isDirectory()) return "a directory with the name of a segment";
  if (!stat.isFile()) return `not a regular file (mode ${(Number(stat.mode) & constants.S_IFMT).toString(8)})`;
  return undefined;
}

function lstatBig(absolutePath: string) {
  return lstat(absolutePath, { bigint: true });
}

function rejected(reason: string, bytes: bigint): Examination {
  return { kind: "rejected", reason, bytes: Number(bytes) };
}

function cannotTell(filePath: string, cause: unknown): AppError {
  return new AppError({ kind: "unavailable", message: `look at ${path.basename(filePath)}`, cause });
}
