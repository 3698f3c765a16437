import type { PathName } from "../core/path-name.js";

export interface ClipRequest {
  readonly path: PathName;
  /** [fromUs, toUs) by the wall clock. */
  readonly fromUs: number;
  readonly toUs: number;
  /** mp4: one `moov` in front, of all samples · fmp4: `moof` by `moof`, as it is read. */
  readonly format: "mp4" | "fmp4";
  /** keep: time jumps over what is missing · close: what follows a gap follows at once. */
  readonly gaps: "keep" | "close";
}
