/** How full a disk is, and what that means. Pure. */

/** Percent of the disk; each is above the one before. */
export interface Watermarks {
  /** From here on it is told. */
  readonly warnPercent: number;
  /** From here on proven local copies go before their time. */
  readonly highPercent: number;
  /** From here on it is an alarm. */
  readonly fullPercent: number;
}

export interface DiskSpace {
  readonly usedBytes: number;
  /** For us: without what the file system keeps for root. */
  readonly availableBytes: number;
}

export type DiskLevel = "ok" | "warn" | "high" | "full";

/** As `df` counts it. */
export function usedPercent({ usedBytes, availableBytes }: DiskSpace): number {
  const totalBytes = usedBytes + availableBytes;
  return totalBytes <= 0 ? 0 : (usedBytes / totalBytes) * 100;
}

export function diskLevel(space: DiskSpace, marks: Watermarks): DiskLevel {
  const percent = usedPercent(space);
  if (percent >= marks.fullPercent) return "full";
  if (percent >= marks.highPercent) return "high";
  return percent >= marks.warnPercent ? "warn" : "ok";
}

/** What has to go until the disk is below its high mark again; 0 when it is. */
export function bytesAboveHigh(space: DiskSpace, marks: Watermarks): number {
  if (usedPercent(space) < marks.highPercent) return 0;
  const totalBytes = space.usedBytes + space.availableBytes;
  return Math.max(1, Math.ceil(space.usedBytes - (totalBytes * marks.highPercent) / 100));
}
