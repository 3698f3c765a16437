/**
 * Above its high mark the recordings disk is relieved: the oldest proven local copies become due before their time, and
 * the release step does the rest, with all its questions. What is not proven never goes, nor does anything while
 * deletions are stopped; then there is an alarm. The other disks are only watched.
 */
import type { Catalog } from "../catalog/catalog.js";
import { bytesOnDisk, listReleasable, releaseNow } from "../catalog/early-releases.js";
import { noteMachineCondition } from "../catalog/recording-conditions.js";
import {
  bytesAboveHigh,
  type DiskLevel,
  diskLevel,
  type DiskSpace,
  usedPercent,
  type Watermarks,
} from "../core/disk-level.js";
import { describeError } from "../core/errors.js";
import type { RecordingId } from "../core/recording.js";
import type { Logger } from "../platform/logger.js";

export interface WatchedDisk {
  /** Such as `recordings`, `database`. */
  readonly name: string;
  readonly directory: string;
}

export interface DiskGuardDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  /** The first holds the recordings. */
  readonly disks: readonly [WatchedDisk, ...WatchedDisk[]];
  readonly marks: Watermarks;
  readonly readSpace: (directory: string) => Promise<DiskSpace>;
  readonly areDeletionsStopped: () => boolean;
  /** The copies in the store lie on the recordings disk too, most as links: releasing frees nothing. */
  readonly isArchiveOnSameDisk: () => Promise<boolean>;
  /** Rows are due now. */
  readonly wake: () => void;
}

/** What a person should know about a recordings disk above its high mark. */
export interface Relief {
  /** False: it will not get better by itself. */
  readonly helps: boolean;
  readonly message: string;
  readonly hint: string;
}

const CHECK_EVERY_MS = 5_000;
/** A copy that was asked to go counts as going for so long; and is not asked for again for ten times that. */
const GOES_WITHIN_MS = 60_000;
const ASK_AGAIN_MS = 600_000;

const NOTHING_LEFT: Relief = {
  helps: false,
  message: "no proven local copy is left that could go",
  hint: "free space or add a disk; what the store has not proven stays, so look whether uploads work",
};
const SAME_DISK: Relief = {
  helps: false,
  message: "the archive lies on the same disk, so releasing local copies frees nothing",
  hint: "free space, or let the archive be on another disk (LOCAL_BUCKET_DIR) or in a bucket (R2_BUCKET_NAME)",
};
const STOPPED: Relief = {
  helps: false,
  message: "nothing is released while deletions are stopped",
  hint: "see what stops deletions, and release it",
};
const RELEASING: Relief = {
  helps: true,
  message: "the oldest proven local copies are released before their time",
  hint: "shorten LOCAL_RETENTION or add space",
};

export class DiskGuard {
  readonly #deps: DiskGuardDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  readonly #levels = new Map<string, DiskLevel | "unknown">();
  /** Asked to go, and when. */
  readonly #asked = new Map<RecordingId, number>();
  #relief: Relief | null = null;
  /** What the catalog says; undefined: not known since the start. */
  #notedFull: boolean | undefined;

  constructor(deps: DiskGuardDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Null: the recordings disk is below its high mark. */
  get relief(): Relief | null {
    return this.#relief;
  }

  /** Never throws. */
  async check(): Promise<void> {
    for (const disk of this.#deps.disks) {
      try {
        const space = await this.#deps.readSpace(disk.directory);
        this.#tellLevel(disk, space);
        if (disk !== this.#deps.disks[0]) continue;
        await this.#noteFull(this.#levels.get(disk.name) === "full");
        await this.#relieve(space);
      } catch (error) {
        if (this.#levels.get(disk.name) === "unknown") continue;
        this.#levels.set(disk.name, "unknown");
        this.#deps.logger.warn("cannot tell how full a disk is", { disk: disk.name, err: describeError(error) });
      }
    }
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.check();
      await this.#deps.catalog.clock.sleep(CHECK_EVERY_MS, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
    }
  }

  #tellLevel({ name, directory }: WatchedDisk, space: DiskSpace): void {
    const level = diskLevel(space, this.#deps.marks);
    const before = this.#levels.get(name) ?? "ok";
    this.#levels.set(name, level);
    if (level === before) return;
    const fields = {
      disk: name,
      directory,
      usedPercent: Math.round(usedPercent(space)),
      availableBytes: space.availableBytes,
    };
    if (level === "full") this.#deps.logger.error("disk is full", fields);
    else if (level === "ok") this.#deps.logger.info("disk has room again", fields);
    else this.#deps.logger.warn("disk fills up", { ...fields, level });
  }

  /** For the timeline: it explains what was not recorded then. */
  async #noteFull(isFull: boolean): Promise<void> {
    if (isFull === this.#notedFull) return;
    const { catalog } = this.#deps;
    await noteMachineCondition(catalog, { condition: "disk-full", holds: isFull, atUs: catalog.clock.nowUs() });
    this.#notedFull = isFull;
  }

  async #relieve(space: DiskSpace): Promise<void> {
    const { logger, marks } = this.#deps;
    const tooManyBytes = bytesAboveHigh(space, marks);
    const before = this.#relief;
    this.#relief = tooManyBytes === 0 ? null : await this.#releaseOldest(tooManyBytes);
    if (this.#relief === before || this.#relief === null) return;
    const { helps, message, hint } = this.#relief;
    const fields = { reason: message, usedPercent: Math.round(usedPercent(space)), hint };
    if (helps) logger.warn("recordings disk is above its high mark", fields);
    else logger.error("recordings disk is above its high mark and nothing can be released", fields);
  }

  async #releaseOldest(tooManyBytes: number): Promise<Relief> {
    const { catalog, logger, wake } = this.#deps;
    if (this.#deps.areDeletionsStopped()) return STOPPED;
    if (await this.#deps.isArchiveOnSameDisk()) return SAME_DISK;
    const goingBytes = await bytesOnDisk(catalog, this.#going());
    const chosen: RecordingId[] = [];
    let bytes = goingBytes;
    for (const copy of await listReleasable(catalog, new Set(this.#asked.keys()))) {
      if (bytes >= tooManyBytes) break;
      chosen.push(copy.id);
      bytes += copy.bytes;
    }
    if (chosen.length === 0) return goingBytes > 0 ? RELEASING : NOTHING_LEFT;
    const nowMs = catalog.clock.monotonicMs();
    for (const id of chosen) this.#asked.set(id, nowMs);
    await releaseNow(catalog, chosen);
    logger.info("local copies are released early", { segments: chosen.length, bytes: bytes - goingBytes });
    wake();
    return RELEASING;
  }

  /** Asked a moment ago; what was asked long ago may be asked again. */
  #going(): RecordingId[] {
    const nowMs = this.#deps.catalog.clock.monotonicMs();
    const going: RecordingId[] = [];
    for (const [id, askedMs] of this.#asked) {
      if (nowMs - askedMs < GOES_WITHIN_MS) going.push(id);
      if (nowMs - askedMs >= ASK_AGAIN_MS) this.#asked.delete(id);
    }
    return going;
  }
}
