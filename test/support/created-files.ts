/**
 * Which files MediaMTX created, by its own log: at `logLevel: debug` the recorder writes `creating segment <path>` just
 * before it creates (and truncates) the file, the same in 1.19 and 1.21, for fMP4 and MPEG-TS.
 */
const CREATING = /\[recorder\] creating segment (.+)$/;

/** In order; a name that was created twice is there twice. */
export function createdFilesIn(log: string): string[] {
  return log.split("\n").flatMap((line) => CREATING.exec(line.replace(/\r$/, ""))?.[1] ?? []);
}
