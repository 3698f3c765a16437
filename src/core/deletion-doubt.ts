/**
 * When nothing may be removed: we have reason to doubt that disk, clock, database or bucket are the ones that we know.
 * Pure, so that each reason can be tried without breaking a disk. "Cannot tell" is no doubt: what cannot be read now is
 * asked again.
 */
export const DOUBTS = ["volume", "clock", "database", "store", "mass-missing"] as const;
/**
 * volume: another or an empty disk at RECORD_DIR · clock: it jumped · database: older than the recordings · store:
 * another or an empty bucket · mass-missing: many files vanished at once.
 */
export type Doubt = (typeof DOUBTS)[number];

/** Holds until a person releases it. */
export interface DeletionStop {
  readonly doubt: Doubt;
  readonly sinceUs: number;
  /** What was seen. */
  readonly message: string;
  /** What a release accepts, where a number says it: of mass-missing, how many files. */
  readonly evidence: number | null;
}

/** What a person does about it before the release. */
export const HINT_OF: Readonly<Record<Doubt, string>> = {
  volume:
    "mount the right disk at RECORD_DIR, then run: reelkeeper resume-deletes (it accepts the disk that is mounted then)",
  clock: "set the clock right (NTP), then run: reelkeeper resume-deletes (it accepts the time of then)",
  database:
    "stop, run reelkeeper rebuild to learn what the database does not know, start, then run: reelkeeper resume-deletes",
  store:
    "correct bucket, endpoint or folder, restart, then run: reelkeeper resume-deletes (it accepts the store that is configured then)",
  "mass-missing":
    "is the right disk mounted, did somebody delete files? Then run: reelkeeper resume-deletes (what the next scan does not find is missing)",
};

export type MarkerVerdict =
  /** All that know of the marker agree. */
  | "known"
  /** Some do not know of it yet: they shall. */
  | "remember"
  /** Nobody knows of any marker: the first start. */
  | "first"
  | "foreign";

/** `known`: what database and data directory remember, null for nothing; `found`: what is there, null for none. */
export function judgeMarker(known: readonly (string | null)[], found: string | null): MarkerVerdict {
  const remembered = known.filter((marker) => marker !== null);
  if (found === null) return remembered.length === 0 ? "first" : "foreign";
  if (remembered.some((marker) => marker !== found)) return "foreign";
  return remembered.length === known.length ? "known" : "remember";
}

export interface ClockSample {
  readonly wallUs: number;
  readonly monotonicMs: number;
}

/** NTP steps by less at a start that went well; retention is counted in hours. */
export const CLOCK_TOLERANCE_US = 300_000_000;

/** How far the wall clock ran away from the monotonic one, negative for backwards; 0 when it is not worth a word. */
export function clockJumpUs(before: ClockSample, now: ClockSample): number {
  const jumpUs = Math.round(now.wallUs - before.wallUs - (now.monotonicMs - before.monotonicMs) * 1_000);
  return Math.abs(jumpUs) > CLOCK_TOLERANCE_US ? jumpUs : 0;
}

/** At a start: how far the clock is behind the latest instant that was written down; 0 when it is not. */
export function clockBehindUs(latestUs: number | null, nowUs: number): number {
  if (latestUs === null || latestUs - nowUs <= CLOCK_TOLERANCE_US) return 0;
  return latestUs - nowUs;
}

/**
 * The mark is raised in the database first and beside the recordings after, so that a crash in between leaves the
 * database ahead. Behind it is only after somebody put an older one, or an empty one, in its place (F39).
 */
export function isOlderDatabase(inDatabase: number | null, besideRecordings: number | null): boolean {
  return besideRecordings !== null && besideRecordings > (inDatabase ?? 0);
}
