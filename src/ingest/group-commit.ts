/**
 * What hooks and the watch found is recorded in groups: whatever comes while one transaction runs goes into the next
 * one, hooks first. A disk takes some dozens of commits a second, a burst brings thousands of files. Each answer comes
 * after the commit that holds it; nothing that waits here is promised to anybody, and the scan finds what dies with it.
 */
import type { FoundResult } from "../catalog/found-files.js";
import { AppError, toAppError } from "../core/errors.js";
import type { FoundFile } from "../core/found-file.js";
import { LatelyClosed } from "./lately-closed.js";

/** In file order, all or nothing. */
export type RecordFiles = (files: readonly FoundFile[]) => Promise<readonly FoundResult[]>;

interface Note {
  readonly found: FoundFile;
  readonly cameMs: number;
  /** A group that it was in failed. */
  readonly isAlone: boolean;
  readonly resolve: (result: FoundResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Nobody else gets at SQLite's one connection during a transaction. */
const MOST_AT_ONCE = 64;
const PRESSED_AFTER_MS = 15;

export class GroupCommit {
  readonly #recordFiles: RecordFiles;
  #waiting: Note[] = [];
  /** Of the watch: nobody waits for an answer. */
  #patient: Note[] = [];
  readonly #lately = new LatelyClosed();
  #isAtWork = false;
  /** Since when the oldest hook of the group that is being recorded waits. */
  #busySinceMs: number | null = null;

  constructor(recordFiles: RecordFiles) {
    this.#recordFiles = recordFiles;
  }

  /** Resolves after the commit; fails with the error of this file, or of the database (F36: soon after it came). */
  record(found: FoundFile): Promise<FoundResult> {
    return new Promise((resolve, reject) => {
      const notes = found.origin === "hook" ? this.#waiting : this.#patient;
      notes.push({ found, cameMs: performance.now(), isAlone: false, resolve, reject });
      if (!this.#isAtWork) void this.#work();
    });
  }

  /** What was recorded a moment ago as closed with this identity; false where nobody remembers. */
  hasRecorded(filePath: string, fileIdentity: string): boolean {
    return this.#lately.has(filePath, fileIdentity);
  }

  /** A hook waits longer for its answer than it should: whoever has time should leave the database to it. */
  get isPressed(): boolean {
    const sinceMs = this.#busySinceMs ?? this.#waiting[0]?.cameMs;
    return sinceMs !== undefined && performance.now() - sinceMs > PRESSED_AFTER_MS;
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    for (let group = this.#take(); group.length > 0; group = this.#take()) {
      this.#busySinceMs = group[0]?.found.origin === "hook" ? group[0].cameMs : null;
      await this.#recordGroup(group);
      this.#busySinceMs = null;
    }
    this.#isAtWork = false;
  }

  #take(): Note[] {
    if (this.#waiting[0]?.isAlone === true) return this.#waiting.splice(0, 1);
    const urgent = this.#waiting.splice(0, MOST_AT_ONCE);
    return [...urgent, ...this.#patient.splice(0, MOST_AT_ONCE - urgent.length)];
  }

  async #recordGroup(group: readonly Note[]): Promise<void> {
    try {
      const results = await this.#recordFiles(group.map(({ found }) => found));
      for (const { found } of group) this.#lately.note(found);
      for (const [index, note] of group.entries()) answer(note, results[index]);
    } catch (error) {
      if (isOfDatabase(error)) this.#refuse([...group, ...this.#takeAll()], error);
      else if (group.length === 1) this.#refuse(group, error);
      else this.#waiting.unshift(...group.map((note) => ({ ...note, isAlone: true })));
    }
  }

  /** Who came later would wait for the same lock in vain, and beyond its time. */
  #takeAll(): Note[] {
    const all = [...this.#waiting, ...this.#patient];
    this.#waiting = [];
    this.#patient = [];
    return all;
  }

  #refuse(notes: readonly Note[], error: unknown): void {
    for (const { reject } of notes) reject(error);
  }
}

function answer({ found, resolve, reject }: Note, result: FoundResult | undefined): void {
  if (result !== undefined) resolve(result);
  else reject(new AppError({ kind: "internal", message: `record ${found.filePath}: no result` }));
}

/** It is no file's fault: all others would fail too. */
function isOfDatabase(error: unknown): boolean {
  const { kind } = toAppError(error);
  return kind === "unavailable" || kind === "resource-exhausted" || kind === "data-loss";
}
