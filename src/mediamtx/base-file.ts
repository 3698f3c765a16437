/** The admin's base file on disk. Only an adoption writes it, when a person asked for that, and what was there is kept. */
import { readFile, stat } from "node:fs/promises";

import { AppError, errnoOf } from "../core/errors.js";
import { writeFileAtomically } from "../platform/files.js";

export class BaseFile {
  readonly #file: string;
  readonly #shipped: string;

  /** `shipped`: the one that comes with the program, which an update replaces. */
  constructor(file: string, shipped: string) {
    this.#file = file;
    this.#shipped = shipped;
  }

  /** Empty when there is none yet. */
  async read(): Promise<string> {
    try {
      return await readFile(this.#file, "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return "";
      throw new AppError({ kind: "unavailable", message: `read ${this.#file}`, cause: error });
    }
  }

  /** Throws `failed-precondition` when the file is not the admin's own. */
  assertOwn(): void {
    if (this.#file !== this.#shipped) return;
    throw new AppError({
      kind: "failed-precondition",
      message: `${this.#file} comes with the program and is not written`,
      hint: "set MEDIAMTX_BASE_CONFIG to a file of your own, which may not exist yet, and adopt again",
    });
  }

  /** Whole or not at all; returns where the one of before is kept, null when there was none. */
  async replace(text: string, stamp: string): Promise<string | null> {
    this.assertOwn();
    const before = await this.read();
    try {
      // It may hold passwords.
      const mode = before === "" ? 0o600 : (await stat(this.#file)).mode & 0o777;
      const kept = before === "" ? null : `${this.#file}.before-adopt-${stamp}`;
      if (kept !== null) await writeFileAtomically(kept, before, mode);
      await writeFileAtomically(this.#file, text, mode);
      return kept;
    } catch (error) {
      throw new AppError({
        kind: "failed-precondition",
        message: `write ${this.#file}: ${errnoOf(error) ?? "failed"}; the paths are adopted, the base is not`,
        hint: "make it writable for Reelkeeper and adopt again: what is done already stays as it is",
        cause: error,
      });
    }
  }
}
