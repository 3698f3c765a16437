/** One Reelkeeper per data directory and per record directory, whichever commands they run. */
import path from "node:path";

import { acquireInstanceLock, type InstanceLock } from "../catalog/instance-lock.js";
import { ensureDirectory } from "../platform/files.js";
import type { Setup } from "./setup.js";

/** Throws `failed-precondition` when another process holds one of them. */
export async function lockFolders({ config, recordDir }: Pick<Setup, "config" | "recordDir">): Promise<InstanceLock> {
  const own = path.join(recordDir, ".reelkeeper");
  // The trash too, while there is room: on a full disk it could not be made, and nothing could be removed.
  await ensureDirectory(path.join(own, "trash"));
  const records = await acquireInstanceLock(path.join(own, "lock"));
  try {
    const data = await acquireInstanceLock(path.join(config.dataDir, "lock"));
    return {
      release: async () => {
        await data.release();
        await records.release();
      },
    };
  } catch (error) {
    await records.release();
    throw error;
  }
}
