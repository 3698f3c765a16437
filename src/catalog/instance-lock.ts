/**
 * One Reelkeeper per folder (F53). SQLite's own exclusive lock on a file there: the kernel drops it the moment its
 * process dies, however it dies, so there is no stale lock to guess about.
 */
import { AppError, errnoOf } from "../core/errors.js";
import { closeConnection, execute, openConnection, type SqliteConnection } from "./sqlite-connection.js";

export interface InstanceLock {
  release(): Promise<void>;
}

/** Throws `failed-precondition` when another process holds it. The directory must exist. */
export async function acquireInstanceLock(file: string): Promise<InstanceLock> {
  const connection = await open(file);
  try {
    await execute(connection, "pragma locking_mode=exclusive; begin exclusive;");
  } catch (error) {
    await closeConnection(connection);
    if (errnoOf(error) !== "SQLITE_BUSY") {
      throw new AppError({ kind: "unavailable", message: `lock ${file}`, cause: error });
    }
    throw new AppError({
      kind: "failed-precondition",
      message: `another Reelkeeper is running here: ${file} is locked`,
      hint: "stop the other one, or give this one its own DATA_DIR and RECORD_DIR",
    });
  }
  return { release: () => closeConnection(connection) };
}

function open(file: string): Promise<SqliteConnection> {
  return openConnection(file, "create").catch((error: unknown) => {
    throw new AppError({ kind: "unavailable", message: `open ${file}`, cause: error });
  });
}
