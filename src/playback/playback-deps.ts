/** What playback needs from the other rooms: rows, and the bytes behind them. */
import type { Catalog } from "../catalog/catalog.js";
import type { PlayableRecording } from "../catalog/playable-recordings.js";
import type { ByteReader } from "../media/byte-reader.js";
import type { FfmpegSettings } from "../media/ffmpeg.js";
import type { ByteCappedCache } from "../platform/byte-capped-cache.js";
import type { Clock } from "../platform/clock.js";
import type { Gate } from "../platform/gate.js";
import type { GrowingFiles } from "./growing-files.js";
import type { PlainLayout } from "./plain-layout.js";

/**
 * For many reads of one recording, also of one that is still being written, from disk or store. Throws `not-found` when
 * neither copy is there, `unavailable` when we cannot tell, `data-loss` when a proven object is gone, and the same later.
 */
type OpenReader = (recording: PlayableRecording, signal: AbortSignal) => Promise<ByteReader>;

export interface PlaybackDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly openReader: OpenReader;
  /** For MPEG-TS that is still being written. */
  readonly growing: Pick<GrowingFiles, "lookFrom">;
  /** For pictures, and for clips from MPEG-TS; that there is none is found out when it is needed. */
  readonly ffmpeg: FfmpegSettings;
  /** Around each ffmpeg that remuxes MPEG-TS. */
  readonly remuxes: Gate;
  /** Plain clips that were asked for lately. */
  readonly layouts: ByteCappedCache<PlainLayout>;
}
