/** What verify tells: where rows, files and objects disagree. */
type DifferenceKind =
  | "object-missing"
  | "object-differs"
  | "object-unknown"
  | "file-missing"
  | "file-changed"
  | "file-differs"
  | "file-unknown";

export interface Difference {
  readonly kind: DifferenceKind;
  /** What it is about; null where nobody knows. */
  readonly recordingId: string | null;
  readonly path: string | null;
  readonly filePath: string | null;
  readonly objectKey: string | null;
  readonly meaning: string;
  /** What a person does about it. */
  readonly advice: string;
  /** What `--repair` did; null: nothing. */
  readonly repaired: string | null;
}

/** Something that could not be looked at: no difference, and no "all is well" either. */
export interface Unchecked {
  readonly what: string;
  readonly why: string;
}

export interface VerifyCounts {
  archivedRows: number;
  rowsOnDisk: number;
  files: number;
  objects: number;
  /** Read whole and hashed, with `--full`. */
  filesRead: number;
  objectsRead: number;
  /** Objects that hold an older version of a recording; kept, and no difference. */
  otherVersions: number;
  differences: number;
  repaired: number;
  unchecked: number;
}

export function noCounts(): VerifyCounts {
  return {
    ...{ archivedRows: 0, rowsOnDisk: 0, files: 0, objects: 0, filesRead: 0, objectsRead: 0, otherVersions: 0 },
    ...{ differences: 0, repaired: 0, unchecked: 0 },
  };
}
