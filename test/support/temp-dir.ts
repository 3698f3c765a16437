/** A directory of its own for a test, removed when the test ends. */
import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { onTestFinished } from "vitest";

/** Linux. */
const RAM_DISK = "/dev/shm";

export interface TempDirOptions {
  /** On a RAM disk, where there is one. */
  readonly inMemory?: boolean;
}

/** A real path (no links), so that it can be a root for `resolveInside`. Call it inside a test. */
export async function tempDir(options: TempDirOptions = {}): Promise<string> {
  const directory = await createTempDir(options);
  onTestFinished(() => removeTempDir(directory));
  return directory;
}

/** For hooks (`beforeAll`), where the caller removes it. */
export async function createTempDir({ inMemory = false }: TempDirOptions = {}): Promise<string> {
  const parent = inMemory && existsSync(RAM_DISK) ? RAM_DISK : os.tmpdir();
  return realpath(await mkdtemp(path.join(parent, "reelkeeper-test-")));
}

export async function removeTempDir(directory: string): Promise<void> {
  // A process that was just ended may still finish a write in there; on a busy machine that takes it seconds.
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
