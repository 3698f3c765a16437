/** A directory of its own for a test, removed when the test ends. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { onTestFinished } from "vitest";

/** A real path (no links), so that it can be a root for `resolveInside`. Call it inside a test. */
export async function tempDir(): Promise<string> {
  const directory = await createTempDir();
  onTestFinished(() => removeTempDir(directory));
  return directory;
}

/** For hooks (`beforeAll`), where the caller removes it. */
export async function createTempDir(): Promise<string> {
  return realpath(await mkdtemp(path.join(os.tmpdir(), "reelkeeper-test-")));
}

export async function removeTempDir(directory: string): Promise<void> {
  // A process that was just ended may still finish a write in there.
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
