/** What one read of a segment file tells. Durations are media time; the wall clock is corrected in core/. */
import type { StreamPosition, Track } from "../core/recording.js";

export interface Inspection {
  readonly tracks: readonly Track[];
  /** From `mtxi` (MediaMTX ≥1.15.2): first sample's wall clock; null otherwise. */
  readonly startUs: number | null;
  readonly position: StreamPosition | null;
  /** What `mvhd` claims, null when 0 (still open or crashed). */
  readonly declaredDurationUs: number | null;
  /** End of the longest track by the sample tables of whole fragments. */
  readonly mediaDurationUs: number;
  /**
   * Media duration without samples whose duration cannot be true (an RTP timestamp jump inflates the last sample of a
   * fragment, MediaMTX PR #5984); equals `mediaDurationUs` in a sane file.
   */
  readonly plausibleDurationUs: number;
  /** MediaMTX finalised the file: `mvhd.duration` is not 0 and nothing is torn. */
  readonly finalised: boolean;
  /** Offset after the last whole fragment; smaller than the file when its tail is torn. */
  readonly wholeBytes: number;
  /** Why the walk ended before the end of the file; absent when it did not. */
  readonly tornReason?: string;
  readonly fragments: FragmentIndex | null;
}

export interface Fragment {
  /** Of the `moof`, from the start of the file; of MPEG-TS of the PAT before a random access point. */
  readonly offsetBytes: number;
  /** `moof` + `mdat`; of MPEG-TS all up to the next fragment. */
  readonly sizeBytes: number;
  /**
   * Decode time of the first sample of the main track, in its ticks; null when the fragment has none of it. Of MPEG-TS
   * when it is shown, counted from the first of the file.
   */
  readonly startTicks: number | null;
  /** Of the main track in this fragment; 0 when it has none of it. */
  readonly durationTicks: number;
  /** Decode time of the first sync sample of the main track in this fragment, null when it holds none. */
  readonly syncTicks: number | null;
}

export interface FragmentIndex {
  /** First video track, else first audio track, else the first of all. */
  readonly mainTrackId: number;
  readonly timescale: number;
  /** `ftyp` + `moov`: bytes [0, initBytes). 0 for MPEG-TS, whose fragments begin with all that a decoder needs. */
  readonly initBytes: number;
  readonly fragments: readonly Fragment[];
}

export interface FileHashes {
  /** Hex. */
  readonly md5: string;
  /** Hex. */
  readonly sha256: string;
}
