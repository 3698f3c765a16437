/**
 * What playlists named of files that are closed and that no range cut: the same in whatever playlist of segments of that
 * length they stand. Whoever watches live asks for all of it again every few seconds.
 */
import type { ListedRow } from "../catalog/playable-recordings.js";
import { type HlsFile, textOfFile } from "../core/hls-playlist.js";
import type { Recording } from "../core/recording.js";
import type { TimeRange } from "../core/span.js";
import { ByteCappedCache } from "../platform/byte-capped-cache.js";
import type { Clock } from "../platform/clock.js";

/** A file of a recording as a playlist names it. */
export interface NamedFile extends HlsFile, Pick<Recording, "format" | "tracks"> {}

export function namedFile(facts: Omit<NamedFile, "text">): NamedFile {
  const { uri, initBytes, segments, format, tracks } = facts;
  return { uri, initBytes, segments, format, tracks, text: textOfFile(facts) };
}

/** Of files of 10 s: some 35 hours. */
const LIMITS = { mostBytes: 16 * 1_048_576, keepMs: 3_600_000 };
/** About what V8 takes for a file, and for each of its segments beside its lines. */
const BYTES = { file: 400, segment: 120 };

interface Kept {
  readonly updatedAtUs: number;
  /** Wall clock of tick 0, and of the end of the last fragment. */
  readonly span: TimeRange;
  readonly file: NamedFile;
}

export class WholeFiles {
  readonly #kept: ByteCappedCache<Kept>;

  constructor(clock: Clock) {
    this.#kept = new ByteCappedCache(clock, LIMITS);
  }

  /** Undefined: unknown, or the range cuts it. */
  find({ id, updatedAtUs }: ListedRow, range: TimeRange): NamedFile | undefined {
    const kept = this.#kept.get(id);
    return kept?.updatedAtUs === updatedAtUs && isIn(kept.span, range) ? kept.file : undefined;
  }

  /** What a playlist of this range named, unless the range cut it. */
  keep(
    { id, updatedAtUs }: ListedRow,
    file: NamedFile,
    { span, range }: Readonly<Record<"span" | "range", TimeRange>>,
  ): void {
    if (!isIn(span, range)) return;
    const bytes = BYTES.file + file.segments.length * BYTES.segment + file.text.length;
    this.#kept.put(id, { updatedAtUs, span, file }, bytes);
  }
}

function isIn(span: TimeRange, range: TimeRange): boolean {
  return range.fromUs <= span.fromUs && span.toUs <= range.toUs;
}
