/**
 * A regular file opened for reading, never through a symbolic link and never blocking on a FIFO (F47, F48). Owns the
 * descriptor. All calls are synchronous: they run in a worker thread.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

import { AppError, type ErrorKind, errnoOf } from "../core/errors.js";
import { fileIdentity } from "../core/file-identity.js";

export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const KINDS: Readonly<Record<string, readonly [ErrorKind, string?]>> = {
  ENOENT: ["not-found"],
  ENOTDIR: ["not-found"],
  ELOOP: ["invalid-argument", "symbolic links are not followed; put the file itself there"],
  ENXIO: ["invalid-argument", "only regular files are read"],
  ENAMETOOLONG: ["invalid-argument"],
  EACCES: ["permission-denied", "run as the user that MediaMTX runs as, or share a group with it"],
  EPERM: ["permission-denied", "run as the user that MediaMTX runs as, or share a group with it"],
};

/** A failed system call; what is not known to be final (EIO, EMFILE, ESTALE …) is `unavailable`. */
export function fileError(error: unknown, operation: string): AppError {
  const code = errnoOf(error);
  const [kind, hint] = KINDS[code ?? ""] ?? ["unavailable"];
  const message = code === undefined ? operation : `${operation}: ${code}`;
  return new AppError({ kind, message, cause: error, ...(hint === undefined ? {} : { hint }) });
}

export function notRegular(filePath: string): AppError {
  return new AppError({
    kind: "invalid-argument",
    message: `open ${filePath}: not a regular file`,
    hint: "only regular files are read; remove what is there, or keep it outside the record directory",
  });
}

export class RegularFile {
  readonly filePath: string;
  /** At opening; bytes that are appended later are not read. */
  readonly sizeBytes: number;
  readonly #fd: number;

  private constructor(filePath: string, opened: { readonly fd: number; readonly sizeBytes: number }) {
    this.filePath = filePath;
    this.#fd = opened.fd;
    this.sizeBytes = opened.sizeBytes;
  }

  static open(filePath: string): RegularFile {
    let fd: number;
    try {
      fd = openSync(filePath, OPEN_FLAGS);
    } catch (error) {
      throw fileError(error, `open ${filePath}`);
    }
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw notRegular(filePath);
      return new RegularFile(filePath, { fd, sizeBytes: stat.size });
    } catch (error) {
      closeSync(fd);
      throw error instanceof AppError ? error : fileError(error, `stat ${filePath}`);
    }
  }

  /** Which bytes these are now; see core/file-identity.ts. */
  identity(): string {
    try {
      return fileIdentity(fstatSync(this.#fd, { bigint: true }));
    } catch (error) {
      throw fileError(error, `stat ${this.filePath}`);
    }
  }

  /** Fills `target`. Throws `failed-precondition` when the file has become shorter than it was at opening. */
  fill(target: Uint8Array, positionBytes: number): void {
    let done = 0;
    while (done < target.byteLength) {
      const got = this.#readSome(target, done, positionBytes);
      if (got === 0) {
        throw new AppError({
          kind: "failed-precondition",
          message: `read ${this.filePath}: ends at byte ${String(positionBytes + done)}, expected ${String(this.sizeBytes)}: truncated while it was read`,
        });
      }
      done += got;
    }
  }

  #readSome(target: Uint8Array, done: number, positionBytes: number): number {
    try {
      return readSync(this.#fd, target, done, target.byteLength - done, positionBytes + done);
    } catch (error) {
      throw fileError(error, `read ${this.filePath} at byte ${String(positionBytes + done)}`);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
