/**
 * A lock between processes of one machine: a directory (mkdir is atomic) with the owner's process id, touched while
 * it is held. It is stale when its owner is gone, or when nobody touched it for a while (a process id may be in use
 * again, and means nothing in another container). It saves work done twice; what is done under it must stay harmless
 * when two do it.
 */
import { mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";

const RETRY_MS = 200;
const TOUCH_MS = 5_000;
const UNTOUCHED_MS = 60_000;

export interface LockOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Called once when the lock is held by somebody else. */
  readonly onWait?: () => void;
}

/** Runs `work` while holding the lock. Throws `unavailable` when it stays taken until the deadline. */
export async function withFileLock<T>(lockDir: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await acquire(lockDir, options);
  const touch = setInterval(() => {
    const nowSec = options.clock.nowUs() / 1_000_000;
    // NOTE: a lock that cannot be touched only looks stale sooner.
    utimes(lockDir, nowSec, nowSec).catch(() => undefined);
  }, TOUCH_MS);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    await rm(lockDir, { recursive: true, force: true });
  }
}

async function acquire(lockDir: string, options: LockOptions): Promise<void> {
  const { clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  let waited = false;
  while (!(await tryAcquire(lockDir))) {
    if (signal.aborted) throw new AppError({ kind: "cancelled", message: `wait for lock ${lockDir}: stopped` });
    if (clock.monotonicMs() > deadlineMs) {
      throw new AppError({
        kind: "unavailable",
        message: `wait for lock ${lockDir}: still taken after ${String(options.timeoutMs)} ms`,
        hint: "another process holds it; when there is none, remove the lock directory",
      });
    }
    if (!(await removeIfStale(lockDir, clock))) {
      if (!waited) options.onWait?.();
      waited = true;
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

async function tryAcquire(lockDir: string): Promise<boolean> {
  try {
    await mkdir(lockDir);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw new AppError({ kind: "failed-precondition", message: `create lock ${lockDir}`, cause: error });
  }
  await writeFile(path.join(lockDir, "pid"), String(process.pid));
  return true;
}

/** Looks again under a second lock before removing, or two rivals could remove each other's fresh lock. */
async function removeIfStale(lockDir: string, clock: Clock): Promise<boolean> {
  if (!(await isStale(lockDir, clock))) return false;
  const takeover = `${lockDir}.takeover`;
  if (!(await tryAcquire(takeover))) {
    if (await isStale(takeover, clock)) await rm(takeover, { recursive: true, force: true });
    return false;
  }
  try {
    if (await isStale(lockDir, clock)) await rm(lockDir, { recursive: true, force: true });
    return true;
  } finally {
    await rm(takeover, { recursive: true, force: true });
  }
}

async function isStale(lockDir: string, clock: Clock): Promise<boolean> {
  try {
    const untouchedMs = clock.nowUs() / 1_000 - (await stat(lockDir)).mtimeMs;
    if (untouchedMs > UNTOUCHED_MS) return true;
    const pid = Number(await readFile(path.join(lockDir, "pid"), "utf8"));
    return Number.isInteger(pid) && pid > 0 && !isProcessAlive(pid);
  } catch (error) {
    // NOTE: it was released, or its owner has not written its id yet.
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Alive, whoever owns it. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}
