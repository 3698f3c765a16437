/**
 * The wall-clock length of a segment. The sample tables can lie: an RTP timestamp jump inflates the last sample, so a
 * file of a minute claims hours (MediaMTX PR #5984). A file cannot hold more than was written between its first sample
 * and its last write.
 */

/** MediaMTX's clock estimate may be off by 5 s (ntpestimator), and the last part is flushed up to some seconds late. */
const SLACK_US = 10_000_000;

export interface DurationEvidence {
  readonly startUs: number;
  /** By the sample tables, without samples that cannot be true. */
  readonly plausibleDurationUs: number;
  /** Last write to the file. Copies made later have a later one, which only weakens the check. */
  readonly modifiedAtUs: number;
}

export function wallDurationUs(evidence: DurationEvidence): number {
  const writtenForUs = evidence.modifiedAtUs - evidence.startUs;
  // A start in the file's future (camera clock, restored mtime) says nothing about the length.
  if (writtenForUs < 0) return evidence.plausibleDurationUs;
  return Math.min(evidence.plausibleDurationUs, writtenForUs + SLACK_US);
}
