/** What a process has cost so far, by Linux's own books: CPU time and memory. */
import { readFileSync, writeFileSync } from "node:fs";

const TICKS_PER_SEC = 100;

export interface Usage {
  readonly cpuSec: number;
  readonly rssMiB: number;
  /** Highest so far. */
  readonly peakRssMiB: number;
}

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    cpuSec: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC,
    rssMiB: kibibytes(status, "VmRSS") / 1_024,
    peakRssMiB: kibibytes(status, "VmHWM") / 1_024,
  };
}

/** From now on `peakRssMiB` is the highest since this call. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function kibibytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0);
}
