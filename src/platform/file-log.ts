/**
 * The log when stderr is a file: Node's own stream would end for good at the first full disk, and the process with it
 * (F44). Here lines are lost while there is no room, and that is told once there is some.
 */
import { fstatSync, writeSync } from "node:fs";
import { Writable } from "node:stream";

/** Is the descriptor a file on a disk, and not a terminal, pipe or journal? */
export function isFileDescriptor(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

export function createFileLog(descriptor: number, tellLost: (lines: number) => string): Writable {
  let lostLines = 0;
  return new Writable({
    decodeStrings: true,
    write: (line: Buffer, _encoding, done) => {
      try {
        if (lostLines > 0) {
          writeWhole(descriptor, Buffer.from(`\n${tellLost(lostLines)}\n`));
          lostLines = 0;
        }
        writeWhole(descriptor, line);
      } catch {
        lostLines += 1;
      }
      done();
    },
  });
}

function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}

/** What is printed for people may be lost; nothing ends because of it. */
export function outliveStandardStreams(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
