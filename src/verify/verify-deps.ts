/** What verify needs; rooms that it must not import come as functions. */
import type { Catalog } from "../catalog/catalog.js";
import type { FoundFile } from "../core/found-file.js";
import type { Recording, RecordingId } from "../core/recording.js";
import type { Difference, Unchecked, VerifyCounts } from "./difference.js";

export interface ObjectHead {
  readonly bytes: number;
  readonly sha256: string | null;
  readonly md5: string | null;
  /** Of the row that it was put for; null: carries no facts of ours. */
  readonly recordingId: RecordingId | null;
}

export interface VerifyDeps {
  readonly catalog: Catalog;
  readonly recordDir: string;
  readonly prefix: string;
  /** Keys below the prefix that may be recordings, in byte order. */
  readonly listObjects: (signal: AbortSignal) => AsyncIterable<{ readonly key: string; readonly bytes: number }>;
  /** Undefined: proven absent. Throws when the store cannot tell. */
  readonly headObject: (key: string, signal: AbortSignal) => Promise<ObjectHead | undefined>;
  /** SHA-256 of the bytes as they are read back. */
  readonly hashObject: (key: string, signal: AbortSignal) => Promise<string>;
  /** Brings a row for an object of ours; what became of it. */
  readonly adoptObject: (key: string, signal: AbortSignal) => Promise<string>;
  readonly walkFiles: (signal: AbortSignal) => AsyncIterable<{
    readonly directory: string;
    readonly files: readonly string[];
  }>;
  /** Undefined: absent, or no segment. Throws when the disk cannot tell. */
  readonly examineFile: (filePath: string) => Promise<FoundFile | undefined>;
  readonly adoptFile: (found: FoundFile) => Promise<void>;
  readonly hashFile: (absolutePath: string, signal: AbortSignal) => Promise<string>;
  /** Why nothing may be concluded from what is not there; null: nothing speaks against it. */
  readonly doubtAbout: (what: "files" | "objects") => Promise<string | null>;
  readonly mayMarkMissing: (counts: { readonly missing: number; readonly onDisk: number }) => Promise<boolean>;
}

export interface VerifyOptions {
  readonly full: boolean;
  readonly repair: boolean;
}

/** One run: what it works with and where it tells. */
export interface VerifyRun extends VerifyDeps {
  readonly options: VerifyOptions;
  readonly counts: VerifyCounts;
  readonly signal: AbortSignal;
  readonly tell: (difference: Difference) => void;
  readonly tellUnchecked: (unchecked: Unchecked) => void;
}

/** Of a row: what every difference of it begins with. */
export function about(row: Recording): Pick<Difference, "recordingId" | "path" | "filePath" | "objectKey"> {
  return { recordingId: row.id, path: row.path, filePath: row.filePath, objectKey: row.objectKey };
}
