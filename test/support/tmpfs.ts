/** A small disk of a test's own, and a way to fill it. */
import { execFile } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { onTestFinished } from "vitest";

const run = promisify(execFile);
const CHUNK = Buffer.alloc(65_536);

/** Mounts a tmpfs over the directory, which it makes; unmounted when the test ends, whoever still uses it. */
export async function mountTmpfs(directory: string, size: string): Promise<void> {
  onTestFinished(await mountDisk(directory, size));
}

/** As `mountTmpfs`; the caller unmounts it, by what is returned. */
export async function mountDisk(directory: string, size: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true });
  await run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory]);
  return () => unmount(directory);
}

/** Lazily: files that are open go on. */
async function unmount(directory: string): Promise<void> {
  await run("umount", ["-l", directory]).catch(() => undefined);
}

const FILLER = ".filler";

/** Writes until not a byte is left. */
export async function fillDisk(directory: string): Promise<void> {
  await growFiller(directory, Number.POSITIVE_INFINITY);
}

/** Takes so many bytes more, or all that are left. */
export async function growFiller(directory: string, bytes: number): Promise<void> {
  const handle = await open(path.join(directory, FILLER), "a");
  try {
    for (let written = 0; written < Math.floor(bytes);) {
      const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, Math.floor(bytes) - written));
      written += (await handle.write(chunk)).bytesWritten;
    }
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOSPC") throw error;
  } finally {
    await handle.close();
  }
}

export async function emptyDisk(directory: string): Promise<void> {
  await rm(path.join(directory, FILLER), { force: true });
}
