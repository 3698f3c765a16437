import { stat, statfs } from "node:fs/promises";

import type { DiskSpace } from "../core/disk-level.js";

/** Of the disk that `directory` lies on. Throws what the system says. */
export async function readDiskSpace(directory: string): Promise<DiskSpace> {
  const { bavail, bfree, blocks, bsize } = await statfs(directory);
  return { usedBytes: (blocks - bfree) * bsize, availableBytes: bavail * bsize };
}

/** False also when one of them is not there. */
export async function areOnOneDisk(left: string, right: string): Promise<boolean> {
  const [here, there] = await Promise.all([left, right].map((directory) => stat(directory).catch(() => undefined)));
  return here !== undefined && here.dev === there?.dev;
}
