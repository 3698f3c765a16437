/**
 * What playlists named of files that are closed and that no range cut: the same in whatever playlist they stand. Whoever
 * watches live asks for all of it again every few seconds.
 */
import type { ListedRow } from "../catalog/playable-recordings.js";
import type { HlsFile } from "../core/hls-playlist.js";
import type { Recording } from "../core/recording.js";
import { ByteCappedCache } from "../platform/byte-capped-cache.js";
import type { Clock } from "../platform/clock.js";

/** A file of a recording as a playlist names it. */
export interface NamedFile extends HlsFile, Pick<Recording, "format" | "tracks"> {}

export interface WholeFile extends NamedFile {
  /** Wall clock of tick 0, and of the end of the last fragment. */
  readonly span: { readonly startUs: number; readonly endUs: number };
}

/** Of files of 10 s: some hours of ten paths, or a day of one. */
const LIMITS = { mostBytes: 16 * 1_048_576, keepMs: 3_600_000 };
/** About what V8 takes for a file, and for each of its segments beside its lines. */
const BYTES = { file: 400, segment: 120 };

export class WholeFiles {
  readonly #kept: ByteCappedCache<{ readonly updatedAtUs: number; readonly file: WholeFile }>;

  constructor(clock: Clock) {
    this.#kept = new ByteCappedCache(clock, LIMITS);
  }

  /** `leastUs`: of its segments; see playlist-segments.ts. Undefined: unknown, or the range cuts it. */
  find(row: ListedRow, { fromUs, toUs, leastUs }: WholeFileRange): WholeFile | undefined {
    const kept = this.#kept.get(keyOf(row, leastUs));
    if (kept?.updatedAtUs !== row.updatedAtUs) return undefined;
    const { startUs, endUs } = kept.file.span;
    return fromUs <= startUs && endUs <= toUs ? kept.file : undefined;
  }

  keep(row: ListedRow, leastUs: number, file: WholeFile): void {
    const bytes = BYTES.file + file.segments.length * BYTES.segment + file.text.length;
    this.#kept.put(keyOf(row, leastUs), { updatedAtUs: row.updatedAtUs, file }, bytes);
  }
}

export interface WholeFileRange {
  readonly fromUs: number;
  readonly toUs: number;
  readonly leastUs: number;
}

function keyOf({ id }: ListedRow, leastUs: number): string {
  return `${id} ${String(leastUs)}`;
}
